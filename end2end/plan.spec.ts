import { acknowledgements, expect, hydrated, open, startRollback, step, test } from './test.ts';

test.use({ expectedErrors: /status of 409 \(Conflict\)/ });

test('a plan that went stale starts nothing and shows the difference', async ({ page, deployment }) => {
  const id = deployment.failed;
  await open(page, deployment.version(id, '/plan'));
  for (const box of await acknowledgements(page).all()) await box.check();
  await page.getByLabel('Reason').fill('Check 4 failed');
  await page.getByLabel('Type the version id').fill(id);
  await deployment.sql('metadata', 'DELETE FROM chapter_metadata_staging WHERE id = (SELECT min(id) FROM chapter_metadata_staging)');
  await page.getByRole('button', { name: /^Roll back/ }).click();

  const alert = page.getByRole('alert');
  await expect(alert).toContainText('Nothing was started');
  await expect(alert.getByRole('row').filter({ hasText: '18' }).filter({ hasText: '17' }).first()).toBeVisible();
  await expect(page.getByRole('main')).toContainText('17 rows');
  await expect(page.getByLabel('Type the version id')).toHaveValue('');
  await expect(page.getByRole('button', { name: /^Roll back/ })).toBeDisabled();
  expect(await deployment.status(id)).toBe('validating_failed');

  // Read and confirmed again, it starts.
  await startRollback(page, id);
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });
});

test.describe('production that differs from latest-copy', () => {
  test.use({ contaminated: true });

  test('is restored as the evidence recommends, unless a person chooses otherwise', async ({ page, deployment }) => {
    const id = deployment.failed;
    await open(page, deployment.version(id, '/plan'));
    const restore = page.getByRole('region', { name: 'Restore from latest-copy?' });
    const box = (store: string) => restore.getByRole('checkbox', { name: `Restore ${store}` });
    await expect(restore.getByRole('row').filter({ hasText: 'differs' }).first()).toContainText(/\d/);
    await expect(restore).toContainText('way back, about');
    for (const store of ['SQLite', 'Qdrant', 'Neo4j']) await expect(box(store)).toBeChecked();
    const asked = await acknowledgements(page).count();

    // Another choice is another plan, with an address of its own and something more to be seen.
    await box('Neo4j').uncheck();
    await expect(page).toHaveURL(/\?restore=sqlite&restore=qdrant$/);
    // What others have staged in the graph stays now; that production stays different is asked instead.
    await expect(acknowledgements(page)).toHaveCount(asked);
    await expect(restore).toContainText('production differs and stays so');
    await page.reload();
    await hydrated(page);
    await expect(box('Neo4j')).not.toBeChecked();
    await expect(box('SQLite')).toBeChecked();
    for (const store of ['SQLite', 'Qdrant']) {
      await box(store).uncheck();
      await expect(page).toHaveURL(store === 'SQLite' ? /\?restore=qdrant$/ : /\?restore=none$/);
    }
    await expect(restore).toContainText('restores nothing');
    expect(await deployment.status(id)).toBe('validating_failed');

    // What is chosen is what is started: nothing is restored, and the run says so.
    await expect(acknowledgements(page)).toHaveCount(asked + 2);
    await startRollback(page, id);
    await expect(page).toHaveTitle(/^completed/, { timeout: 30_000 });
    await expect(step(page, 7)).toContainText('skipped');
    await expect(page.getByRole('region', { name: 'Way back' })).toHaveCount(0);
  });
});

test('on a phone the way to the confirmation stays in sight until it is', async ({ page, deployment }) => {
  await page.setViewportSize({ width: 375, height: 740 });
  await open(page, deployment.version(deployment.failed, '/plan'));
  const way = page.getByRole('link', { name: 'Go to the confirmation' });
  await expect(way).toBeInViewport();
  await way.click();
  await expect(page.getByLabel('Type the version id')).toBeInViewport();
  await expect(way).not.toBeInViewport();
});
