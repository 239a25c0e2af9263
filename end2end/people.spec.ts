// People, tokens and the audit, as an administrator sees them.
import { expect, heading, open, startRollback, test } from './test.ts';

const HOSTILE = '<script>alert("audit")</script> "><img src=x onerror=alert(1)> \u202Egpj';

test.describe('users', () => {
  // What a browser logs for a refusal.
  test.use({ expectedErrors: /status of (400|409)/ });

  test('one is added with a password that may be, and the last administrator stays', async ({ page }) => {
    await open(page, '/people');
    const users = page.getByRole('region', { name: 'Users' }).getByRole('listitem');
    await expect(users).toHaveCount(3);
    const form = page.getByRole('region', { name: 'Add a user' });
    await form.getByLabel('Name').fill('bert');
    await form.getByLabel('Role').selectOption('operator');
    await form.getByLabel('Password').fill('passwordpassword');
    await form.getByRole('button', { name: 'Add the user' }).click();
    await expect(page.getByRole('alert')).toContainText('Nothing was changed.');
    await form.getByLabel('Password').fill('bert likes long walks');
    await form.getByRole('button', { name: 'Add the user' }).click();
    await expect(users).toHaveCount(4);
    await expect(page.getByText('The user was added, and can sign in now.')).toBeVisible();
    await expect(form.getByLabel('Password')).toHaveValue('');

    const ada = users.filter({ hasText: 'ada' }).first();
    await ada.getByLabel('Change ada…').click();
    await ada.getByRole('button', { name: 'Disable ada' }).click();
    await expect(page.getByRole('alert')).toContainText('last administrator');
  });
});

test.describe('a token', () => {
  test.use({ expectedErrors: /status of 401/ });

  test('is shown once, opens the API, and is revoked', async ({ page, deployment }) => {
    await open(page, '/people/tokens');
    await expect(page.getByText('There is no token.')).toBeVisible();
    const form = page.getByRole('region', { name: 'Make a token' });
    await form.getByLabel('Name').fill('nightly');
    await form.getByLabel('Role').selectOption('viewer');
    await form.getByRole('button', { name: 'Make the token' }).click();
    const shown = page.getByRole('region', { name: 'The new token' });
    const secret = await shown.locator('code').first().innerText();
    expect(secret).toMatch(/^stepback_/);
    await expect(shown.getByRole('button', { name: 'Copy the new token' })).toBeVisible();

    const ask = async () =>
      (await fetch(`${deployment.url}/api/v1/runs`, { headers: { authorization: `Bearer ${secret}` } })).status;
    expect(await ask()).toBe(200);
    await open(page, '/people/tokens');
    await expect(page.getByRole('main')).not.toContainText(secret);
    const token = page.getByRole('listitem').filter({ hasText: 'nightly' });
    await expect(token).toContainText('Last used');
    await token.getByLabel('Revoke nightly…').click();
    await token.getByRole('button', { name: 'Revoke nightly' }).click();
    await expect(token).toContainText('revoked');
    expect(await ask()).toBe(401);

    await open(page, '/audit?actor=ada&action=token');
    await expect(page.getByRole('row').filter({ hasText: 'nightly' }).first()).toContainText('done');
  });
});

test('the audit tells who did what and why, as text, and can be filtered and downloaded', async ({ page, deployment }) => {
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed, HOSTILE);
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });
  for (const path of ['/runs/1', '/runs', '/audit', '/']) {
    await open(page, path);
    await expect(page.getByText('<script>alert("audit")</script>').first()).toBeVisible();
    await expect(page.locator('main script, main img')).toHaveCount(0);
    expect(await page.locator('main').innerText()).not.toContain('\u202E');
  }

  await open(page, '/audit');
  const started = page.getByRole('row').filter({ hasText: 'start' }).filter({ hasText: deployment.failed });
  await expect(started.first()).toContainText('ada');
  await expect(started.first()).toContainText('127.0.0.1');
  await page.getByText('Filter', { exact: true }).click();
  await page.getByLabel('Who').fill('nobody-of-that-name');
  await page.getByRole('button', { name: 'Show what fits' }).click();
  await expect(page).toHaveURL(/actor=nobody-of-that-name/);
  await expect(page.getByText('No entry fits.')).toBeVisible();

  await open(page, '/audit?actor=ada');
  const saving = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download' }).click();
  const file = await (await saving).createReadStream();
  let text = '';
  for await (const part of file) text += String(part);
  const rows = text.trim().split('\n').map((line) => JSON.parse(line) as { actor: string; reason: string | null });
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.every((row) => row.actor === 'ada')).toBe(true);
  expect(rows.some((row) => row.reason === HOSTILE)).toBe(true);
});

test('on a phone the navigation shows all of its places, and the account’s menu those of administrators', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 700 });
  await open(page, '/');
  const main = page.getByRole('navigation', { name: 'Main' });
  expect(await main.evaluate((nav) => nav.scrollWidth - nav.clientWidth)).toBeLessThanOrEqual(0);
  for (const place of await main.getByRole('link').all()) await expect(place).toBeInViewport({ ratio: 1 });
  await expect(main.getByRole('link', { name: 'People' })).toBeHidden();
  for (const place of ['Audit', 'People']) {
    await page.locator('.account > summary').click();
    await page.getByRole('navigation', { name: 'Administration' }).getByRole('link', { name: place }).click();
    await expect(heading(page)).toHaveText(place);
  }
});
