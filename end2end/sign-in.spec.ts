// The door: first start, wrong passwords, sign-out here and everywhere, and what each role may do.
import type { Page } from '@playwright/test';
import { PEOPLE, type Role } from './deployment.ts';
import { expect, heading, hydrated, open, signIn, startRollback, step, test } from './test.ts';

const main = { name: 'Main' } as const;

test.describe('a first start', () => {
  test.use({ users: false, as: null, expectedErrors: /status of (401|403)/ });

  test('its link makes the first administrator, once', async ({ page, deployment, browser }) => {
    await expect.poll(() => deployment.welcome).toBeTruthy();
    const link = deployment.welcome ?? '';
    // Opening it uses nothing up.
    await open(page, link);
    await page.reload();
    await hydrated(page);
    await expect(heading(page)).toHaveText('Welcome to Stepback');
    await expect(page.getByRole('navigation', main)).toHaveCount(0);
    await page.getByLabel('Your name').fill('grace');
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await page.getByLabel('Password, once more').fill('another horse battery');
    await page.getByRole('button', { name: 'Make the first administrator' }).click();
    await expect(page.getByText('The two passwords differ.')).toBeVisible();
    await expect(page.getByLabel('Password, once more')).toHaveAccessibleDescription(/not the same/);

    await expect(page.getByLabel('Your name')).toHaveValue('grace');
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await page.getByLabel('Password, once more').fill('correct horse battery');
    await page.getByRole('button', { name: 'Make the first administrator' }).click();
    await expect(page).toHaveURL(`${deployment.url}/`);
    await expect(page.getByText('grace', { exact: true })).toBeVisible();
    await expect(page.getByRole('navigation', main).getByRole('link', { name: 'People' })).toBeVisible();

    const other = await browser.newPage({ baseURL: deployment.url });
    await open(other, link);
    await expect(other.getByText('This link works no more: there is a user already.')).toBeVisible();
    await expect(other.getByRole('button')).toHaveCount(0);
    await expect(other.getByRole('main').getByRole('link', { name: 'Sign in' })).toBeVisible();
    await hydrated(other);
    await other.goto('/');
    await expect(other).toHaveURL(/\/sign-in/);
    await hydrated(other);
    await other.close();
  });
});

test.describe('signing in', () => {
  test.use({ as: null });

  test('leads to the page that was asked for; a wrong password leads nowhere', async ({ page }) => {
    await page.goto('/runs?state=aborted');
    await expect(page).toHaveURL(/\/sign-in\?next=/);
    await expect(page.getByRole('navigation', main)).toHaveCount(0);
    for (const [name, password] of [
      [PEOPLE.viewer.name, 'not the password'],
      ['nobody-of-that-name', PEOPLE.viewer.password],
    ] as const) {
      await page.getByLabel('Name').fill(name);
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect(page.getByText('Name and password do not fit together.')).toBeVisible();
      await expect(page).not.toHaveURL(/password|nobody/);
    }
    await page.getByLabel('Name').fill(PEOPLE.viewer.name);
    await page.getByLabel('Password').fill(PEOPLE.viewer.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page).toHaveURL(/\/runs\?state=aborted$/);
  });

  test('after too many tries one waits, and is told how long', async ({ page }) => {
    const wait = page.getByText('Too many tries.');
    await expect(async () => {
      await page.goto('/sign-in');
      await hydrated(page);
      await page.getByLabel('Name').fill(PEOPLE.operator.name);
      await page.getByLabel('Password').fill('not the password');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect(wait).toBeVisible({ timeout: 3_000 });
    }).toPass();
    await expect(page.getByText(/^Try again in \d+ seconds?\.|^You can try again now\.$/)).toBeVisible();
    await expect(page.getByText('You can try again now.')).toBeVisible({ timeout: 60_000 });
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeEnabled();
  });

  test('never leads to another place', async ({ page, deployment }) => {
    for (const elsewhere of ['//example.org/', 'https://example.org/', '/\\example.org']) {
      await page.goto(`/sign-in?next=${encodeURIComponent(elsewhere)}`);
      await page.getByLabel('Name').fill(PEOPLE.viewer.name);
      await page.getByLabel('Password').fill(PEOPLE.viewer.password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect(page).toHaveURL(`${deployment.url}/`);
    }
  });
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('sign-out ends this session, sign-out everywhere all of them', async ({ page, deployment, browser }) => {
      // A page that is left while it still comes alive tells of files it no longer gets.
      const alive = async (one: Page) => {
        if (javaScriptEnabled) await hydrated(one);
      };
      const elsewhere = await browser.newContext({ baseURL: deployment.url, javaScriptEnabled });
      const other = await elsewhere.newPage();
      await signIn(other, 'administrator');
      await alive(other);

      await page.goto('/runs');
      await alive(page);
      await page.getByText('ada', { exact: true }).click();
      await page.getByRole('button', { name: 'Sign out', exact: true }).click();
      await expect(page).toHaveURL(/\/sign-in/);
      await alive(page);
      await page.goto('/runs');
      await expect(page).toHaveURL(/\/sign-in/);
      await alive(page);
      await other.reload();
      await expect(heading(other)).toHaveText('Runs');
      await alive(other);

      await signIn(page, 'administrator');
      await alive(page);
      await page.getByText('ada', { exact: true }).click();
      await page.getByRole('button', { name: 'Sign out everywhere' }).click();
      await expect(page).toHaveURL(/\/sign-in/);
      await alive(page);
      await other.reload();
      await expect(other).toHaveURL(/\/sign-in/);
      await alive(other);
      await elsewhere.close();
    });
  });
}

test.describe('a viewer', () => {
  test.use({ as: 'viewer', expectedErrors: /status of 403/ });

  test('sees everything; what only others may do is disabled, with the reason', async ({ page, deployment }) => {
    await open(page, deployment.version(deployment.failed, '/plan'));
    const start = page.getByRole('button', { name: /^Roll back/ });
    await expect(start).toBeDisabled();
    await expect(start).toHaveAccessibleDescription('Needs the role operator.');
    await open(page, '/');
    await expect(page.getByRole('button', { name: 'Validate production' })).toBeDisabled();
    await expect(page.getByRole('button', { name: 'Validate production' })).toHaveAccessibleDescription(/role operator/);
    await open(page, '/backups');
    await expect(page.getByRole('button', { name: /^Verify: / }).first()).toBeDisabled();
    await expect(page.getByRole('navigation', main).getByRole('link')).toHaveCount(4);
    for (const path of ['/people', '/people/tokens', '/audit']) {
      await open(page, path);
      await expect(page.getByRole('main')).toContainText('administrator');
      await expect(page.getByRole('main')).not.toContainText('otto');
    }
    expect(await deployment.status(deployment.failed)).toBe('validating_failed');
  });
});

test.describe('an operator', () => {
  test.use({ as: 'operator' });

  test('rolls back by name; disaster recovery is not theirs', async ({ page, deployment }) => {
    await open(page, `/restore/${deployment.baseline}`);
    const restore = page.locator('#confirm, .plan-side').getByRole('button', { name: /^Restore production/ });
    await expect(restore).toBeDisabled();
    await open(page, deployment.version(deployment.failed, '/plan'));
    await startRollback(page, deployment.failed);
    await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });
    await expect(page.getByRole('main')).toContainText('otto');
    await expect(step(page, 8)).toContainText('done');
  });
});

test('the cookie is only for this site and this protocol, and no script sees it', async ({ page, context }) => {
  await open(page, '/');
  expect(await page.evaluate(() => document.cookie)).toBe('');
  const cookies = await context.cookies();
  expect(cookies.map((c) => c.name)).toEqual(['__Host-stepback']);
  expect(cookies[0]).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict', path: '/' });
});

test('a role holds at once', async ({ page, deployment, browser }) => {
  const context = await browser.newContext({ baseURL: deployment.url });
  const other = await context.newPage();
  await signIn(other, 'operator');
  await open(page, '/people');
  const otto = page.getByRole('listitem').filter({ hasText: 'otto' });
  await otto.getByLabel('Change otto…').click();
  await otto.getByLabel('Role').selectOption('viewer' satisfies Role);
  await otto.getByRole('button', { name: 'Give this role' }).click();
  await expect(page.getByText('The role holds from the user’s next request.')).toBeVisible();
  await open(other, '/');
  await expect(other.getByRole('button', { name: 'Validate production' })).toBeDisabled();
  await open(page, '/people');
  await otto.getByLabel('Change otto…').click();
  await otto.getByRole('button', { name: 'Disable otto' }).click();
  await expect(otto).toContainText('disabled');
  await other.reload();
  await expect(other).toHaveURL(/\/sign-in/);
  await context.close();
});

test.describe('a sign-in that ends while a page is open', () => {
  test.use({ as: null, expectedErrors: /status of (401|403)/ });

  test('what was typed is found again, by the same person alone', async ({ page, context }) => {
    const lose = async () => {
      await open(page, '/people/tokens');
      await page.getByLabel('Name', { exact: true }).fill('typed-for-nothing');
      await context.clearCookies();
      await page.getByRole('button', { name: 'Make the token' }).click();
      await page.getByRole('link', { name: 'Sign in' }).click();
      await expect(page).toHaveURL(/\/sign-in\?next=/);
      await hydrated(page);
    };
    const enter = async (role: Role) => {
      await page.getByLabel('Name').fill(PEOPLE[role].name);
      await page.getByLabel('Password').fill(PEOPLE[role].password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect(page).toHaveURL(/\/people\/tokens$/);
      await hydrated(page);
    };
    await signIn(page, 'administrator');
    await lose();
    await enter('administrator');
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('typed-for-nothing');
    // Once, and not for a page that was sent.
    await open(page, '/people/tokens');
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('');
    await lose();
    await enter('operator');
    await page.goto('/');
    await hydrated(page);
    expect(await page.evaluate(() => sessionStorage.getItem('stepback-typed'))).toBeNull();
  });

  test('a page whose reader signed out in another tab says that the sign-in has ended', async ({ page, context }) => {
    await signIn(page, 'administrator');
    await open(page, '/');
    await expect(page.getByText('Live', { exact: true })).toBeVisible();
    const other = await context.newPage();
    await open(other, '/runs');
    await other.getByText('ada', { exact: true }).click();
    await other.getByRole('button', { name: 'Sign out', exact: true }).click();
    await expect(other).toHaveURL(/\/sign-in$/);
    await hydrated(other);
    await expect(page.getByText('Your sign-in has ended.')).toBeVisible({ timeout: 15_000 });
    await hydrated(page);
  });

  test('the page of a sign-in that was idle says why it is gone, and leads back', async ({ page, deployment }) => {
    await signIn(page, 'administrator');
    await open(page, '/');
    await expect(page.getByText('Live', { exact: true })).toBeVisible();
    await deployment.idle(31);
    await expect(page.getByText('You were signed out: nothing was done for 30 minutes.')).toBeVisible({ timeout: 15_000 });
    await hydrated(page);
    await page.getByLabel('Name').fill(PEOPLE.administrator.name);
    await page.getByLabel('Password').fill(PEOPLE.administrator.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page).toHaveURL(`${deployment.url}/`);
    await hydrated(page);
  });
});
