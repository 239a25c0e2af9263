// On paper: what is read stays, tables stay tables, and nothing is there that one would press.
import { layoutTroubles } from './layout.ts';
import { placesWithRuns } from './places.ts';
import { expect, open, test } from './test.ts';

/** A4 between its margins. */
const PAPER = 718;

test('a page on paper keeps its tables, fits, and offers nothing to press', async ({ context, page, deployment }) => {
  test.setTimeout(90_000);
  const places = await placesWithRuns(context, deployment);
  await page.emulateMedia({ media: 'print' });
  const found: string[] = [];
  for (const name of ['overview', 'versions', 'plan', 'run-asks', 'report', 'compare', 'history', 'backups', 'audit']) {
    await open(page, places[name] ?? '');
    found.push(...(await layoutTroubles(page, name, [PAPER])));
    const pressed = page.locator('a.btn, .decisions, .toolbar button').filter({ visible: true });
    for (const text of await pressed.allInnerTexts()) found.push(`${name}: ${text} is offered`);
    const rows = await page.locator('table.stack tbody tr').evaluateAll((all) =>
      all.filter((row) => row.checkVisibility()).map((row) => getComputedStyle(row).display),
    );
    expect(new Set(rows).size, `${name} has rows as a table has them`).toBeLessThanOrEqual(1);
    if (rows.length > 0) expect(rows[0], name).toBe('table-row');
  }
  expect(found).toEqual([]);
});
