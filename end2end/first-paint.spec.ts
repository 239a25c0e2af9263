// A page is whole before its WASM comes, and nothing moves when it does.
import { RENDERED, gates, placesWithRuns } from './places.ts';
import { expect, heading, hydrated, open, signIn, startRollback, test } from './test.ts';
import { layoutShift, watchVitals } from './vitals.ts';

test.use({ expectedErrors: /status of 404/ });

for (const [screen, viewport] of [
  ['desktop', { width: 1280, height: 800 }],
  ['phone', { width: 375, height: 740 }],
] as const) {
  test.describe(screen, () => {
    test.use({ viewport });

    test('pages are read before their WASM is there, and do not move when it comes', async ({
      context,
      page,
      deployment,
    }) => {
      test.setTimeout(120_000);
      const places = { ...(await placesWithRuns(context, deployment)), ...gates };
      await watchVitals(page);
      const wasm = { arrive: () => {}, asked: 0 };
      await page.route('**/*.wasm', async (route) => {
        wasm.asked += 1;
        await new Promise<void>((arrive) => (wasm.arrive = arrive));
        await route.continue();
      });
      const shifts: Record<string, number> = {};
      const look = async (name: string, path: string) => {
        const asked = wasm.asked;
        await page.goto(path, { waitUntil: 'commit' });
        await expect.poll(() => wasm.asked, { message: `${name} asks for its WASM` }).toBeGreaterThan(asked);
        await expect(heading(page), name).toBeVisible();
        // What is hidden by the styles counts as words until they are there.
        await page.waitForFunction(() =>
          [...document.querySelectorAll<HTMLLinkElement>('link[rel=stylesheet]')].every((styles) => styles.sheet !== null),
        );
        await expect(page.locator('html[data-hydrated]'), name).toHaveCount(0);
        const words = (await page.getByRole('main').innerText()).split(/\s+/).length;
        expect(words, `words of ${name} before its WASM`).toBeGreaterThan(10);
        wasm.arrive();
        await hydrated(page);
        expect(
          (await page.getByRole('main').innerText()).split(/\s+/).length,
          `words of ${name} after`,
        ).toBeGreaterThan(words * 0.9);
        shifts[name] = await layoutShift(page);
      };
      for (const name of RENDERED) {
        const path = places[name];
        if (path === undefined) throw new Error(`no page is called ${name}`);
        await look(name, path);
      }
      const other = await context.newPage();
      await deployment.allowDeletions();
      await open(other, '/runs/1');
      await other.getByRole('button', { name: 'Try again' }).click();
      await expect(other.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });
      await other.close();
      await look('run-completed', '/runs/1');
      await look('report-completed', '/runs/1/report');
      await look('history-completed', '/runs');
      for (const [name, shift] of Object.entries(shifts)) expect(shift, `what moved on ${name}`).toBeLessThan(0.02);
    });
  });
}

test('a page whose WASM never comes is read and leads on', async ({ browser, deployment }) => {
  // Of its own, for a browser complains of a page that is left while it still waits.
  const context = await browser.newContext({ baseURL: deployment.url });
  await context.route('**/*.wasm', () => {});
  const page = await context.newPage();
  await signIn(page, 'operator', '/');
  await page
    .getByRole('region', { name: 'Verdict' })
    .getByRole('link', { name: /^Plan rollback of/ })
    .click();
  await expect(heading(page)).toContainText(deployment.failed);
  await startRollback(page, deployment.failed);
  await expect(page.getByRole('heading', { name: 'Steps' })).toBeVisible();
  await expect.poll(() => deployment.status(deployment.failed), { timeout: 30_000 }).toBe('rolled_back');
  await context.close();
});
