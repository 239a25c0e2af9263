// Lists: put in order by their heads, counted by their chips, marked where the kept backups end, with columns that are remembered
// and times in the reader's zone.
import type { Page } from '@playwright/test';
import { expect, hydrated, open, startRollback, test } from './test.ts';

const registry = (page: Page) => page.getByRole('region', { name: 'Registry' });
const versions = (page: Page) => registry(page).getByRole('link', { name: /^(v\d+|staging)/ });

test('a head puts the versions in its order and turns it round', async ({ page, deployment }) => {
  const chapters = async (direction: 'ASC' | 'DESC') => {
    const order = `chapter_count IS NULL, chapter_count ${direction}, version_id ${direction}`;
    return deployment.sql('metadata', `SELECT version_id FROM version_registry ORDER BY ${order} LIMIT 3`);
  };
  await open(page, '/versions');
  const head = page.getByRole('columnheader', { name: 'Chapters' });
  await expect(page.getByRole('columnheader', { name: 'Made' })).toHaveAttribute('aria-sort', 'descending');
  await expect(head).not.toHaveAttribute('aria-sort');
  for (const [direction, sort] of [
    ['DESC', 'descending'],
    ['ASC', 'ascending'],
  ] as const) {
    await head.getByRole('link').click();
    await expect(head).toHaveAttribute('aria-sort', sort);
    await hydrated(page);
    expect((await versions(page).allTextContents()).slice(0, 3)).toEqual(await chapters(direction));
  }
  await expect(page.getByRole('columnheader', { name: 'Made' })).not.toHaveAttribute('aria-sort');
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 375, height: 740 } });

  test('an order that is chosen is there without another press, beside what is searched for', async ({ page }) => {
    await open(page, '/versions?q=minor&status=archived');
    await page.getByRole('search').getByLabel('Order').selectOption({ label: 'By id, A to Z' });
    await expect(page).toHaveURL(/q=minor.*sort=version_id.*status=archived/);
    await hydrated(page);
    const ids = await versions(page).allTextContents();
    expect(ids.length).toBeGreaterThan(2);
    expect(ids).toEqual([...ids].sort());
  });

  test('what is counted in a list shows when it was, too', async ({ page }) => {
    await open(page, '/versions');
    const row = registry(page).getByRole('row').filter({ has: page.getByRole('link', { name: /^v\d+/ }) }).first();
    await expect(row.locator('.moment')).toContainText(/ago.*\d{1,2} \w{3} \d{4}, \d\d:\d\d/);
  });
});

test('a chip says how many rows it leads to, in a search as well', async ({ page }) => {
  await open(page, '/versions?q=minor');
  const chips = page.getByRole('navigation', { name: 'Filter by state' });
  const told = await chips.getByRole('link').evaluateAll((links) =>
    links.map((link) => ({ href: link.getAttribute('href') ?? '', count: link.querySelector('.count')?.textContent })),
  );
  expect(told.length).toBeGreaterThan(2);
  for (const { href, count } of told) {
    await open(page, href);
    await expect(registry(page).getByRole('row').filter({ has: page.locator('.state') })).toHaveCount(Number(count));
  }
});

test('runs are counted by state and kind, one beside the other', async ({ page, deployment }) => {
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 30_000 });
  await open(page, '/runs?state=completed');
  const kinds = page.getByRole('navigation', { name: 'Kind' });
  await expect(kinds.getByRole('link', { name: /^Rollback/ })).toHaveText(/1$/);
  await expect(kinds.getByRole('link', { name: /^Validate/ })).toHaveText(/0$/);
  await open(page, '/runs?q=no+such+reason');
  await expect(page.getByRole('navigation', { name: 'State' }).getByRole('link', { name: /^All states/ })).toHaveText(/0$/);
  // One run is drawn already.
  await open(page, '/runs');
  await expect(page.getByRole('region', { name: 'Chart: Runs over time' }).getByRole('img')).toBeVisible();
});

test('the list and the chart say where the kept backups end', async ({ page }) => {
  await open(page, '/versions');
  const end = registry(page).getByRole('row', { name: 'The retention window ends here' });
  await expect(end).toBeVisible();
  // The row above it has a backup, and below it the baseline's alone is kept.
  await expect(end.locator('xpath=preceding-sibling::tr[1]')).toContainText('kept');
  await expect(end.locator('xpath=following-sibling::tr').filter({ hasText: 'kept' })).toHaveText(/v1_baseline/);
  const chart = page.getByRole('region', { name: 'Chart: Growth' });
  await expect(chart.getByText('backups are kept from here on')).toBeVisible();
  await expect(page.getByRole('region', { name: 'Growth', exact: true })).toContainText('Every version whose time is known');
  // Elsewhere than newest first there is no such place.
  await open(page, '/versions?sort=version_id');
  await expect(end).toHaveCount(0);
});

test('the columns that were chosen are still there after a reload', async ({ page }) => {
  await open(page, '/versions');
  const head = (name: string) => page.getByRole('columnheader', { name });
  await expect(head('Paragraphs')).toHaveCount(0);
  await page.getByText('Columns', { exact: true }).click();
  await page.getByRole('checkbox', { name: 'Paragraphs' }).check();
  await page.getByRole('checkbox', { name: 'Backup' }).uncheck();
  await page.getByRole('button', { name: 'Show these' }).click();
  await expect(head('Paragraphs')).toBeVisible();
  await hydrated(page);
  await page.reload();
  await hydrated(page);
  await expect(head('Paragraphs')).toBeVisible();
  await expect(head('Backup')).toHaveCount(0);
});

test.describe('east of Greenwich', () => {
  test.use({ timezoneId: 'Asia/Kolkata' });

  test('times are the reader’s own, and what is asked for in UTC says so', async ({ page, deployment }) => {
    await deployment.sql(
      'metadata',
      `INSERT INTO version_registry (version_id, status, created_at, updated_at)
       VALUES ('v99_of_the_evening', 'archived', '2031-03-01 20:00:00', '2031-03-01 20:00:00')`,
    );
    await open(page, '/versions?q=of_the_evening');
    await expect(registry(page).locator('time[data-style=absolute]')).toHaveText('2 Mar 2031, 01:30');
    await open(page, '/runs');
    const search = page.getByRole('search', { name: 'Search the runs' });
    await expect(search.getByLabel('From (UTC)')).toBeVisible();
    await expect(search.getByLabel('To (UTC)')).toBeVisible();
  });
});
