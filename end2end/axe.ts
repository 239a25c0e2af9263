// axe-core on a page as it stands, in light and dark, on a desktop and a phone.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';
import type { AxeResults } from 'axe-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };

export const SCREENS = { desktop: { width: 1280, height: 800 }, phone: { width: 375, height: 740 } };
export type Screen = keyof typeof SCREENS;

async function violations(page: Page, runOnly: object): Promise<string[]> {
  const results = await page.evaluate(
    (runOnly) =>
      (window as unknown as { axe: { run: (options: object) => Promise<AxeResults> } }).axe.run({
        runOnly,
        resultTypes: ['violations'],
        // Style sheets are the page's own: there is nothing to be fetched first.
        preload: false,
      }),
    runOnly,
  );
  return results.violations.flatMap((v) =>
    v.nodes.map((n) => `${v.id} (${v.impact}): ${n.target.join(' ')}: ${n.failureSummary?.split('\n')[1]?.trim()}`),
  );
}

/** Text that stands out less than 7:1 for who asks the system for more contrast, in light and dark. */
export async function faintText(page: Page, name: string): Promise<string[]> {
  const found: string[] = [];
  await page.evaluate(axe);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, contrast: 'more', reducedMotion: 'reduce' });
    const rules = { type: 'rule', values: ['color-contrast-enhanced'] };
    for (const v of await violations(page, rules)) found.push(`${name}, ${colorScheme}: ${v}`);
  }
  return found;
}

/** What axe has against the page, each with the name it is known by here. */
export async function axeViolations(
  page: Page,
  name: string,
  screens: Screen[] = ['desktop', 'phone'],
): Promise<string[]> {
  const found: string[] = [];
  // Not as a script of the page: its policy would refuse it.
  await page.evaluate(axe);
  for (const screen of screens) {
    await page.setViewportSize(SCREENS[screen]);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const v of await violations(page, RULES)) found.push(`${name}, ${screen}, ${colorScheme}: ${v}`);
    }
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  return found;
}
