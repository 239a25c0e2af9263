// Without JavaScript everything that changes something is a plain form, and the page after it says what it came to.
import { acknowledgements, expect, heading, step, test } from './test.ts';

test.use({ javaScriptEnabled: false });

test('people and tokens are looked after, and one signs out', async ({ page }) => {
  await page.goto('/people');
  const add = page.getByRole('region', { name: 'Add a user' });
  await add.getByLabel('Name').fill('bert');
  await add.getByLabel('Password').fill('bert likes long walks');
  await add.getByRole('button', { name: 'Add the user' }).click();
  await expect(page.getByText('The user was added, and can sign in now.')).toBeVisible();
  const bert = page.getByRole('listitem').filter({ hasText: 'bert' }).first();
  await bert.getByLabel('Change bert…').click();
  await bert.getByLabel('Role').selectOption('operator');
  await bert.getByRole('button', { name: 'Give this role' }).click();
  await expect(page.getByText('The role holds from the user’s next request.')).toBeVisible();
  await expect(bert).toContainText('operator');
  await bert.getByLabel('Change bert…').click();
  await bert.getByRole('button', { name: 'Disable bert' }).click();
  await expect(bert).toContainText('disabled');

  await page.getByRole('link', { name: 'API tokens' }).click();
  const make = page.getByRole('region', { name: 'Make a token' });
  await make.getByLabel('Name').fill('nightly');
  await make.getByRole('button', { name: 'Make the token' }).click();
  await expect(page.getByRole('region', { name: 'The new token' }).locator('code').first()).toHaveText(/^stepback_/);
  const token = page.getByRole('listitem').filter({ hasText: 'nightly' });
  await token.getByLabel('Revoke nightly…').click();
  await token.getByRole('button', { name: 'Revoke nightly' }).click();
  await expect(token).toContainText('revoked');

  await page.getByText('Account: ada').click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(heading(page)).toHaveText('Sign in to Stepback');
  await page.goto('/people');
  await expect(heading(page)).toHaveText('Sign in to Stepback');
});

test('a backup is verified, production is validated, and runs that were interrupted are resumed or abandoned', async ({
  page,
  deployment,
}) => {
  test.setTimeout(120_000);
  const id = deployment.failed;
  await page.goto('/backups');
  await page.getByRole('button', { name: 'Verify: v1_baseline' }).click();
  await expect(page).toHaveURL(/\/backups/);
  await expect(page.getByText('v1_baseline was read again')).toBeVisible();
  await page.goto('/');
  await page.getByRole('button', { name: 'Validate production' }).click();
  await expect(page).toHaveURL(/\/runs\/1$/);
  await expect(page.getByRole('region', { name: 'Validation' })).toContainText('7 of 7 checks passed', { timeout: 30_000 });

  await deployment.refuseDeletions();
  const interrupt = async (run: number) => {
    await expect(page).toHaveURL(new RegExp(`/runs/${run}$`), { timeout: 30_000 });
    await expect(step(page, 5).getByRole('alert')).toContainText('the graph is out of order', { timeout: 30_000 });
    await deployment.stop('SIGKILL');
    await deployment.start();
    await page.goto(`/runs/${run}`);
    await expect(page.getByText('Nothing goes on by itself.', { exact: false })).toBeVisible();
  };
  const confirm = async (button: string | RegExp) => {
    for (const box of await acknowledgements(page).all()) await box.check();
    await page.getByLabel('Reason').fill('Check 4 failed');
    const typed = page.getByLabel('Type the version id');
    if ((await typed.count()) > 0) await typed.fill(id);
    await page.getByRole('button', { name: button }).click();
  };
  await page.goto(deployment.version(id, '/plan'));
  await confirm(/^Roll back/);
  await interrupt(2);
  await page.getByText('Abandon…').click();
  await page.getByLabel('Reason').fill('Taken over below');
  await page.getByRole('button', { name: 'Abandon run #2' }).click();
  await expect(page).toHaveURL(/\/runs\/2/);
  await page.getByRole('link', { name: 'Plan the take-over' }).click();
  await confirm(/^Take over/);
  await interrupt(3);
  await deployment.allowDeletions();
  await page.getByRole('link', { name: 'Resume…' }).click();
  await confirm('Resume run #3');
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 40_000 });
  expect(await deployment.status(id)).toBe('rolled_back');
});
