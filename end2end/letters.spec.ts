// For who has set their browser to letters of twice the size: every page still fits.
import type { Page } from '@playwright/test';
import { layoutTroubles } from './layout.ts';
import { ERRORS_OF_MOMENTS } from './moments.ts';
import { gates, placesWithRuns } from './places.ts';
import { acknowledgements, expect, open, test } from './test.ts';
import config from './playwright.config.ts';

const launch = config.use?.launchOptions;
test.use({
  expectedErrors: ERRORS_OF_MOMENTS,
  launchOptions: { ...launch, args: [...(launch?.args ?? []), '--blink-settings=defaultFontSize=32'] },
});

test('letters of twice the size scroll nothing sideways and are cut nowhere', async ({ context, page, deployment }) => {
  test.setTimeout(180_000);
  const found: string[] = [];
  const look = async (page: Page, name: string) => {
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize)).toBe('32px');
    found.push(...(await layoutTroubles(page, name, [375, 768, 1280])));
  };
  for (const [name, path] of Object.entries({ ...(await placesWithRuns(context, deployment)), ...gates })) {
    await open(page, path);
    await look(page, name);
  }

  // The run that asks is interrupted, and resumed to its end.
  await page.goto('about:blank');
  await deployment.stop('SIGKILL');
  await deployment.allowDeletions();
  await deployment.start();
  for (const [name, path] of Object.entries({ 'run-interrupted': '/runs/1', resume: '/runs/1/resume' })) {
    await open(page, path);
    await look(page, name);
  }
  for (const box of await acknowledgements(page).all()) await box.check();
  await page.getByLabel('Reason').fill('The server is back');
  await page.getByRole('button', { name: 'Resume run #1' }).click();
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 40_000 });
  for (const [name, path] of Object.entries({ 'run-completed': '/runs/1', 'report-whole': '/runs/1/report' })) {
    await open(page, path);
    await look(page, name);
  }
  expect(found).toEqual([]);
});
