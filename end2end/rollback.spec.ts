import { acknowledgements, expect, heading, open, step, test } from './test.ts';

for (const layout of ['shared', 'per-version'] as const) {
  // What differs between the layouts is no matter of a thumb.
  test.describe(`${layout} layout`, { tag: layout === 'shared' ? [] : '@desktop' }, () => {
    test.use({ layout });

    test('a rollback from the overview to the history', async ({ page, deployment }) => {
      const id = deployment.failed;
      const before = await deployment.counts();
      expect(before.stagedPoints).toBeGreaterThan(0);
      expect(before.stagedNodes).toBeGreaterThan(0);

      await open(page, '/');
      await expect(page.getByRole('region', { name: 'Verdict' })).toContainText(id);
      // The verdict offers it only where something failed; the list of candidates always does.
      const place = layout === 'shared' ? 'Verdict' : 'Needs attention';
      await page.getByRole('region', { name: place }).getByRole('link', { name: /^Plan rollback of/ }).first().click();
      await expect(page).toHaveURL(deployment.url + deployment.version(id, '/plan'));

      await expect(heading(page)).toContainText(id);
      const goes = page.getByRole('main');
      await expect(goes).toContainText(`${before.stagedPoints.toLocaleString('en')} points`);
      await expect(goes).toContainText(`${before.stagedNodes.toLocaleString('en')} nodes`);

      // Nothing starts before everything asked for is given.
      const start = page.getByRole('button', { name: /^Roll back/ });
      const boxes = await acknowledgements(page).all();
      await expect(start).toBeDisabled();
      await page.getByLabel('Reason').fill('Check 4 failed: chunks are missing');
      await expect(start).toBeDisabled();
      await page.getByLabel('Type the version id').fill(id.slice(0, -1));
      for (const box of boxes) await box.check();
      await expect(start).toBeDisabled();
      await page.getByLabel('Type the version id').fill(id);
      await expect(start).toBeEnabled();
      if (boxes[0]) {
        await boxes[0].uncheck();
        await expect(start).toBeDisabled();
        await boxes[0].check();
      }
      await start.click();

      await expect(page).toHaveURL(/\/runs\/1$/, { timeout: 30_000 });
      await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });
      await expect(page).toHaveTitle(/^completed: run #1/);
      for (const number of [1, 2, 6, 8]) await expect(step(page, number)).toContainText('done');
      for (const number of [4, 5]) await expect(step(page, number)).toContainText('done');
      await expect(step(page, 3)).toContainText(before.stagingTables > 0 ? 'done' : 'already gone');
      await expect(step(page, 7)).toContainText('skipped');
      await expect(step(page, 7)).toContainText('production equals latest-copy');

      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Runs' }).click();
      const row = page.getByRole('row').filter({ hasText: '#1' });
      await expect(row).toContainText('completed');
      await expect(row).toContainText('Check 4 failed: chunks are missing');
      await row.getByRole('link', { name: id }).click();
      await expect(page).toHaveURL(deployment.url + deployment.version(id));
      await expect(page.getByRole('main')).toContainText('rolled_back');
      await expect(page.getByRole('link', { name: /^Plan/ })).toHaveCount(0);

      // The files themselves, read by another program.
      expect(await deployment.status(id)).toBe('rolled_back');
      const after = await deployment.counts();
      expect(after).toEqual({ ...before, stagingTables: 0, stagedPoints: 0, stagedNodes: 0 });
    });
  });
}
