import { acknowledgements, expect, open, signIn, startRollback, step, test } from './test.ts';

test.describe('a step that fails', () => {
  test.beforeEach(async ({ page, deployment }) => {
    await deployment.refuseDeletions();
    await open(page, deployment.version(deployment.failed, '/plan'));
    await startRollback(page, deployment.failed);
    await expect(step(page, 5).getByRole('alert')).toBeVisible({ timeout: 30_000 });
  });

  test('stops the run and asks; tried again when the fault is gone, it goes on to its end', async ({ page, deployment }) => {
    const failed = step(page, 5);
    await expect(failed).toContainText('failed');
    await expect(failed.getByRole('alert')).toContainText('the graph is out of order');
    await expect(failed.getByRole('alert')).toContainText('Safe:');
    await expect(failed.getByRole('alert')).toContainText('What to do:');
    // Its siblings were let finish; nothing after it began.
    await expect(step(page, 3)).toContainText('done');
    await expect(step(page, 4)).toContainText('done');
    for (const number of [6, 7, 8]) await expect(step(page, number)).toContainText('not begun');
    await expect(page).toHaveTitle(/^needs a decision/);
    expect(await deployment.status(deployment.failed)).toBe('rolling_back');

    // Tried again while the fault lasts, it asks again.
    const retry = page.getByRole('button', { name: 'Try again' });
    await retry.click();
    await expect(page.getByRole('region', { name: 'Log of the run' }).getByText('the graph is out of order')).toHaveCount(2, { timeout: 30_000 });
    await expect(retry).toBeEnabled();

    await deployment.allowDeletions();
    await retry.click();
    await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });
    await expect(failed.getByRole('alert')).toHaveCount(0);
    expect((await deployment.counts()).stagedNodes).toBe(0);
    expect(await deployment.status(deployment.failed)).toBe('rolled_back');
  });

  test('aborted, leaves the version to be taken over', async ({ page, deployment }) => {
    const id = deployment.failed;
    // Its siblings have come to their end by then.
    await expect(page).toHaveTitle(/^needs a decision/);
    const before = await deployment.counts();
    const failed = step(page, 5);
    // The way out has the focus: whoever presses Enter twice has aborted nothing.
    const abort = failed.locator('summary').filter({ hasText: 'Abort…' });
    const cancel = failed.locator('details[open]').getByRole('button', { name: 'Cancel' });
    await abort.press('Enter');
    await expect(cancel).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(cancel).toBeHidden();
    await expect(abort).toBeFocused();
    await abort.click();
    await failed.getByLabel('Reason').fill('The graph needs its administrator');
    await page.keyboard.press('Control+Enter');
    await expect(page.getByText('Aborted. The version stays rolling_back.')).toBeVisible({ timeout: 30_000 });
    await expect(page).toHaveTitle(/^aborted/);
    expect(await deployment.status(id)).toBe('rolling_back');
    expect(await deployment.counts()).toEqual(before);

    await open(page, '/runs?state=aborted');
    await expect(page.getByRole('row').filter({ hasText: '#1' })).toContainText('Check 4 failed');
    await open(page, '/runs/1');
    await deployment.allowDeletions();
    await page.getByRole('link', { name: 'Plan the take-over' }).click();
    await expect(page.getByText('An earlier rollback of this version did not finish.')).toBeVisible();
    await startRollback(page, id, 'The graph works again');
    await expect(page).toHaveURL(/\/runs\/2$/);
    await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });
    for (const number of [3, 4]) await expect(step(page, number)).toContainText('already gone');
    await expect(step(page, 5)).toContainText('done');
    expect(await deployment.status(id)).toBe('rolled_back');
    expect((await deployment.counts()).stagedNodes).toBe(0);
  });

  test('skipped with a reason, the run goes on and its record says so', async ({ page, deployment }) => {
    const failed = step(page, 5);
    await failed.getByText('Skip…').click();
    await failed.getByRole('button', { name: /^Skip/ }).click();
    // Without a reason the browser refuses the form itself.
    await expect(page).toHaveTitle(/^needs a decision/);
    await failed.getByLabel('Why it is safe to skip').press('Meta+Enter');
    await expect(page.locator('form[data-busy]')).toHaveCount(0);
    await failed.getByLabel('Why it is safe to skip').fill('Deleted by hand with cypher-shell');
    await page.keyboard.press('Meta+Enter');
    await expect(page).toHaveTitle(/^completed/, { timeout: 30_000 });
    await expect(failed).toContainText('skipped');
    await expect(failed).toContainText('Deleted by hand with cypher-shell');
    expect((await deployment.counts()).stagedNodes).toBeGreaterThan(0);
    expect(await deployment.status(deployment.failed)).toBe('rolled_back');
  });

  test('is told as one story when the process is killed while it asks, and is done again when the run is resumed', async ({ page, deployment }) => {
    await expect(page).toHaveTitle(/^needs a decision/);
    // The wait is no work: it is counted apart.
    await expect(page.locator('.elapsed')).toContainText(', waiting for ');
    await page.goto('about:blank');
    await deployment.stop('SIGKILL');
    await deployment.allowDeletions();
    await deployment.start();

    await open(page, '/runs/1');
    const banner = page.locator('.run-result');
    await expect(banner).toContainText('The run was interrupted while it waited for a decision.');
    await expect(banner).toContainText(/Failed: step 5 \(.+\): .*the graph is out of order/);
    await expect(banner).toContainText('Nothing: no step was at work.');
    await expect(step(page, 5)).toContainText('failed');
    const log = page.getByRole('region', { name: 'Log of the run' });
    await expect(log).toContainText('step 5 had failed, and the run waited for a decision');

    await open(page, '/runs/1/resume');
    for (const box of await acknowledgements(page).all()) await box.check();
    await page.getByLabel('Reason').fill('The graph works again');
    await page.getByRole('button', { name: 'Resume run #1' }).click();
    await expect(banner).toContainText('Rolled back.', { timeout: 40_000 });
    await expect(banner).toContainText(/ of work; stood still for .+\./);
    await expect(step(page, 5)).toContainText('2 tries');
    expect((await deployment.counts()).stagedNodes).toBe(0);
  });
});

test('a second rollback is refused while one waits, and the page says which', { tag: '@desktop' }, async ({ page, deployment }) => {
  await deployment.refuseDeletions();
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible({ timeout: 30_000 });

  await open(page, '/');
  const banner = page.getByRole('region', { name: 'Active run' });
  await expect(banner).toContainText('needs a decision');
  await open(page, deployment.version('v22_minor_20261117_140652', '/plan'));
  await expect(page.getByText('This rollback cannot start.')).toBeVisible();
  await expect(page.getByRole('link', { name: /^To run #\d+$/ })).toBeVisible();
  await expect(page.getByRole('button', { name: /^Roll back/ })).toBeDisabled();
});

test('the log shows its warnings and errors alone, and a search that finds nothing says so', { tag: '@desktop' }, async ({ page, deployment }) => {
  await deployment.refuseDeletions();
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible({ timeout: 30_000 });
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('no such word');
  await page.getByRole('searchbox', { name: 'Search the log' }).press('Enter');
  await expect(page.getByText('Nothing in the log holds “no such word”.')).toBeVisible();

  const lines = page.getByRole('region', { name: 'Log of the run' }).locator('.line');
  const grave = page.getByRole('button', { name: 'Warnings and errors' });
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('');
  await expect(lines.first()).toContainText('run started by');
  await grave.click();
  await expect(lines.first()).toHaveText(/(Warning|Error): /);
  await expect(lines.filter({ hasNotText: /(Warning|Error): / })).toHaveCount(0);
  await expect(lines.filter({ hasText: 'the graph is out of order' })).not.toHaveCount(0);
  await grave.click();
  await expect(lines.first()).toContainText('run started by');
});

test.describe('for somebody who may only look', { tag: '@desktop' }, () => {
  test('no decision opens, and the reason is told', async ({ page, browser, deployment }) => {
    await deployment.refuseDeletions();
    await open(page, deployment.version(deployment.failed, '/plan'));
    await startRollback(page, deployment.failed);
    await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible({ timeout: 30_000 });
    const context = await browser.newContext({ baseURL: deployment.url });
    const viewer = await context.newPage();
    await signIn(viewer, 'viewer', '/runs/1');
    for (const name of ['Try again', 'Skip…', 'Abort…']) await expect(viewer.getByRole('button', { name })).toBeDisabled();
    await expect(viewer.getByRole('button', { name: 'Abort…' })).toHaveAccessibleDescription('Needs the role operator.');
    await context.close();
  });
});
