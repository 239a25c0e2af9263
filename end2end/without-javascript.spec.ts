import { manyLogLines } from './large.ts';
import { places } from './places.ts';
import { acknowledgements, expect, heading, startRollback, step, test } from './test.ts';

test.use({ javaScriptEnabled: false });

test.describe('reading', () => {
  test.use({ expectedErrors: /status of 404/ });

  test('every page has its heading, its title and its content', async ({ page, deployment }) => {
    for (const [name, path] of Object.entries(places(deployment))) {
      await test.step(name, async () => {
        const answer = await page.goto(path);
        expect(answer?.status()).toBe(name.startsWith('no-such') ? 404 : 200);
        await expect(heading(page)).toBeVisible();
        await expect(page).toHaveTitle(/ · Stepback$/);
        // The style guide shows what waiting looks like.
        if (name !== 'styleguide') await expect(page.getByText('Loading…')).toHaveCount(0);
        await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link')).toHaveCount(6);
      });
    }
  });

  test('search, filter and paging are plain addresses', async ({ page, deployment }) => {
    await deployment.sql(
      'metadata',
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
       INSERT INTO version_registry (version_id, status, created_at, notes)
       SELECT printf('old_%03d', i), 'archived', datetime('2025-01-01', i || ' hours'), 'made for paging' FROM n`,
    );
    await page.goto('/versions');
    const search = page.getByRole('search');
    await search.getByRole('searchbox').fill('made for paging');
    await search.getByLabel('Order').selectOption({ label: 'By id, A to Z' });
    await search.getByRole('button', { name: 'Search' }).click();
    await expect(page).toHaveURL(/\?q=made\+for\+paging&sort=/);
    const links = page.getByRole('main').getByRole('link', { name: /^old_\d+$/ });
    const seen = await links.allTextContents();
    expect(seen[0]).toBe('old_001');
    const next = page.getByRole('link', { name: 'Next page' });
    while ((await next.count()) > 0) {
      await next.click();
      seen.push(...(await links.allTextContents()));
    }
    expect(seen).toEqual(Array.from({ length: 120 }, (_, i) => `old_${String(i + 1).padStart(3, '0')}`));
    await page.getByRole('link', { name: 'First page' }).click();
    await expect(links.first()).toHaveText('old_001');

    await page.goto('/versions');
    await page.getByRole('navigation', { name: 'Filter by state' }).getByRole('link', { name: /^failed/ }).click();
    await expect(page).toHaveURL(/status=failed/);
    await expect(page.getByRole('main').getByRole('link', { name: deployment.failed, exact: true })).toHaveCount(0);
    await expect(page.getByRole('main').getByRole('link', { name: 'v13_minor_20261016_122152', exact: true })).toBeVisible();
    await search.getByRole('searchbox').fill('no such text anywhere');
    await search.getByRole('button', { name: 'Search' }).click();
    await expect(page.getByText('No version fits.')).toBeVisible();
  });
});

test('a rollback from the overview to its report, started and decided by plain forms', async ({ page, deployment }) => {
  const id = deployment.failed;
  await deployment.refuseDeletions();
  // Keeps step 5 waiting, so that the run is seen at work.
  const release = await deployment.lock('graph');
  await page.goto('/');
  await page.getByRole('region', { name: 'Verdict' }).getByRole('link', { name: /^Plan rollback of/ }).click();
  await expect(heading(page)).toContainText(id);
  for (const box of await acknowledgements(page).all()) await box.check();
  await page.getByLabel('Reason').fill('Check 4 failed');

  // A wrong id comes back to the plan, which says what is wrong.
  await page.getByLabel('Type the version id').fill('v22');
  await page.getByRole('button', { name: /^Roll back/ }).click();
  await expect(page).toHaveURL(/\/plan/);
  await expect(page.getByRole('alert')).toContainText('Type all of it, as the plan shows it.');
  expect(await deployment.status(id)).toBe('validating_failed');

  await page.goto(deployment.version(id, '/plan'));
  for (const box of await acknowledgements(page).all()) await box.check();
  await page.getByLabel('Reason').fill('Check 4 failed');
  await page.getByLabel('Type the version id').fill(id);
  await page.getByRole('button', { name: /^Roll back/ }).click();
  await expect(page).toHaveURL(/\/runs\/1$/);
  await expect(page.locator('noscript p')).toBeVisible();
  await expect(step(page, 5)).toContainText('running');
  await release();
  // The page loads itself again until the run asks.
  await expect(step(page, 5).getByRole('alert')).toContainText('the graph is out of order', { timeout: 30_000 });

  await deployment.allowDeletions();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page).toHaveURL(/\/runs\/1\??$/);
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });
  expect(await deployment.status(id)).toBe('rolled_back');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Runs' }).click();
  const row = page.getByRole('row').filter({ hasText: '#1' });
  await expect(row).toContainText('completed');
  await row.getByRole('link', { name: '#1', exact: true }).click();
  await page.getByRole('link', { name: 'Report', exact: true }).click();
  await expect(page).toHaveURL(/\/runs\/1\/report$/);
  await expect(page.getByRole('region', { name: 'What happened' })).toContainText('ada');
});

test('a long log is read to its beginning by plain links, part by part', async ({ page, deployment }) => {
  const release = await deployment.lock('graph');
  await page.goto(deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await expect(page.getByRole('region', { name: 'Log of the run' })).toContainText('step 5: acts now', { timeout: 30_000 });
  await page.goto('about:blank');
  await deployment.stop('SIGKILL');
  await manyLogLines(deployment, 900);
  await release();
  await deployment.start();

  await page.goto('/runs/1');
  await expect(page.getByRole('region', { name: 'Log of the run' })).toContainText('looked at batch 900');
  const part = page.getByRole('region', { name: 'Earlier in the log' });
  const earlier = page.getByRole('link', { name: 'Show earlier lines' });
  await expect(part).toHaveCount(0);
  await earlier.click();
  await expect(part).toContainText('looked at batch 400,');
  await expect(part).not.toContainText('run started by');
  await earlier.click();
  await expect(part).toContainText('run started by');
  await expect(earlier).toHaveCount(0);
  await part.getByRole('link', { name: 'Back to the end' }).click();
  await expect(part).toHaveCount(0);
});
