// The style guide shows every part in every state. axe and the narrow widths look at it with all other pages.
import { expect, test } from './test.ts';

test.describe('the style guide', () => {
  test.use({ as: 'viewer' });

  test('leads to each of its sections', async ({ page }) => {
    await page.goto('/styleguide');
    const sections = page.getByRole('navigation', { name: 'Sections' }).getByRole('link');
    expect(await sections.count()).toBeGreaterThan(10);
    for (const link of await sections.all()) {
      const name = (await link.innerText()).trim();
      await link.click();
      await expect(page.getByRole('region', { name, exact: true })).toBeInViewport();
    }
  });

  test('opens a dialog that keeps the focus and gives it back', async ({ page }) => {
    await page.goto('/styleguide');
    const opens = page.getByRole('button', { name: 'Open one above the page' });
    await opens.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'A dialog above the page' });
    await expect(dialog).toBeVisible();
    await expect(dialog.getByRole('button', { name: 'Close' })).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
    await expect(opens).toBeFocused();
  });
});
