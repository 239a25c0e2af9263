// For who has set their browser to letters of twice the size: every page still fits.
import { layoutTroubles } from './layout.ts';
import { gates, placesWithRuns } from './places.ts';
import { expect, open, test } from './test.ts';
import config from './playwright.config.ts';

const launch = config.use?.launchOptions;
test.use({
  expectedErrors: /status of 404/,
  launchOptions: { ...launch, args: [...(launch?.args ?? []), '--blink-settings=defaultFontSize=32'] },
});

test('letters of twice the size scroll nothing sideways and are cut nowhere', async ({ context, page, deployment }) => {
  test.setTimeout(120_000);
  const found: string[] = [];
  for (const [name, path] of Object.entries({ ...(await placesWithRuns(context, deployment)), ...gates })) {
    await open(page, path);
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize)).toBe('32px');
    found.push(...(await layoutTroubles(page, name, [768, 1280, 1920])));
  }
  expect(found).toEqual([]);
});
