// Pages stay true while they are looked at: what is read or filled in says that it is old, everything else is renewed.
import { expect, hydrated, open, startRollback, test } from './test.ts';

const OLD_LIST = 'This list has changed.';
const OLD_PLAN = 'This plan is no longer what is there.';

test('a list that is read says that it has changed, and shows it when asked to', async ({ page, deployment }) => {
  await open(page, '/versions');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: deployment.failed, exact: true }) });
  await expect(row).toContainText('validating_failed');
  await deployment.sql('metadata', `UPDATE version_registry SET status = 'cancelled' WHERE version_id = '${deployment.failed}'`);
  await expect(page.getByText(OLD_LIST)).toBeVisible({ timeout: 30_000 });
  // Nothing moved under the reader.
  await expect(row).toContainText('validating_failed');
  await page.getByRole('link', { name: 'Show what is new' }).click();
  await hydrated(page);
  await expect(row).toContainText('cancelled');
  await expect(page.getByText(OLD_LIST)).toBeHidden();
});

test('the list of runs says that another was started', async ({ page, context, deployment }) => {
  await open(page, '/runs');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  const other = await context.newPage();
  await open(other, deployment.version(deployment.failed, '/plan'));
  await startRollback(other, deployment.failed);
  await page.bringToFront();
  await expect(page.getByText(OLD_LIST)).toBeVisible({ timeout: 30_000 });
});

test('a plan that would be another one says so, and what was typed is kept', async ({ page, deployment }) => {
  await open(page, deployment.version(deployment.failed, '/plan'));
  await page.getByLabel('Reason').fill('Check 4 failed');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  await expect(page.getByText(OLD_PLAN)).toBeHidden();
  await deployment.sql(
    'metadata',
    'DELETE FROM chapter_metadata_staging WHERE rowid = (SELECT max(rowid) FROM chapter_metadata_staging)',
  );
  await expect(page.getByText(OLD_PLAN)).toBeVisible({ timeout: 40_000 });
  await expect(page.getByLabel('Reason')).toHaveValue('Check 4 failed');
  await page.getByRole('status').getByRole('link', { name: 'Plan again' }).click();
  await hydrated(page);
  await expect(page.getByText(OLD_PLAN)).toBeHidden();
  await expect(page.getByLabel('Reason')).toHaveValue('Check 4 failed');
});

test('a version’s page follows, and the focus stays where it was', async ({ page, deployment }) => {
  await open(page, deployment.version(deployment.failed));
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  const validate = page.getByRole('button', { name: 'Validate what is staged' });
  await validate.focus();
  await deployment.sql(
    'metadata',
    `UPDATE version_registry SET status = 'failed', status_message = 'By hand' WHERE version_id = '${deployment.failed}'`,
  );
  await expect(page.getByRole('main')).toContainText('By hand', { timeout: 30_000 });
  await expect(validate).toBeFocused();
});

test('the backups follow what others prove, and what was opened stays open', async ({ page, context }) => {
  await open(page, '/backups');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  const copy = page.getByRole('rowgroup', { name: 'v1_baseline', exact: true });
  await copy.getByText('Proofs and files').click();
  const other = await context.newPage();
  await open(other, '/backups');
  await other.getByRole('button', { name: 'Verify with trial restore: v1_baseline' }).click();
  await expect(other.getByText('v1_baseline was restored into a scratch place')).toBeVisible({ timeout: 30_000 });
  await page.bringToFront();
  await expect(copy.getByText('Last proven by a trial restore')).toBeVisible({ timeout: 30_000 });
});

test('a hidden page holds no connection and asks for nothing until it is looked at', async ({ page, deployment }) => {
  await open(page, '/versions');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  const look = (state: string) =>
    page.evaluate((state) => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
      document.dispatchEvent(new Event('visibilitychange'));
    }, state);
  await look('hidden');
  await expect(page.getByText('Paused while hidden', { exact: true })).toBeVisible();
  await deployment.sql('metadata', `UPDATE version_registry SET status = 'cancelled' WHERE version_id = '${deployment.failed}'`);
  await look('visible');
  await expect(page.getByText(OLD_LIST)).toBeVisible({ timeout: 30_000 });
});
