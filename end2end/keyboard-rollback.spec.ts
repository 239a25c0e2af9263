// A whole rollback by keys alone: nothing is clicked, filled in or focused from outside.
import type { Locator, Page } from '@playwright/test';
import { acknowledgements, expect, heading, hydrated, open, test } from './test.ts';

/** Presses Tab until this has the focus, which must be seen on the way. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let pressed = 0; pressed < 120; pressed++) {
    await page.keyboard.press('Tab');
    // Looked up anew at each press: a page that follows what happens may have drawn it anew meanwhile.
    const [there, outlined] = await target.evaluate((wanted) => [
      document.activeElement === wanted,
      getComputedStyle(wanted).outlineStyle !== 'none',
    ]);
    if (there) {
      expect(outlined, `the focus on ${target} is seen`).toBe(true);
      await expect(target).toBeInViewport();
      return;
    }
  }
  throw new Error(`Tab does not lead to ${target}`);
}

test('a rollback from the overview to the history, by keyboard alone', async ({ page, deployment }) => {
  const id = deployment.failed;
  await deployment.refuseDeletions();
  await open(page, '/');
  await tabTo(page, page.getByRole('region', { name: 'Verdict' }).getByRole('link', { name: /^Plan rollback of/ }));
  await page.keyboard.press('Enter');
  await expect(heading(page)).toContainText(id);
  await hydrated(page);

  for (const box of await acknowledgements(page).all()) {
    await tabTo(page, box);
    await page.keyboard.press('Space');
    await expect(box).toBeChecked();
  }
  await tabTo(page, page.getByLabel('Reason'));
  await page.keyboard.type('Check 4 failed: chunks are missing');
  await tabTo(page, page.getByLabel('Type the version id'));
  await page.keyboard.type(id);
  await tabTo(page, page.getByRole('button', { name: /^Roll back/ }));
  await page.keyboard.press('Enter');

  // It asks on the way, and is answered by keys too.
  await expect(page).toHaveURL(/\/runs\/1$/, { timeout: 30_000 });
  await hydrated(page);
  const retry = page.getByRole('button', { name: 'Try again' });
  await expect(retry).toBeVisible({ timeout: 30_000 });
  await deployment.allowDeletions();
  await tabTo(page, retry);
  await page.keyboard.press('Enter');
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });

  // The page may have come anew after the answer, so the way begins at its top again.
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('dialog', { name: 'Go to' })).toBeVisible();
  await page.keyboard.press('Escape');
  await tabTo(page, page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Runs' }));
  await page.keyboard.press('Enter');
  await expect(heading(page)).toHaveText('Runs');
  await hydrated(page);
  const row = page.getByRole('row').filter({ hasText: '#1' });
  await expect(row).toContainText('completed');
  await expect(row).toContainText('Check 4 failed: chunks are missing');
  // J goes to the first row, Enter opens it.
  await page.keyboard.press('j');
  await expect(row.getByRole('link').first()).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/runs\/1$/);
  await hydrated(page);
  await tabTo(page, page.getByRole('link', { name: /report/i }).first());
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/runs\/1\/report$/);
  await hydrated(page);
  expect(await deployment.status(id)).toBe('rolled_back');
});
