import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';
import type { AxeResults } from 'axe-core';
import { gates, placesWithRuns } from './places.ts';
import { expect, heading, open, startRollback, startRun, test } from './test.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const SCREENS = { desktop: { width: 1280, height: 800 }, phone: { width: 375, height: 740 } };

async function violations(page: Page): Promise<string[]> {
  const results = await page.evaluate(
    (tags) =>
      (window as unknown as { axe: { run: (options: object) => Promise<AxeResults> } }).axe.run({
        runOnly: { type: 'tag', values: tags },
        resultTypes: ['violations'],
      }),
    TAGS,
  );
  return results.violations.flatMap((v) =>
    v.nodes.map((n) => `${v.id} (${v.impact}): ${n.target.join(' ')}: ${n.failureSummary?.split('\n')[1]?.trim()}`),
  );
}

async function look(page: Page, name: string, path: string, screens: (keyof typeof SCREENS)[], found: string[]) {
  await open(page, path);
  // Not as a script of the page: its policy would refuse it.
  await page.evaluate(axe);
  for (const screen of screens) {
    await page.setViewportSize(SCREENS[screen]);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const v of await violations(page)) found.push(`${name}, ${screen}, ${colorScheme}: ${v}`);
    }
  }
}

test.describe('axe finds nothing', () => {
  test.use({ expectedErrors: /status of 404/ });

  test('on any page, light and dark, desktop and phone', async ({ context, page, deployment }) => {
    test.setTimeout(180_000);
    const found: string[] = [];
    for (const [name, path] of Object.entries({ ...(await placesWithRuns(context, deployment)), ...gates })) {
      await look(page, name, path, ['desktop', 'phone'], found);
    }
    expect(found).toEqual([]);
  });

  test('in the list of keys and in the palette', async ({ page }) => {
    const found: string[] = [];
    for (const [key, name] of [['?', 'Keyboard'], ['Control+k', 'Go to']] as const) {
      await open(page, '/');
      await page.evaluate(axe);
      await page.keyboard.press(key);
      await expect(page.getByRole('dialog', { name })).toBeVisible();
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        for (const v of await violations(page)) found.push(`${name}, ${colorScheme}: ${v}`);
      }
    }
    expect(found).toEqual([]);
  });

  test('while a deployment is being connected, with something wrong', async ({ page, deployment }) => {
    test.setTimeout(120_000);
    const found: string[] = [];
    const here = async (name: string) => {
      await page.evaluate(axe);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        for (const v of await violations(page)) found.push(`${name}, ${colorScheme}: ${v}`);
      }
    };
    await page.goto('/setup');
    await page.getByLabel('Path of metadata.db').fill('metadata.db');
    await page.getByRole('button', { name: 'Test SQLite' }).click();
    await here('a field that is wrong');
    await page.getByLabel('Path of metadata.db').fill(`${deployment.folder}/metadata.db`);
    await page.getByRole('button', { name: 'Test SQLite' }).click();
    await page.getByLabel('Address').fill('http://127.0.0.1:1');
    await page.getByRole('button', { name: 'Test Qdrant' }).click();
    await expect(page.getByRole('button', { name: 'Go on all the same' })).toBeVisible();
    await here('a store that does not answer');
    expect(found).toEqual([]);
  });

  test('after a rollback', async ({ page, deployment }) => {
    test.setTimeout(120_000);
    const found: string[] = [];
    await open(page, deployment.version(deployment.failed, '/plan'));
    await startRollback(page, deployment.failed);
    await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });
    for (const path of ['/', '/runs', '/runs/1', deployment.version(deployment.failed)]) {
      await look(page, path, path, ['desktop', 'phone'], found);
    }
    expect(found).toEqual([]);
  });

  test.describe('after a restore', () => {
    test.use({ contaminated: true });

    test('on the run, its undo, the ways back and a validation that found something', async ({ page, deployment }) => {
      test.setTimeout(150_000);
      const found: string[] = [];
      await open(page, deployment.version(deployment.failed, '/plan'));
      await startRollback(page, deployment.failed);
      await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 40_000 });
      for (const path of ['/runs/1', '/runs/1/undo', '/backups', '/runs']) {
        await look(page, path, path, ['desktop', 'phone'], found);
      }
      await open(page, '/runs/1/undo');
      await startRun(page, 'run-1');
      await expect(page.getByText(/^The restore is undone/)).toBeVisible({ timeout: 40_000 });
      await look(page, 'findings', '/runs/2', ['desktop', 'phone'], found);
      expect(found).toEqual([]);
    });
  });

  test.describe('in the per-version layout', () => {
    test.use({ layout: 'per-version' });

    test('on the pages that show it', async ({ page, deployment }) => {
      test.setTimeout(120_000);
      const found: string[] = [];
      const id = deployment.failed;
      for (const path of ['/', '/versions', deployment.version(id), deployment.version(id, '/plan')]) {
        await look(page, path, path, ['desktop'], found);
      }
      expect(found).toEqual([]);
    });
  });
});

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

test('a rollback can be started without a mouse', async ({ page, deployment }) => {
  await open(page, deployment.version(deployment.failed, '/plan'));
  await page.getByRole('checkbox', { name: /^I have seen/ }).focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Check 4 failed');
  await page.keyboard.press('Tab');
  await page.keyboard.type(deployment.failed);
  await page.keyboard.press('Control+Enter');
  await expect(page).toHaveURL(/\/runs\/1$/, { timeout: 30_000 });
  await expect(heading(page)).toContainText(deployment.failed);
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });
});
