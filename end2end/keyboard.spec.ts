import { expect, heading, hydrated, open, startRollback, test } from './test.ts';

test('? lists the keys, Escape closes them, and the focus is back where it was', async ({ page }) => {
  await open(page, '/versions');
  const help = page.getByRole('dialog', { name: 'Keyboard' });
  const link = page.getByRole('link', { name: 'Runs', exact: true }).first();
  await link.focus();
  await page.keyboard.press('?');
  await expect(help).toBeVisible();
  await expect(help.getByRole('button', { name: 'Close' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();
  await expect(link).toBeFocused();

  // Seen, too, by those without a keyboard.
  await page.getByRole('button', { name: 'Keyboard' }).click();
  await expect(help).toBeVisible();
  await help.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByRole('button', { name: 'Keyboard' })).toBeFocused();
});

test('J and K move through the rows, and no key works while typing', async ({ page }) => {
  await open(page, '/versions');
  const rows = page.getByRole('region', { name: 'Registry' }).getByRole('row');
  const link = (row: number) => rows.nth(row).getByRole('link').first();
  await page.keyboard.press('j');
  await expect(link(1)).toBeFocused();
  await page.keyboard.press('j');
  await expect(link(2)).toBeFocused();
  await page.keyboard.press('k');
  await page.keyboard.press('k');
  await expect(link(1)).toBeFocused();

  await page.keyboard.press('/');
  const search = page.getByRole('searchbox');
  await expect(search).toBeFocused();
  await page.keyboard.type('jk?/');
  await expect(search).toHaveValue('jk?/');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('what is chosen in the palette is always in sight, however long the list', async ({ page }) => {
  await page.setViewportSize({ width: 1280, height: 500 });
  await open(page, '/');
  await page.keyboard.press('Control+k');
  const options = page.getByRole('dialog', { name: 'Go to' }).getByRole('option');
  const chosen = page.getByRole('option', { selected: true });
  await expect(chosen).toBeInViewport({ ratio: 1 });
  await expect(options.last(), 'the list is longer than what is seen of it').not.toBeInViewport();
  // Up from the first leads to the last, and down from there to the first again.
  await page.keyboard.press('ArrowUp');
  await expect(options.last()).toHaveAttribute('aria-selected', 'true');
  await expect(chosen).toBeInViewport({ ratio: 1 });
  for (const _ of await options.all()) {
    await page.keyboard.press('ArrowDown');
    await expect(chosen).toBeInViewport({ ratio: 1 });
  }
  await expect(options.last()).toHaveAttribute('aria-selected', 'true');
});

test('the palette leads to a page, a version and a run by keyboard alone', async ({ page, deployment }) => {
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });

  await open(page, '/');
  const palette = page.getByRole('dialog', { name: 'Go to' });
  const field = palette.getByRole('combobox');
  await page.keyboard.press('Control+k');
  await expect(field).toBeFocused();
  await page.keyboard.type('backup');
  await page.keyboard.press('ArrowDown');
  await expect(palette.getByRole('option', { selected: true })).toContainText('Plan a new backup');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/backups$/);
  await page.locator('html[data-hydrated]').waitFor({ state: 'attached' });

  await page.keyboard.press('Control+k');
  await page.keyboard.type(deployment.failed);
  await expect(palette.getByRole('option', { name: deployment.failed }).first()).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(heading(page)).toContainText(deployment.failed);
  await page.locator('html[data-hydrated]').waitFor({ state: 'attached' });

  await page.keyboard.press('Control+k');
  await page.keyboard.type('#1');
  await expect(palette.getByRole('option', { selected: true })).toContainText('#1');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/runs\/1$/);
  await page.locator('html[data-hydrated]').waitFor({ state: 'attached' });

  // Left without going anywhere, it gives the focus back and forgets what was typed.
  const link = page.getByRole('link', { name: 'Versions', exact: true }).first();
  await link.focus();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('aud');
  await page.keyboard.press('Escape');
  await expect(palette).toBeHidden();
  await expect(link).toBeFocused();
  await page.keyboard.press('Control+k');
  await expect(field).toHaveValue('');
});

test('by mouse too the palette leads to a backup, a person, a run by its reason, and to a plan that starts nothing', async ({
  page,
  deployment,
}) => {
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed, 'The chunker was wrong');
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });
  const palette = page.getByRole('dialog', { name: 'Go to' });
  const choose = async (typed: string, option: string | RegExp) => {
    await page.getByRole('button', { name: 'Go to…' }).click();
    await palette.getByRole('combobox').fill(typed);
    await palette.getByRole('option', { name: option }).click();
    await expect(palette).toBeHidden();
  };
  await choose('chunker was', /The chunker was wrong/);
  await expect(page).toHaveURL(/\/runs\/1$/);
  await hydrated(page);
  await choose('v19', /v19_minor.* Backup/);
  await expect(page).toHaveURL(/\/backups#backup-v19_minor_/);
  await expect(page.getByRole('rowgroup', { name: /^v19_minor/ })).toBeInViewport();
  await hydrated(page);
  await choose('OTTO', /otto Person/);
  await expect(page).toHaveURL(/\/people#user-otto$/);
  await hydrated(page);
  await choose('restore from', 'Plan a restore from latest-copy');
  await expect(page).toHaveURL(/\/restore\/latest-copy$/);
  await expect(heading(page)).toContainText('Restore production');
  const runs = await page.evaluate(async () => ((await (await fetch('/api/v1/runs')).json()) as { items: unknown[] }).items);
  expect(runs, 'going somewhere starts nothing').toHaveLength(1);
});

test.describe('who only looks', () => {
  test.use({ as: 'viewer' });

  test('is led to no person and to no plan', async ({ page }) => {
    await open(page, '/');
    await page.keyboard.press('Control+k');
    const palette = page.getByRole('dialog', { name: 'Go to' });
    await palette.getByRole('combobox').fill('v1_base');
    await expect(palette.getByRole('option', { name: 'v1_baseline Backup' })).toBeVisible();
    await palette.getByRole('combobox').fill('ot');
    await expect(palette.getByRole('option', { name: 'otto' })).toHaveCount(0);
    await palette.getByRole('combobox').fill('plan');
    await expect(palette.getByRole('option', { name: /^Plan/ })).toHaveCount(0);
  });
});

test('Esc closes the menu that is open, and the focus goes back to what opened it', async ({ page }) => {
  await open(page, '/versions');
  const columns = page.locator('details.columns');
  await columns.getByText('Columns').press('Enter');
  await expect(columns.getByRole('checkbox').first()).toBeVisible();
  await columns.getByRole('checkbox').first().focus();
  await page.keyboard.press('Escape');
  await expect(columns.getByRole('checkbox').first()).toBeHidden();
  await expect(columns.locator('summary')).toBeFocused();
});
