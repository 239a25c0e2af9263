import type { Page } from '@playwright/test';
import { gates, places, placesWithRuns } from './places.ts';
import { expect, heading, open, test } from './test.ts';

test.use({ expectedErrors: /status of 404/ });

const WIDTHS = [320, 375, 768, 1280, 1920];

/** No page scrolls sideways; what is wide scrolls in a box of its own. */
async function fitsEveryWidth(page: Page, name: string): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    const overflow = await page.evaluate(() => {
      const root = document.documentElement;
      const wide = [...document.querySelectorAll('body *')].filter(
        (e) => e.getBoundingClientRect().right > root.clientWidth + 1,
      );
      return { by: root.scrollWidth - root.clientWidth, wide: wide.slice(0, 5).map((e) => e.outerHTML.slice(0, 120)) };
    });
    expect(overflow.by, `${name} at ${width} pixels: ${overflow.wide.join('\n')}`).toBeLessThanOrEqual(0);
  }
}

test('no page scrolls sideways, from 320 pixels up', async ({ context, page, deployment }) => {
  for (const [name, path] of Object.entries({ ...(await placesWithRuns(context, deployment)), ...gates })) {
    await open(page, path);
    await fitsEveryWidth(page, name);
  }
});

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
  const rows = page.getByRole('region', { name: 'Registry' }).getByRole('row');
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

const HOSTILE = {
  script: '<script>alert(1)</script>',
  quotes: `"><img src=x onerror=alert(2)> ' -- ; DROP TABLE version_registry`,
  path: '../../etc/passwd',
  turned: 'abc\u202Etxt.exe\u2066',
  percent: '100%25 & a=b#c?d/e',
  control: 'bell\u0007 and\ttab\nline',
  template: '{{constructor.constructor("alert(3)")()}} ${alert(4)} javascript:alert(5)',
};

test.describe('hostile rows', () => {
  test.beforeEach(async ({ deployment }) => {
    const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
    // One that can be rolled back heads the overview with its message; the others are refused as targets.
    const rows = ['v99_minor', ...Object.values(HOSTILE), 'x'.repeat(10_000)].map(
      (id) => `(${quote(id)}, 'failed', datetime('now'), ${quote(`${HOSTILE.script}${id}`)}, ${quote(id)})`,
    );
    await deployment.sql(
      'metadata',
      `INSERT INTO version_registry (version_id, status, created_at, status_message, notes) VALUES ${rows.join(', ')};
       INSERT INTO version_registry (version_id, status) VALUES ('odd state', ${quote(HOSTILE.script)});
       INSERT INTO operation_log (version_id, operation_type, status, details)
       SELECT version_id, ${quote(HOSTILE.quotes)}, ${quote(HOSTILE.script)}, version_id FROM version_registry WHERE status = 'failed'`,
    );
  });

  test('are shown as text, change no layout, and every one can be opened', async ({ page, deployment }) => {
    test.setTimeout(120_000);
    for (const path of ['/', '/versions']) {
      await open(page, path);
      await expect(page.getByText(HOSTILE.script).first()).toBeVisible();
      await expect(page.locator('main script, main img')).toHaveCount(0);
      await fitsEveryWidth(page, path);
    }
    for (const [name, id] of Object.entries(HOSTILE)) {
      await open(page, deployment.version(id));
      await expect(page.getByRole('heading', { name: 'Registry row' }), name).toBeVisible();
      await expect(page.locator('main script, main img')).toHaveCount(0);
      expect(await page.locator('main').innerText()).not.toMatch(/[\u0007\u202E\u2066]/);
      await fitsEveryWidth(page, name);
    }
  });

  test('are refused as targets with a reason, and nothing is changed', async ({ page, deployment }) => {
    test.setTimeout(120_000);
    const before = await deployment.sql('metadata', 'SELECT version_id, status FROM version_registry ORDER BY 1');
    for (const [name, id] of Object.entries(HOSTILE)) {
      await open(page, deployment.version(id, '/plan'));
      await expect(heading(page), name).toBeVisible();
      await expect(page.getByText('This rollback cannot start.'), name).toBeVisible();
      await expect(page.getByRole('button', { name: /^Roll back/ }), name).toBeDisabled();
      await fitsEveryWidth(page, `plan of ${name}`);
    }
    expect(await deployment.sql('metadata', 'SELECT version_id, status FROM version_registry ORDER BY 1')).toEqual(before);
  });

  test('are followed from the list to their own page', async ({ page }) => {
    for (const text of [HOSTILE.script, HOSTILE.percent, HOSTILE.path]) {
      await open(page, '/versions');
      await page.getByRole('link', { name: text, exact: true }).click();
      await expect(heading(page)).toHaveText(text);
    }
  });
});
