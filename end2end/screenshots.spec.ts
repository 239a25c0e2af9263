// Pictures of every page for people to look at, into the folder STEPBACK_SCREENSHOTS names. Proves nothing.
import { join } from 'node:path';
import { gates, placesWithRuns } from './places.ts';
import { expect, hydrated, open, test } from './test.ts';

const folder = process.env.STEPBACK_SCREENSHOTS ?? '';
/** Pictures of the documentation, by what they are taken from. */
const GALLERY: Record<string, string> = {
  'overview-before-desktop-light': 'overview',
  'plan-before-desktop-light': 'plan',
  'run-completed-desktop-light': 'run',
  'backups-desktop-dark': 'backups',
};
/** What of a long page a reader of the documentation looks at. */
const TOP = 1400;
const screens = { desktop: { width: 1280, height: 800 }, phone: { width: 375, height: 740 } };

test.use({ expectedErrors: /status of 404/ });

for (const layout of ['shared', 'per-version'] as const) {
  test.describe(layout, () => {
    test.use({ layout });

    test('pictures', async ({ context, page, deployment }) => {
      test.setTimeout(300_000);
      const take = async (name: string) => {
        for (const [screen, size] of Object.entries(screens)) {
          await page.setViewportSize(size);
          for (const colorScheme of ['light', 'dark'] as const) {
            await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
            const picture = `${name}-${screen}-${colorScheme}`;
            // As high as the page is: what sticks to an edge of the window is at the picture's edge then.
            const height = await page.evaluate(() => document.documentElement.scrollHeight);
            await page.setViewportSize({ width: size.width, height });
            await page.screenshot({ path: join(folder, layout, `${picture}.png`) });
            const shown = GALLERY[picture];
            if (layout === 'shared' && shown) {
              const clip = { x: 0, y: 0, width: size.width, height: Math.min(height, TOP) };
              await page.screenshot({ path: join(folder, 'gallery', `${shown}.png`), clip });
            }
            await page.setViewportSize(size);
          }
        }
      };
      await open(page, '/');
      await take('overview-before');
      await open(page, deployment.version(deployment.failed, '/plan'));
      await take('plan-before');
      const places = { ...(await placesWithRuns(context, deployment)), ...gates };
      for (const [name, path] of Object.entries(places)) {
        await open(page, path);
        await take(name);
      }
      await deployment.allowDeletions();
      await open(page, '/runs/1');
      await page.getByRole('button', { name: 'Try again' }).click();
      await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });
      await page.reload();
      await hydrated(page);
      await take('run-completed');
      for (const [name, path] of [['overview-after', '/'], ['history-after', '/runs']] as const) {
        await open(page, path);
        await take(name);
      }
    });
  });
}
