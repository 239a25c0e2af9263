// What changes on a page while it is looked at: its stream, what it renews, and what a reader keeps meanwhile.
import type { Page } from '@playwright/test';
import { expect, heading, hydrated, open, signIn, startRollback, step, test } from './test.ts';
import { lookAt, setHidden } from './tabs.ts';

test.use({
  expectedErrors: /status of 502|ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE|FAILED)/,
});

/** A mark that does not outlive the page: found again, nothing was loaded anew. */
async function mark(page: Page): Promise<() => Promise<boolean>> {
  await page.evaluate(() => Object.assign(window, { marked: true }));
  return () => page.evaluate(() => (window as unknown as { marked?: boolean }).marked === true);
}

const says = (page: Page, words: string) =>
  expect(page.getByText(words, { exact: true })).toBeVisible({ timeout: 30_000 });

test('the overview hears of another operator’s run, and the focus stays where it was', async ({
  page,
  browser,
  deployment,
}) => {
  const release = await deployment.lock('graph');
  await open(page, '/');
  await says(page, 'Live');
  const same = await mark(page);
  const history = page.getByRole('region', { name: 'Recent runs' }).getByRole('link', { name: 'History' });
  await history.focus();

  const context = await browser.newContext({ baseURL: deployment.url });
  const otto = await context.newPage();
  await signIn(otto, 'operator');
  await open(otto, deployment.version(deployment.failed, '/plan'));
  await startRollback(otto, deployment.failed);
  await expect(step(otto, 5)).toContainText('running');

  const banner = page.getByRole('region', { name: 'Active run' });
  await expect(banner).toContainText('is rolling back', { timeout: 30_000 });
  await expect(banner).toContainText(deployment.failed);
  // The link itself is a new one, in a part of the page that is: it has the focus all the same.
  await expect(history).toBeFocused();
  await release();
  await expect(banner).toBeHidden({ timeout: 40_000 });
  await expect(
    page.getByRole('region', { name: 'Recent runs' }).getByRole('row').filter({ hasText: '#1' }),
  ).toContainText('completed');
  await expect(history).toBeFocused();
  expect(await same(), 'the page was not loaded again').toBe(true);
  await context.close();
});

test('what was opened in a part that is renewed stays open', async ({ page, deployment }) => {
  await deployment.refuseDeletions();
  const release = await deployment.lock('graph');
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await hydrated(page);
  await expect(step(page, 4)).toContainText('done', { timeout: 30_000 });
  const same = await mark(page);
  const chart = page.locator('#run-chart');
  const figures = chart.getByText('The figures');
  await figures.click();
  await expect(chart.getByRole('table')).toBeVisible();
  const before = await chart.innerHTML();
  await release();
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible({ timeout: 30_000 });
  await expect.poll(() => chart.innerHTML(), { message: 'the chart is drawn anew' }).not.toBe(before);
  await expect(chart.getByRole('table')).toBeVisible();

  expect(await same(), 'the page was not loaded again').toBe(true);
});

test('a stream that is cut is said to be so, since when, and is live again by itself', async ({ page, deployment }) => {
  await open(page, '/');
  await says(page, 'Live');
  const same = await mark(page);
  await deployment.stop('SIGKILL');
  await says(page, 'Reconnecting');
  await expect(page.getByText(/^Stale since/)).toBeVisible({ timeout: 40_000 });
  await expect(page.getByText(/^Stale since/).locator('time')).toHaveAttribute('datetime', /^\d{4}-/);

  // Refused as a proxy would, the browser itself gives up: the page asks again.
  await page.route('**/api/v1/changes', (route) => route.fulfill({ status: 502 }));
  await deployment.start();
  for (let refused = 0; refused < 2; refused++) await page.waitForResponse((answer) => answer.status() === 502);
  await page.unroute('**/api/v1/changes');
  await says(page, 'Live');
  // What happened meanwhile is shown without being asked for.
  await deployment.sql(
    'metadata',
    `UPDATE version_registry SET status_message = 'changed while nobody heard' WHERE version_id = '${deployment.failed}'`,
  );
  await expect(page.getByText('changed while nobody heard')).toBeVisible({ timeout: 40_000 });
  expect(await same(), 'the page was not loaded again').toBe(true);
});

test('a hidden tab gives its stream back and takes it up where it was', async ({ page, deployment }) => {
  const release = await deployment.lock('graph');
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await hydrated(page);
  await expect(step(page, 5)).toContainText('running');
  await says(page, 'Live');
  const log = page.getByRole('region', { name: 'Log of the run' });
  const lines = () => log.locator('.line').count();

  const ended = page.waitForEvent('requestfailed', (request) => request.url().includes('/events'));
  await setHidden(page, true);
  await ended;
  await says(page, 'Paused while hidden');
  const before = await lines();
  await release();
  // The run goes on without a reader.
  await expect.poll(() => deployment.status(deployment.failed), { timeout: 40_000 }).toBe('rolled_back');
  expect(await lines()).toBe(before);

  const taken = page.waitForRequest((request) => request.url().includes('/events'));
  await setHidden(page, false);
  expect(new URL((await taken).url()).searchParams.get('after'), 'begins after what is known').not.toBe('0');
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });
  // Without gap, nothing twice.
  const all = await page.evaluate(async () => {
    const part = (await (await fetch('/api/v1/runs/1/log?limit=1000')).json()) as { lines: unknown[] };
    return part.lines.length;
  });
  await expect.poll(lines).toBe(all);
});

test('seven tabs over HTTP/1.1 are all live when they are looked at, and an eighth loads', async ({
  page,
  context,
  deployment,
}) => {
  const release = await deployment.lock('graph');
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await hydrated(page);
  const tabs = [page];
  while (tabs.length < 7) {
    const tab = await context.newPage();
    await lookAt(context, tab);
    await open(tab, tabs.length % 2 === 0 ? '/runs/1' : '/');
    await says(tab, 'Live');
    tabs.push(tab);
  }
  const protocols = await page.evaluate(() =>
    performance.getEntriesByType('navigation').map((e) => (e as PerformanceNavigationTiming).nextHopProtocol),
  );
  expect(protocols).toEqual(['http/1.1']);
  for (const tab of tabs) {
    await lookAt(context, tab);
    await says(tab, 'Live');
  }
  const eighth = await context.newPage();
  await lookAt(context, eighth);
  for (const [path, title] of [
    ['/versions', 'Versions'],
    ['/runs', 'Runs'],
    ['/backups', 'Backups'],
    ['/', 'Overview'],
  ] as const) {
    await open(eighth, path);
    await expect(heading(eighth)).toHaveText(title);
  }
  await release();
  for (const tab of tabs.filter((_, i) => i % 2 === 0)) {
    await lookAt(context, tab);
    await expect(tab.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 40_000 });
  }
});
