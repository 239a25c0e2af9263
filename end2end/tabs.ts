// Tabs that are really hidden while another is looked at.
import type { BrowserContext, Page } from '@playwright/test';

/** Tells a page whether it is looked at, as a browser with a window does: headless pages never are hidden by themselves. */
export async function setHidden(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'visibilityState', {
      configurable: true,
      get: () => (hidden ? 'hidden' : 'visible'),
    });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}

/** Looks at this tab of the context and at no other. */
export async function lookAt(context: BrowserContext, page: Page): Promise<void> {
  for (const other of context.pages()) if (other !== page) await setHidden(other, true);
  await page.bringToFront();
  await setHidden(page, false);
}
