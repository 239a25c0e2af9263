import { places } from './places.ts';
import { expect, heading, open, test } from './test.ts';

test.use({ expectedErrors: /status of 404/ });

test('before the first run the pages say what would be there', async ({ page }) => {
  await open(page, '/runs');
  await expect(page.getByText('No run was started here yet.')).toBeVisible();
  await open(page, '/runs?state=aborted');
  await expect(page.getByText('No run matches.')).toBeVisible();
  await open(page, '/');
  await expect(page.getByRole('region', { name: 'Recent runs' })).toContainText('No run yet.');
});

test('what is not there is answered with 404 and a way on', async ({ page, deployment }) => {
  const missing = Object.entries(places(deployment)).filter(([name]) => name.startsWith('no-such'));
  expect(missing.length).toBeGreaterThan(2);
  for (const [name, path] of [...missing, ['plan of nobody', '/versions/nobody/plan'] as const]) {
    const answer = page.waitForResponse((r) => r.url() === deployment.url + path);
    await open(page, path);
    expect((await answer).status(), name).toBe(404);
    await expect(heading(page)).toBeVisible();
    await expect(page.getByRole('main').getByRole('link').first()).toBeVisible();
  }
});

test('search and filters work together, by keyboard and by address', async ({ page, deployment }) => {
  await open(page, '/versions');
  // The head, and a row for each version; not the one that says where the kept backups end.
  const rows = page.getByRole('region', { name: 'Registry' }).locator('tr:not(.window-end)');
  const all = await deployment.count('metadata', 'SELECT count(*) FROM version_registry');
  await expect(rows).toHaveCount(all + 1);

  const search = page.getByRole('searchbox');
  await search.fill('MAJOR');
  await search.press('Enter');
  await expect(page).toHaveURL(/\?q=MAJOR/);
  const major = await deployment.count(
    'metadata',
    "SELECT count(*) FROM version_registry WHERE version_id || coalesce(status_message, '') || coalesce(notes, '') LIKE '%major%'",
  );
  await expect(rows).toHaveCount(major + 1);
  const chips = page.getByRole('navigation', { name: 'Filter by state' });
  await chips.getByRole('link', { name: /^archived/ }).click();
  await expect(page).toHaveURL(/q=MAJOR.*status=archived/);
  for (const row of (await rows.all()).slice(1)) await expect(row).toContainText('archived');
  await expect(chips.getByRole('link', { name: /^archived/ })).toHaveAttribute('aria-current', 'true');

  // Wildcards are plain text, and the back button leads back.
  await open(page, '/versions?q=%25_%25');
  await expect(page.getByText('No version fits.')).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/q=MAJOR.*status=archived/);
  await expect(rows.nth(1)).toContainText('archived');
  // A page that is closed while it still loads its WASM complains of that.
  await page.locator('html[data-hydrated]').waitFor({ state: 'attached' });
});
