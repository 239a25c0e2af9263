import { acknowledgements, expect, heading, hydrated, open, startRollback, step, test } from './test.ts';

test.use({ expectedErrors: /ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE)/ });

test('a page loaded again in the middle goes on live', async ({ page, context, deployment }) => {
  const release = await deployment.lock('graph');
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await expect(step(page, 4)).toContainText('done', { timeout: 30_000 });
  await expect(step(page, 5)).toContainText('running');

  await page.reload();
  await hydrated(page);
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  await expect(step(page, 5)).toContainText('running');
  // A second reader sees the same.
  const other = await context.newPage();
  await open(other, '/runs/1');

  await release();
  for (const reader of [page, other]) {
    await reader.bringToFront();
    await expect(reader.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 40_000 });
    await expect(reader.getByText('At rest', { exact: true })).toBeVisible();
  }
});

test('the tab tells how the run stands, also when it is not looked at', { tag: '@desktop' }, async ({ page, deployment }) => {
  // A notification is only counted: the machine of a test shows none.
  await page.addInitScript(() => {
    const told: string[] = [];
    const Notification = Object.assign(function (text: string) { told.push(text); }, {
      permission: 'default',
      requestPermission: async () => (Notification.permission = 'granted'),
    });
    Object.assign(window, { Notification, told });
  });
  const icon = () => page.locator('link[rel=icon]').getAttribute('href');
  const release = await deployment.lock('graph');
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await expect(step(page, 5)).toContainText('running');
  await expect.poll(icon).toBe('/favicon-running.svg');
  await page.getByRole('button', { name: 'Notify me when it ends' }).click();
  // It says what came of it, and keeps the focus.
  await expect(page.getByRole('button', { name: 'You will be notified' })).toBeFocused();

  // Headless pages never are hidden by themselves.
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await expect(page.getByText('Paused while hidden', { exact: true })).toBeVisible();
  await release();
  await expect.poll(() => page.evaluate(() => (window as unknown as { told: string[] }).told), { timeout: 60_000 })
    .toEqual(['Run #1: completed']);
  await expect(page).toHaveTitle(/^completed/);
  await expect.poll(icon).toBe('/favicon-done.svg');
  for (const name of ['running', 'attention', 'done', 'failed']) {
    const answer = await page.request.get(`/favicon-${name}.svg`);
    expect([answer.status(), answer.headers()['content-type']]).toEqual([200, 'image/svg+xml']);
  }
  await page.getByRole('link', { name: 'Overview' }).click();
  await expect(heading(page)).toHaveText('Overview');
  expect(await icon()).toBe('/favicon.svg');
});

test('without a line the overview claims nothing of now, and says so to those who do not see it too', async ({
  page,
  deployment,
}) => {
  await open(page, '/');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  const verdict = page.getByRole('region', { name: 'Verdict' });
  const told = page.getByText('The line to Stepback is lost.', { exact: true });
  await expect(verdict).toHaveCSS('filter', 'none');
  await expect(told).toBeHidden();

  await deployment.stop('SIGKILL');
  await expect(page.getByText('Reconnecting', { exact: true })).toBeVisible({ timeout: 30_000 });
  await expect(verdict).toHaveCSS('filter', 'grayscale(1)');
  await expect(told).toBeVisible({ timeout: 40_000 });
  const said = page.getByRole('status').filter({ hasText: 'The line to Stepback is' });
  await expect(said).toHaveText('The line to Stepback is lost: what is shown may be old.');

  await deployment.start();
  await expect(page.getByText('Live', { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(said).toHaveText('The line to Stepback is back.');
  await expect(told).toBeHidden();
  await expect(verdict).toHaveCSS('filter', 'none');
});

test('a server that ends in the middle: the page says so, and the run is interrupted, not running', async ({
  page,
  deployment,
}) => {
  const id = deployment.failed;
  const release = await deployment.lock('graph');
  await open(page, deployment.version(id, '/plan'));
  await startRollback(page, id);
  await expect(step(page, 4)).toContainText('done', { timeout: 30_000 });
  await expect(page.getByText('Live', { exact: true })).toBeVisible();

  await deployment.stop('SIGKILL');
  await expect(page.getByText('Reconnecting', { exact: true })).toBeVisible({ timeout: 30_000 });
  // From that moment on nothing is claimed of now.
  await expect(page.getByText('line lost, last known: running', { exact: true })).toBeVisible();
  await expect(page).toHaveTitle(/^line lost, last known: running/);
  await expect(page.getByText('The line is lost: this chart stands as it was then')).toBeVisible();
  await release();
  await deployment.start();

  // Without being loaded again.
  await expect(page.getByText('The run was interrupted in the middle.')).toBeVisible({ timeout: 40_000 });
  await expect(page).toHaveTitle(/^interrupted/);
  await expect(step(page, 5)).toContainText('interrupted');
  await expect(step(page, 8)).toContainText('not begun');

  // What is proven and what is not known is said; what is left is planned anew and asks again.
  await expect(page.getByText('Proven done:', { exact: true })).toBeVisible();
  await expect(page.getByText('Not known:', { exact: true }).locator('..')).toContainText('step 5');
  await page.getByRole('link', { name: 'Resume…' }).click();
  await expect(heading(page)).toContainText('Resume run #1');
  const resume = page.getByRole('button', { name: 'Resume run #1' });
  await expect(resume).toBeDisabled();
  for (const box of await acknowledgements(page).all()) await box.check();
  await page.getByLabel('Reason').fill('The server is back');
  await resume.click();
  await expect(page).toHaveURL(/\/runs\/1$/, { timeout: 30_000 });
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 40_000 });
  expect(await deployment.status(id)).toBe('rolled_back');
  expect((await deployment.counts()).stagedNodes).toBe(0);
});
