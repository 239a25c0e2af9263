import { acknowledgements, expect, open, startRollback, test } from './test.ts';

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

  test('forbids the start, with the evidence', async ({ page, deployment }) => {
    const before = await deployment.counts();
    await open(page, deployment.version(deployment.failed, '/plan'));
    await expect(page.getByText('This rollback cannot start.')).toBeVisible();
    const restore = page.getByRole('region', { name: 'Restore from latest-copy?' });
    await expect(restore).toContainText('production differs');
    await expect(restore.getByRole('row').filter({ hasText: 'differs' }).first()).toContainText(/\d/);
    await expect(page.getByRole('button', { name: /^Roll back/ })).toBeDisabled();
    await expect(page.getByLabel('Type the version id')).toHaveCount(0);
    expect(await deployment.counts()).toEqual(before);
    expect(await deployment.status(deployment.failed)).toBe('validating_failed');
  });
});
