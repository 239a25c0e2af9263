// By keyboard: where the focus goes, and that it is seen. What axe says of every page is in every-page.spec.ts.
import { expect, heading, open, test } from './test.ts';

test('by keyboard: the way to the content comes first, and the focus is seen everywhere', async ({ page, deployment }) => {
  await open(page, deployment.version(deployment.failed, '/plan'));
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Skip to the content' });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main')).toBeFocused();

  const seen: string[] = [];
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab');
    const focus = await page.evaluate(() => {
      const e = document.activeElement;
      if (!e || e === document.body) return null;
      const style = getComputedStyle(e);
      const outline = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
      const box = e.getBoundingClientRect();
      return {
        what: `${e.tagName} ${(e.textContent ?? '').trim().slice(0, 40) || e.id}`,
        shown: (outline || style.boxShadow !== 'none') && box.width > 0 && box.bottom > 0 && box.top < innerHeight,
      };
    });
    if (!focus) break;
    expect(focus.shown, `the focus on ${focus.what} is not seen`).toBe(true);
    seen.push(focus.what);
  }
  expect(seen.some((s) => s.includes('Cancel'))).toBe(true);
});

for (const command of ['Control', 'Meta']) {
  test(`a rollback can be started without a mouse, and ${command}+Enter starts none that is not confirmed`, async ({
    page,
    deployment,
  }) => {
    await open(page, deployment.version(deployment.failed, '/plan'));
    await page.getByRole('checkbox', { name: /^I have seen/ }).focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.type('Check 4 failed');
    await page.keyboard.press(`${command}+Enter`);
    await page.keyboard.press('Tab');
    await page.keyboard.type(deployment.failed.slice(0, -1));
    await page.keyboard.press(`${command}+Enter`);
    await page.keyboard.type(deployment.failed.slice(-1));
    // Had one of them sent it, the button would be shut while it is on its way, or this page gone.
    await expect(page.getByRole('button', { name: /^Roll back/ })).toBeEnabled();
    await expect(page.locator('form[data-busy]')).toHaveCount(0);
    await page.keyboard.press(`${command}+Enter`);
    await expect(page).toHaveURL(/\/runs\/1$/, { timeout: 30_000 });
    await expect(heading(page)).toContainText(deployment.failed);
    await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });
  });
}
