import { appendFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, heading, open, startRollback, startRun, test } from './test.ts';

test('a backup is proven by a press, up to a trial restore', async ({ page }) => {
  await open(page, '/backups');
  const card = page.getByRole('rowgroup', { name: 'v1_baseline', exact: true });
  await expect(card).toContainText('Not proven by a trial restore');
  await card.getByRole('button', { name: 'Verify: v1_baseline' }).click();
  await expect(card).toContainText('2 of the last 2 looks', { timeout: 30_000 });
  await card.getByRole('button', { name: 'Verify with trial restore: v1_baseline' }).click();
  await expect(card).toContainText('Last proven by a trial restore', { timeout: 30_000 });

  await card.getByText('Proofs and files').click();
  await card.getByText('looks found it intact').click();
  await expect(card.getByRole('region', { name: 'Earlier looks' }).getByRole('row').nth(1)).toContainText('with a trial');
  await card.getByText('What was seen on each rung').click();
  const trials = card.getByRole('region', { name: 'Rungs of v1_baseline' }).getByRole('row').filter({ hasText: 'Trial restore' });
  await expect(trials).toHaveCount(3);
  for (const row of await trials.all()) await expect(row).toContainText('proven');
});

test('a damaged backup names its lowest failing rung, and nothing is restored from it', async ({ page, deployment }) => {
  const folder = join(deployment.folder, 'backups', 'latest-copy');
  const [graph] = (await readdir(folder)).filter((name) => name.endsWith('.cypher'));
  await appendFile(join(folder, graph ?? ''), 'CREATE (n');
  await open(page, '/backups');
  const card = page.getByRole('rowgroup', { name: 'latest-copy', exact: true });
  await card.getByRole('button', { name: 'Verify: latest-copy' }).click();
  await expect(card).toContainText('Neo4j fails at “SHA-256”: ', { timeout: 30_000 });
  await expect(card.getByRole('img', { name: 'latest-copy: Neo4j failed at SHA-256' })).toBeVisible();
  await expect(card).toContainText('What to do:');
  await expect(card.getByRole('link', { name: /^Restore production/ })).toHaveCount(0);
  await open(page, '/restore/latest-copy');
  await expect(page.getByText('This restore cannot start.')).toBeVisible();
});

test('a new latest-copy is made from production once nothing is staged, proven and swapped in', async ({ page, deployment }) => {
  test.setTimeout(120_000);
  const backups = join(deployment.folder, 'backups');
  const before = await readdir(backups);
  await open(page, '/backups');
  await page.getByRole('link', { name: 'Make a new latest-copy…' }).click();
  await expect(heading(page)).toContainText('Make a new latest-copy');
  await expect(page.getByText('This backup cannot start.')).toBeVisible();
  await expect(page.getByRole('main')).toContainText('nodes are staged in Neo4j');

  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 40_000 });
  await open(page, '/backups/new');
  // Production is not changed: no name is typed for it.
  await startRun(page, undefined);
  await expect(page.getByText('The new backup is in place.')).toBeVisible({ timeout: 40_000 });
  const after = await readdir(backups);
  expect(after.length, 'the old one is kept').toBe(before.length + 1);
  await open(page, '/backups');
  const card = page.getByRole('rowgroup', { name: 'latest-copy', exact: true });
  await expect(card).toContainText('All three files exist, match their checksums');
  await card.getByRole('button', { name: 'Verify with trial restore: latest-copy' }).click();
  await expect(card).toContainText('Last proven by a trial restore', { timeout: 30_000 });
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('files that took others’ places are not trusted without a reason, and the field says so', async ({ page, deployment }) => {
      const folder = join(deployment.folder, 'backups', 'latest-copy');
      const [graph] = (await readdir(folder)).filter((name) => name.endsWith('.cypher'));
      await rm(join(folder, 'checksums.txt'));
      await page.goto('/backups');
      const card = page.getByRole('rowgroup', { name: 'latest-copy', exact: true });
      await card.getByRole('button', { name: 'Verify: latest-copy' }).click();
      await expect(page.getByText('latest-copy was read again')).toBeVisible({ timeout: 30_000 });
      await appendFile(join(folder, graph ?? ''), '// made again\n');
      await card.getByRole('button', { name: 'Verify: latest-copy' }).click();
      await expect(card).toContainText('replaced', { timeout: 30_000 });
      await card.getByText('Trust the replaced files…').click();
      const reason = card.getByLabel('Reason');
      await card.getByRole('button', { name: /^Trust these files/ }).click();
      await expect(page).toHaveURL(/\/backups/);
      await expect(reason).toHaveAccessibleDescription(/3 to 500/);
      await expect(reason).toHaveAttribute('aria-invalid', 'true');
      await expect(card).toContainText('replaced');
      await reason.fill('exported anew');
      await card.getByRole('button', { name: /^Trust these files/ }).click();
      await expect(page.getByText('The files of latest-copy are trusted as they are now.')).toBeVisible({ timeout: 30_000 });
    });
  });
}
