// Pictures of every page for people to look at, into the folder STEPBACK_SCREENSHOTS names. Proves nothing.
import { join } from 'node:path';
import { gates, placesWithRuns } from './places.ts';
import { expect, hydrated, open, test } from './test.ts';

const folder = process.env.STEPBACK_SCREENSHOTS ?? '';
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
            const path = join(folder, layout, `${name}-${screen}-${colorScheme}.png`);
            await page.screenshot({ path, fullPage: true });
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
