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
    await expect(reader.getByText('Ended', { exact: true })).toBeVisible();
  }
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
  await release();
  await deployment.start();

  // Without being loaded again.
  await expect(page.getByText('Interrupted: Stepback ended in the middle of this run.')).toBeVisible({ timeout: 40_000 });
  await expect(page).toHaveTitle(/^interrupted/);
  await expect(step(page, 5)).toContainText('interrupted');
  await expect(step(page, 8)).toContainText('not begun');

  // What is proven and what is not known is said; what is left is planned anew and asks again.
  await expect(page.getByText('Proven done:')).toBeVisible();
  await expect(page.getByText('Not known:').locator('..')).toContainText('step 5');
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
