import { expect, heading, open, startRollback, startRun, step, test } from './test.ts';

test.describe('contaminated production', () => {
  test.use({ contaminated: true });

  test('is restored by the rollback, validated, and the restore can be undone', async ({ page, deployment }) => {
    test.setTimeout(120_000);
    const id = deployment.failed;
    const before = await deployment.counts();
    await open(page, deployment.version(id, '/plan'));
    await startRollback(page, id);
    await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 40_000 });
    for (const lane of ['restore_sqlite', 'restore_qdrant', 'restore_neo4j']) {
      await expect(page.locator('.lane').filter({ has: page.locator(`#step-${lane}`) })).toContainText('done');
    }
    const restored = await deployment.counts();
    expect(restored.points).not.toBe(before.points);
    expect(restored.nodes).not.toBe(before.nodes);

    const validation = page.getByRole('region', { name: 'Validation' });
    await expect(validation).toContainText('All checks passed');
    await expect(validation.getByRole('listitem')).toHaveCount(8);

    // The way back, from the run's page and from that of the backups.
    await expect(page.getByRole('region', { name: 'Way back' })).toContainText(/Size\s*\d/);
    await open(page, '/backups');
    await page.getByRole('region', { name: 'Ways back' }).getByRole('link', { name: 'Undo this restore…: run #1' }).click();
    await expect(heading(page)).toContainText('Undo the restore of run #1');
    await startRun(page, 'run-1');
    await expect(page.getByText(/^The restore is undone/)).toBeVisible({ timeout: 40_000 });
    const undone = await deployment.counts();
    expect({ points: undone.points, nodes: undone.nodes }).toEqual({ points: before.points, nodes: before.nodes });

    // What was put back is as wrong as it was: the validation says so, and where to go.
    await expect(page.getByRole('region', { name: 'Validation' })).toContainText('Critical checks failed');
    await page.getByRole('link', { name: 'Restore production…' }).click();
    await expect(page).toHaveURL(/\/restore\/latest-copy$/);
    await startRun(page, 'latest-copy');
    await expect(page.getByText('Production is restored.', { exact: true })).toBeVisible({ timeout: 40_000 });
    const again = await deployment.counts();
    expect({ points: again.points, nodes: again.nodes }).toEqual({ points: restored.points, nodes: restored.nodes });

    await open(page, '/runs');
    for (const [run, kind] of [['#1', 'Rollback'], ['#2', 'Undo a restore'], ['#3', 'Restore production']] as const) {
      await expect(page.getByRole('row', { name: new RegExp(`^${run} `) })).toContainText(kind);
    }
  });

  test('is validated by one press: what is wrong is named, and all of it can be had as a file', async ({ page }) => {
    await open(page, '/');
    await page.getByRole('button', { name: 'Validate production' }).click();
    await expect(page).toHaveURL(/\/runs\/1$/, { timeout: 30_000 });
    await expect(heading(page)).toContainText('Validation of production');
    await expect(page.getByText('Validated: something was found.')).toBeVisible({ timeout: 30_000 });
    const validation = page.getByRole('region', { name: 'Validation' });
    await expect(validation).toContainText('Critical checks failed');
    const missing = validation.getByRole('group').filter({ hasText: /chunk ids? missing in Neo4j/ });
    await missing.locator('summary').click();
    const samples = await missing.getByRole('listitem').allTextContents();
    expect(samples.length).toBeGreaterThan(0);
    const file = page.waitForEvent('download');
    await missing.getByRole('link', { name: /as a file$/ }).click();
    const stream = await (await file).createReadStream();
    const text = (await stream.toArray()).join('');
    for (const id of samples) expect(text).toContain(id);
  });
});

test('what a version has staged is validated from its page', async ({ page, deployment }) => {
  await open(page, deployment.version(deployment.failed));
  await page.getByRole('button', { name: 'Validate what is staged' }).click();
  await expect(page).toHaveURL(/\/runs\/1$/, { timeout: 30_000 });
  await expect(page.getByRole('region', { name: 'Validation' })).toContainText('has staged was looked at', { timeout: 30_000 });
  expect(await deployment.status(deployment.failed)).toBe('validating_failed');
});

test('disaster recovery spells out by name what is lost, and wants the baseline’s name', async ({ page, deployment }) => {
  const before = await deployment.counts();
  const lost = await deployment.sql(
    'metadata',
    "SELECT version_id FROM version_registry WHERE status IN ('committed', 'in_use', 'restored') AND version_id <> 'v1_baseline'",
  );
  expect(lost.length).toBeGreaterThan(0);
  await open(page, '/backups');
  await page.getByRole('link', { name: 'Restore production from this…: v1_baseline' }).click();
  await expect(heading(page)).toContainText('Disaster recovery');
  const losses = page.getByRole('region', { name: 'What is lost' });
  for (const id of lost) await expect(losses).toContainText(id);
  const start = page.locator('#confirm').getByRole('button');
  await page.getByLabel('Reason').fill('Nothing else is left');
  for (const box of await page.getByRole('checkbox', { name: /^I have seen/ }).all()) await box.check();
  await page.getByLabel('Type the name of the backup').fill('latest-copy');
  await expect(start).toBeDisabled();
  await page.getByLabel('Type the name of the backup').fill('v1_baseline');
  await expect(start).toBeEnabled();
  expect(await deployment.counts()).toEqual(before);
});

test('production that equals latest-copy has nothing to restore', async ({ page }) => {
  await open(page, '/restore/latest-copy');
  await expect(page.getByText('This restore cannot start.')).toBeVisible();
  await expect(page.getByRole('main')).toContainText('there is nothing to restore');
  await expect(page.locator('main button.danger')).toBeDisabled();
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false, contaminated: true, expectedErrors: /status of 404/ });

  test('stores are chosen, restored and put back by plain forms', async ({ page, deployment }) => {
    test.setTimeout(120_000);
    const before = await deployment.counts();
    await page.goto('/restore/latest-copy');
    // A box does nothing without a script, so it cannot be ticked; a link plans anew.
    await expect(page.getByRole('checkbox', { name: 'Restore Neo4j' })).toBeDisabled();
    await page.getByRole('link', { name: 'Leave Neo4j out' }).click();
    await expect(page).toHaveURL(/restore=sqlite/);
    await expect(page.getByRole('checkbox', { name: 'Restore Neo4j' })).not.toBeChecked();
    await startRun(page, 'latest-copy');
    await expect(page.locator('.run-result')).toContainText('Production is restored', { timeout: 40_000 });
    await expect(page.locator('.lane').filter({ has: page.locator('#step-restore_neo4j') })).toContainText('skipped');
    await expect(step(page, 6)).toContainText('done');
    const after = await deployment.counts();
    expect(after.points).not.toBe(before.points);
    expect(after.nodes).toBe(before.nodes);

    // A way back goes only when its run's number is typed.
    await page.goto('/backups');
    const ways = page.getByRole('region', { name: 'Ways back' });
    await ways.getByText('Remove…').click();
    await ways.getByLabel('Type the run’s number, 1').fill('2');
    await ways.getByRole('button', { name: 'Remove the way back of run #1' }).click();
    await expect(page.getByRole('alert')).toContainText('stays');
    await page.goto('/runs/1/undo');
    await expect(heading(page)).toContainText('run #1');
    await page.goto('/backups');
    await ways.getByText('Remove…').click();
    await ways.getByLabel('Type the run’s number, 1').fill('1');
    await ways.getByRole('button', { name: 'Remove the way back of run #1' }).click();
    await expect(page.getByText('No way back is kept.')).toBeVisible();
    expect((await page.goto('/runs/1/undo'))?.status()).toBe(404);
    await expect(page.getByText('There is nothing to undo.')).toBeVisible();
  });

  test('production is validated and a backup verified by plain forms', async ({ page }) => {
    await page.goto('/');
    await page.getByRole('button', { name: 'Validate production' }).click();
    await expect(page).toHaveURL(/\/runs\/1$/);
    await expect(page.getByRole('region', { name: 'Validation' })).toContainText('Critical checks failed', { timeout: 30_000 });
    await page.goto('/backups');
    await page.getByRole('button', { name: 'Verify with trial restore: v1_baseline' }).click();
    await expect(page).toHaveURL(/\/backups/);
    await expect(page.getByRole('rowgroup', { name: 'v1_baseline', exact: true })).toContainText('Last proven by a trial restore');
  });
});
