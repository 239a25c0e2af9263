// Pages stay true while they are looked at: what is read or filled in says that it is old, everything else is renewed.
import type { Page } from '@playwright/test';
import { acknowledgements, expect, hydrated, open, startRollback, test } from './test.ts';

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

test('a plan that is old cannot be confirmed: the page says so, what changed, and plans again', async ({ page, context, deployment }) => {
  test.setTimeout(180_000);
  const plan = deployment.version(deployment.failed, '/plan');
  await open(page, plan);
  await page.getByLabel('Reason').fill('Check 4 failed');
  await page.getByLabel('Type the version id').fill(deployment.failed);
  for (const box of await acknowledgements(page).all()) await box.check();
  const start = page.locator('#confirm').getByRole('button', { name: /^Roll back/ });
  await expect(start).toBeEnabled();
  await expect(page.locator('#plan-standing')).toContainText('can start');
  await expect(page.getByRole('link', { name: 'Plan again, and see what changed' })).toBeHidden();
  await deployment.sql(
    'metadata',
    'DELETE FROM chapter_metadata_staging WHERE rowid = (SELECT max(rowid) FROM chapter_metadata_staging)',
  );
  await expect(start).toBeDisabled({ timeout: 40_000 });
  await expect(page.locator('#start-hint')).toContainText('plan again before you confirm');
  await expect(page.locator('#plan-standing')).toBeHidden();
  const changed = page.getByRole('region', { name: 'What changed since you read the plan' });
  await expect(changed.getByRole('region', { name: 'What changed', exact: true })).toBeVisible();
  // Nothing that is typed makes it another plan.
  await page.getByLabel('Reason').fill('Check 4 failed, and more');
  await expect(start).toBeDisabled();
  await page.getByRole('link', { name: 'Plan again, and see what changed' }).click();
  await hydrated(page);
  await expect(page).toHaveURL((url) => url.pathname === new URL(plan, deployment.url).pathname && !url.search.includes('read='));
  await expect(changed).toBeVisible();
  await expect(page.getByLabel('Reason')).toHaveValue('Check 4 failed, and more');
  await page.getByLabel('Type the version id').fill(deployment.failed);
  for (const box of await acknowledgements(page).all()) await box.check();
  await expect(start).toBeEnabled();

  // Another run takes the floor: the open plan offers nothing any more, and leads there.
  const other = await context.newPage();
  const release = await deployment.lock('graph');
  await open(other, plan);
  await startRollback(other, deployment.failed);
  await page.bringToFront();
  await expect(start).toBeDisabled({ timeout: 40_000 });
  // It may have been planned once more before the run was in the journal.
  await expect(page.getByRole('link', { name: 'To run #1' })).toBeVisible({ timeout: 45_000 });
  await expect(page.getByText('This rollback cannot start.')).toBeVisible();
  await release();
});

/** What the overview says is changed, and the page has asked for it anew. */
async function renewed(page: Page, change: () => Promise<unknown>): Promise<void> {
  const answer = page.waitForResponse((r) => new URL(r.url()).pathname === '/' && r.request().resourceType() === 'fetch', {
    timeout: 40_000,
  });
  await change();
  await (await answer).finished();
  // It is shown, or held back, by the next time that the page is drawn.
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(drawn)))));
}

test('a press that began before the overview was drawn anew is a click, and what is new comes after it', async ({ page, deployment }) => {
  const say = (words: string) =>
    deployment.sql('metadata', `UPDATE version_registry SET status_message = '${words}' WHERE version_id = '${deployment.failed}'`);
  await open(page, '/');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  const main = page.getByRole('main');
  // Pressed where nothing leads away: the new words wait for the release, and come then.
  await page.getByRole('heading', { name: 'Needs attention' }).hover();
  await page.mouse.down();
  await renewed(page, () => say('Said while it was pressed'));
  await expect(main).not.toContainText('Said while it was pressed');
  await page.mouse.up();
  await expect(main).toContainText('Said while it was pressed');
  // Marked text stays marked.
  const words = page.getByText('Said while it was pressed');
  await words.selectText();
  await renewed(page, () => say('Said while it was marked'));
  expect(await page.evaluate(() => getSelection()?.toString())).toContain('Said while it was pressed');
  await page.evaluate(() => getSelection()?.removeAllRanges());
  await expect(main).toContainText('Said while it was marked');
  // A link: the click arrives.
  await page.getByRole('main').getByRole('link', { name: /^Plan rollback/ }).first().hover();
  await page.mouse.down();
  await renewed(page, () => say('Said while a link was pressed'));
  await page.mouse.up();
  await expect(page).toHaveURL(/\/plan$/);
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
