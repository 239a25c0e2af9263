// A run's page while it works: what it tells of time, what it folds, where links lead, and two people at one decision.
import type { Page } from '@playwright/test';
import type { Deployment } from './deployment.ts';
import { expect, open, signIn, startRollback, step, test } from './test.ts';

/** Starts the rollback of the failed version, whose step 5 works until the returned function is called. */
async function heldInStep5(page: Page, deployment: Deployment): Promise<() => Promise<void>> {
  const release = await deployment.lock('graph');
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await expect(step(page, 4)).toContainText('done', { timeout: 30_000 });
  await expect(step(page, 5)).toContainText('running');
  return release;
}

test('while a step works its bar grows, and the page says of when the chart is', async ({ page, deployment }) => {
  // The chart is drawn anew every fifteen seconds.
  test.slow();
  const release = await heldInStep5(page, deployment);
  const chart = page.locator('#run-chart');
  // The text alternative; the drawing says the same.
  await expect(chart.locator('desc').first()).toContainText('at work');
  const widest = () =>
    chart.locator('.chart.wide rect').evaluateAll((bars) => Math.max(...bars.map((bar) => Number(bar.getAttribute('width')))));
  const moment = () => chart.getByText('As of').locator('time').getAttribute('datetime');
  const [before, then] = [await widest(), await moment()];
  expect(then).not.toBeNull();
  // Nothing begins or ends meanwhile; the bar of the step that works takes more and more of the whole.
  const region = chart.getByRole('region', { name: 'Chart: Where the time went' });
  await region.focus();
  await expect.poll(widest, { timeout: 45_000 }).toBeGreaterThan(before);
  expect(await moment()).not.toBe(then);
  await expect(step(page, 5)).toContainText('running');
  await expect(region).toBeFocused();
  await release();
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 40_000 });
  await expect(chart.getByText('As of')).toHaveCount(0);
});

test('what is left is told by the document at first, and by earlier runs once there are some', async ({ page, deployment }) => {
  const release = await heldInStep5(page, deployment);
  const left = page.locator('#run-left');
  await expect(left).toContainText(/^Up to \d+ min( \d+ s)? left by the document’s longest estimates\. Nothing is learned here yet about step 5, /);
  await expect(step(page, 5)).toContainText('the document: 5 min');
  await expect(step(page, 5)).not.toContainText('here the one time before');
  // Said of the step that works, and of no other.
  await expect(step(page, 6).getByText('the document: 1 min')).toBeHidden();
  await release();
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 40_000 });
  await expect(left).toHaveText('');
  await page.getByText('The figures').click();
  const figures = page.getByRole('region', { name: 'Figures: Where the time went' });
  await expect(figures.getByRole('columnheader', { name: 'Median here' })).toBeVisible();

  // Something is staged again, so that step 5 has something to wait for.
  await deployment.sql(
    'graph',
    "INSERT INTO nodes (id, properties) VALUES (900001, '{}'); INSERT INTO node_labels VALUES ('staging', 900001)",
  );
  const other = 'v22_minor_20261117_140652';
  const again = await deployment.lock('graph');
  await open(page, deployment.version(other, '/plan'));
  await startRollback(page, other, 'Not wanted any more');
  await expect(step(page, 5)).toContainText('running', { timeout: 30_000 });
  await expect(step(page, 5)).toContainText(/\d+(\.\d)? (m?s|min)( \d+ s)? here the one time before · the document: 5 min/);
  await expect(left).toContainText('by earlier runs here');
  await again();
});

test('what came of a step folds when it is done, and stays open for whoever opened it', async ({ page, deployment }) => {
  const release = await heldInStep5(page, deployment);
  const points = step(page, 4).locator('.d');
  await expect(points).toBeHidden();
  await step(page, 4).locator('summary').focus();
  await page.keyboard.press('Enter');
  await expect(points).toBeVisible();
  await release();
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 40_000 });
  await expect(points).toBeVisible();
  await expect(step(page, 3).locator('.d')).toBeHidden();
  await expect(step(page, 5).locator('.d')).toBeHidden();
  // Why a step was skipped is in sight.
  await expect(step(page, 7).locator('.d').first()).toBeVisible();
  // On paper nothing is folded.
  await page.emulateMedia({ media: 'print' });
  await expect(step(page, 3).locator('.d')).toBeVisible();
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('a link to a step leads to it and opens it', async ({ page, deployment }) => {
      await page.goto(deployment.version(deployment.failed, '/plan'));
      await startRollback(page, deployment.failed);
      await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 40_000 });
      await page.goto('/runs/1/report');
      const steps = page.getByRole('region', { name: 'Steps of the run' });
      await steps.getByRole('link', { name: /^4 / }).click();
      await expect(page).toHaveURL(/\/runs\/1#step-delete_points$/);
      await expect(step(page, 4).locator('.d')).toBeInViewport();
      await expect(step(page, 4).locator('.t').first()).toBeInViewport();
      await expect(step(page, 4)).toHaveCSS('outline-style', 'solid');
      await expect(step(page, 3).locator('.d')).toBeHidden();
    });
  });
}

test('what somebody types while another person decides is kept, and who decided is told', async ({ page, browser, deployment }) => {
  await deployment.refuseDeletions();
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible({ timeout: 30_000 });
  await page.getByText('Skip…').click();
  await page.getByLabel('Why it is safe to skip').fill('Deleted by hand');

  const context = await browser.newContext({ baseURL: deployment.url });
  const otto = await context.newPage();
  await signIn(otto, 'operator', '/runs/1');
  await deployment.allowDeletions();
  await otto.getByRole('button', { name: 'Try again' }).click();

  const told = page.getByRole('status').filter({ hasText: 'otto decided: retry' });
  await expect(told).toBeVisible({ timeout: 30_000 });
  await expect(told).toContainText('Deleted by hand');
  await expect(told).toBeFocused();
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 40_000 });
  await expect(told).toContainText('Deleted by hand');
  await told.getByRole('button', { name: 'Dismiss' }).click();
  await expect(told).toHaveCount(0);
  await context.close();
});
