// Figures, and no proof: how fast pages are on a processor a quarter as fast, and how a large deployment behaves. Off unless
// asked for; CONTRIBUTING.md says how.
import type { Page } from '@playwright/test';
import { manyLogLines, manyVersions } from './large.ts';
import { RENDERED, gates, placesWithRuns } from './places.ts';
import { expect, hydrated, open, startRollback, step, test } from './test.ts';
import { layoutShift, watchVitals } from './vitals.ts';

test.use({ expectedErrors: /status of 404|ERR_/ });

/** Against a phone of the middle class. */
const SLOWER = 4;

async function slow(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
}

function print(title: string, rows: Record<string, Record<string, string>>): void {
  console.log(`\n${title}`);
  console.table(rows);
}

const ms = (n: number) => `${Math.round(n)} ms`;

/** How long it takes until this is so, in milliseconds. */
async function took(act: () => Promise<unknown>): Promise<string> {
  const start = performance.now();
  await act();
  return ms(performance.now() - start);
}

test('pages', async ({ context, page, deployment }) => {
  test.setTimeout(300_000);
  const places = { ...(await placesWithRuns(context, deployment)), ...gates };
  await watchVitals(page);
  await slow(page);
  const rows: Record<string, Record<string, string>> = {};
  for (const name of RENDERED) {
    await open(page, places[name] ?? '/');
    const alive = await page.evaluate(() => performance.now());
    // What everybody does: open the palette, type, close it; move through rows.
    for (const key of ['Control+k', 'r', 'u', 'n', 'ArrowDown', 'Escape', 'j', 'k', '?', 'Escape'])
      await page.keyboard.press(key);
    const shift = await layoutShift(page);
    const seen = await page.evaluate(() => ({
      ...window.vitals,
      flush: undefined,
      bytes: performance
        .getEntriesByType('resource')
        .reduce((sum, e) => sum + (e as PerformanceResourceTiming).transferSize, 0),
    }));
    rows[name] = { LCP: ms(seen.paint), CLS: shift.toFixed(4), INP: ms(seen.slowest), 'alive after': ms(alive) };
  }
  print(`Largest paint, layout shift and slowest answer to a key, processor slowed ${SLOWER} times`, rows);
});

test('a hundred thousand versions', async ({ page, deployment }) => {
  test.setTimeout(300_000);
  await manyVersions(deployment, 100_000);
  const addresses = {
    overview: '/',
    versions: '/versions',
    'sorted by id': '/versions?sort=-version_id',
    'a search that finds one': '/versions?q=number+77777',
    'a search that finds none': '/versions?q=no+such+text',
    'filtered by state': '/versions?status=failed',
  };
  const rows: Record<string, Record<string, string>> = {};
  for (const [name, path] of Object.entries(addresses)) {
    await page.goto(path);
    const server = await page.evaluate(() => {
      const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
      return entry
        ? [entry.responseStart - entry.requestStart, entry.domInteractive, entry.decodedBodySize]
        : [0, 0, 0];
    });
    rows[name] = {
      'first byte': ms(server[0] ?? 0),
      interactive: ms(server[1] ?? 0),
      page: `${Math.round((server[2] ?? 0) / 1000)} kB`,
    };
    await hydrated(page);
  }
  await open(page, '/versions?sort=version_id&q=old_');
  for (let turned = 1; turned <= 3; turned++) {
    const link = page.getByRole('link', { name: 'Next page' });
    const before = page.url();
    rows[`next page ${turned}`] = {
      interactive: await took(async () => {
        await link.click();
        await expect(page).not.toHaveURL(before);
        await hydrated(page);
      }),
    };
  }
  print('100,000 versions', rows);
});

test('a log of a hundred thousand lines', async ({ page, deployment }) => {
  test.setTimeout(300_000);
  const release = await deployment.lock('graph');
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await hydrated(page);
  await expect(step(page, 4)).toContainText('done', { timeout: 30_000 });
  await page.goto('about:blank');
  await deployment.stop('SIGKILL');
  await manyLogLines(deployment, 100_000);
  await release();
  const rows: Record<string, Record<string, string>> = {};
  rows['the server starts'] = { took: await took(() => deployment.start()) };
  rows['the page opens'] = { took: await took(() => open(page, '/runs/1')) };
  const log = page.getByRole('region', { name: 'Log of the run' });
  const lines = log.locator('.line');
  const first = await lines.first().innerText();
  rows['earlier lines'] = {
    took: await took(async () => {
      await log.getByRole('button', { name: 'Show earlier lines' }).click();
      await expect(lines.first()).not.toHaveText(first, { useInnerText: true });
    }),
  };
  const search = page.getByRole('search', { name: 'The log' });
  await search.getByRole('searchbox').fill('needle');
  rows['a search through all'] = {
    took: await took(async () => {
      await search.getByRole('button', { name: 'Search' }).click();
      await expect(lines).toHaveCount(10);
    }),
  };
  rows['to the end'] = {
    took: await took(async () => {
      await page.getByRole('button', { name: 'Follow' }).click();
      await expect(lines.last()).toContainText('interrupted');
    }),
  };
  rows['the whole log as text'] = {
    took: await took(() => page.evaluate(async () => (await (await fetch('/api/v1/runs/1/log.txt')).text()).length)),
  };
  print('A log of 100,000 lines', rows);
});
