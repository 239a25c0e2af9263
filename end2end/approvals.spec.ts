// Where a deployment asks for it, a second person reads the very plan and agrees before it starts.
import type { Browser, Page } from '@playwright/test';
import type { Deployment, Role } from './deployment.ts';
import { acknowledgements, expect, heading, hydrated, open, signIn, test } from './test.ts';

const REASON = 'Check 4 failed twice';

test.use({ as: 'operator', settings: '[approval]\nrequired = 1' });

/** A second person at a browser of their own. */
async function other(browser: Browser, deployment: Deployment, as: Role, javaScriptEnabled = true): Promise<Page> {
  const page = await (await browser.newContext({ baseURL: deployment.url, javaScriptEnabled })).newPage();
  await signIn(page, as);
  return page;
}

async function ask(page: Page, plan: string): Promise<string> {
  await page.goto(plan);
  const form = page.locator('#ask');
  await expect(page.getByText('Another person must approve this plan before it may start.')).toBeVisible();
  await expect(page.locator('#confirm')).toHaveCount(0);
  await form.getByLabel('Reason').fill(REASON);
  for (const box of await acknowledgements(page).all()) await box.check();
  await form.getByRole('button', { name: 'Ask for approval' }).click();
  await expect(page).toHaveURL(/\/approvals\/[0-9a-f]+$/, { timeout: 30_000 });
  return new URL(page.url()).pathname;
}

test('otto asks, ada reads and approves, otto starts, once', async ({ page, browser, deployment }) => {
  const plan = deployment.version(deployment.failed, '/plan');
  await open(page, '/approvals');
  await expect(page.getByText('Nothing was asked yet.')).toBeVisible();
  await open(page, plan);
  const request = await ask(page, plan);
  await hydrated(page);
  await expect(page.getByText('You asked: approval is another person’s word.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Approve this plan' })).toHaveCount(0);
  await open(page, plan);
  await expect(page.getByText('Waits for approval: 0 of 1 so far.')).toBeVisible();
  await expect(page.locator('#confirm, #ask')).toHaveCount(0);

  const vera = await other(browser, deployment, 'viewer');
  await open(vera, request);
  await expect(vera.getByText('Needs the role operator.')).toBeVisible();
  await expect(vera.getByRole('button', { name: 'Approve this plan' })).toHaveCount(0);

  const ada = await other(browser, deployment, 'administrator');
  await open(ada, '/');
  await ada.getByRole('region', { name: 'Approvals' }).getByRole('link', { name: '1 plan' }).click();
  await expect(heading(ada)).toHaveText('Approvals');
  await ada.getByRole('link', { name: 'Read the request' }).click();
  await expect(heading(ada)).toContainText(deployment.failed);
  await expect(ada.getByText(REASON)).toBeVisible();
  await expect(ada.getByText('1,100').first()).toBeVisible();
  await ada.getByRole('button', { name: 'Approve this plan' }).click();
  await expect(ada.getByRole('link', { name: 'To the plan, to start it' })).toBeVisible();
  // Her own word does not let her start it herself.
  await open(ada, plan);
  await expect(ada.getByText('You approved this plan, so somebody else starts it')).toBeVisible();
  await expect(ada.locator('#confirm')).toHaveCount(0);

  await open(page, request);
  await page.getByRole('link', { name: 'To the plan, to start it' }).click();
  await expect(page.getByText('Approved by ada.')).toBeVisible();
  await expect(page.getByLabel('Reason')).toHaveValue(REASON);
  await expect(page.getByLabel('Reason')).not.toBeEditable();
  await page.getByLabel('Type the version id').fill(deployment.failed);
  for (const box of await acknowledgements(page).all()) await box.check();
  await page.getByRole('button', { name: /^Roll back/ }).click();
  await expect(page).toHaveURL(/\/runs\/\d+$/, { timeout: 30_000 });
  await expect.poll(() => deployment.status(deployment.failed), { timeout: 60_000 }).toBe('rolled_back');
  await open(page, '/approvals');
  await expect(page.getByRole('row').filter({ hasText: REASON })).toContainText('used');
});

test.describe('refused', () => {
  test.use({ javaScriptEnabled: false });

  test('without JavaScript ada says no, and nothing can start', async ({ page, browser, deployment }) => {
    const plan = deployment.version(deployment.failed, '/plan');
    const request = await ask(page, plan);
    const ada = await other(browser, deployment, 'administrator', false);
    await ada.goto(request);
    await ada.getByText('Refuse…').click();
    await ada.getByLabel('Why not').fill('Look at check 4 first');
    await ada.getByRole('button', { name: 'Refuse this plan' }).click();
    await expect(ada.getByText('It was refused: nothing starts by it.')).toBeVisible();
    await expect(ada.getByText('Look at check 4 first')).toBeVisible();
    await page.goto(plan);
    await expect(page.getByText('An earlier request was refused.')).toBeVisible();
    await expect(page.locator('#confirm')).toHaveCount(0);
    expect(await deployment.status(deployment.failed)).not.toBe('rolled_back');
  });
});
