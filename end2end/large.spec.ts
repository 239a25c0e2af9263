// A registry and a log that grew for years: found, turned and searched like small ones, and the browser holds only a part.
import { manyLogLines, manyVersions } from './large.ts';
import { expect, heading, hydrated, open, startRollback, step, test } from './test.ts';

test.use({ expectedErrors: /ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE)/ });

const MANY = 100_000;

test('a hundred thousand versions are paged, sorted, searched and filtered', async ({ page, deployment }) => {
  test.setTimeout(120_000);
  const own = await deployment.count('metadata', 'SELECT count(*) FROM version_registry');
  await manyVersions(deployment, MANY);
  const links = page.getByRole('region', { name: 'Registry' }).getByRole('link', { name: /^(old_\d+|v\d+_\w+)$/ });
  const elements = () => page.locator('*').count();

  await open(page, '/versions');
  const chips = page.getByRole('navigation', { name: 'Filter by state' });
  await expect(chips.getByRole('link', { name: /^All/ })).toContainText((MANY + own).toLocaleString('en'));
  const shown = await links.count();
  expect(shown).toBeGreaterThan(20);
  // However many there are, a page is a page.
  expect(shown).toBeLessThanOrEqual(200);
  expect(await elements()).toBeLessThan(10_000);

  // Page after page: in order, nothing twice.
  await open(page, '/versions?sort=version_id&q=old_');
  const seen = await links.allTextContents();
  for (let turned = 0; turned < 5; turned++) {
    await page.getByRole('link', { name: 'Next page' }).click();
    await expect(links.first()).toHaveText(`old_${String(seen.length + 1).padStart(6, '0')}`);
    await hydrated(page);
    seen.push(...(await links.allTextContents()));
  }
  expect(seen).toEqual(Array.from(seen, (_, i) => `old_${String(i + 1).padStart(6, '0')}`));

  await open(page, '/versions?sort=-version_id&q=old_');
  await expect(links.first()).toHaveText(`old_${MANY}`);
  await page.getByRole('searchbox').fill('number 77777');
  await page.getByRole('searchbox').press('Enter');
  await expect(links).toHaveText(['old_077777']);
  await hydrated(page);
  await open(page, '/versions?q=old_&status=failed&sort=version_id');
  await expect(links.first()).toHaveText('old_001000');

  await open(page, '/');
  await expect(page.getByRole('region', { name: 'Verdict' })).toContainText(deployment.failed);
  await expect(page.getByRole('region', { name: 'Needs attention' })).toContainText(/\d+ more in the list of versions/);
  expect(await elements()).toBeLessThan(3_000);
});

test('a log of a hundred thousand lines is a window of a thousand, searched and read from either end', async ({
  page,
  deployment,
}) => {
  test.setTimeout(120_000);
  const release = await deployment.lock('graph');
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await hydrated(page);
  await expect(step(page, 4)).toContainText('done', { timeout: 30_000 });
  await expect(page.getByRole('region', { name: 'Log of the run' })).toContainText('step 5: acts now');
  await page.goto('about:blank');
  await deployment.stop('SIGKILL');
  await manyLogLines(deployment, MANY);
  await release();
  expect(await deployment.checkJournal(), 'the journal is as Stepback would have written it').toContain('sound');
  await deployment.start();

  await open(page, '/runs/1');
  await expect(heading(page)).toContainText(deployment.failed);
  const log = page.getByRole('region', { name: 'Log of the run' });
  const lines = log.locator('.line');
  await expect(lines.last()).toContainText('interrupted');
  await expect(log).toContainText(`looked at batch ${MANY - 1}`);
  const held = async () => {
    const count = await lines.count();
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(1_000);
  };
  await held();

  // Back in time, part by part: the window moves and does not grow beyond its bounds.
  for (let turned = 0; turned < 4; turned++) {
    const first = await lines.first().innerText();
    await log.getByRole('button', { name: 'Show earlier lines' }).click();
    await expect(lines.first()).not.toHaveText(first, { useInnerText: true });
    await held();
  }
  await expect(log).not.toContainText(`looked at batch ${MANY - 1}`);
  await expect(log.getByRole('button', { name: 'Show later lines' })).toBeVisible();

  const search = page.getByRole('search', { name: 'The log' });
  await search.getByRole('searchbox').fill('NEEDLE in the log');
  await search.getByRole('button', { name: 'Search' }).click();
  await expect(lines).toHaveCount(MANY / 10_000);
  await expect(lines.first()).toContainText('a needle in the log: 10000');
  await expect(search.getByRole('status')).toHaveText('10 lines');
  await expect(log.locator('mark')).toHaveText(Array(MANY / 10_000).fill('needle in the log'));
  await search.getByRole('searchbox').fill('looked at batch');
  await search.getByRole('button', { name: 'Search' }).click();
  await expect(search.getByRole('status')).toContainText('the latest of more');
  await held();

  // To the end again.
  await page.getByRole('button', { name: 'Follow' }).click();
  await expect(lines.last()).toContainText('interrupted');
  await expect(log.locator('mark')).toHaveCount(0);
  await expect.poll(() => log.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight)).toBeLessThan(2);
  await held();
});

test('at the beginning of a log the focus stays in it, where the button that led there is gone', async ({ page, deployment }) => {
  const release = await deployment.lock('graph');
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await expect(page.getByRole('region', { name: 'Log of the run' })).toContainText('step 5: acts now', { timeout: 30_000 });
  await page.goto('about:blank');
  await deployment.stop('SIGKILL');
  await manyLogLines(deployment, 500);
  await release();
  await deployment.start();
  await open(page, '/runs/1');
  const log = page.getByRole('region', { name: 'Log of the run' });
  const earlier = log.getByRole('button', { name: 'Show earlier lines' });
  await earlier.press('Enter');
  await expect(log).toContainText('run started by');
  await expect(earlier).toHaveCount(0);
  await expect(log).toBeFocused();
});
