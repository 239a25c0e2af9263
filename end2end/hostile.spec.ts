// Text of others that means harm: it is shown as text wherever it is shown, changes no layout, and does nothing. That no dialog
// opens, nothing is fetched from elsewhere and the page's policy refuses nothing, every test sees to (test.ts).
import type { Page } from '@playwright/test';
import { layoutTroubles } from './layout.ts';
import { acknowledgements, expect, heading, hydrated, open, startRollback, step, test } from './test.ts';

test.use({ expectedErrors: /status of 404/ });

const WIDTHS = [320, 768, 1280];

const HOSTILE = {
  script: '<script>alert(1)</script>',
  quotes: `"><img src=x onerror=alert(2)> ' -- ; DROP TABLE version_registry`,
  path: '../../etc/passwd',
  turned: 'abc\u202Etxt.exe\u2066',
  percent: '100%25 & a=b#c?d/e',
  control: 'bell\u0007 and\ttab\nline',
  arabic: 'إصدار فاشل ٢٣ (v23)',
  emoji: '💥👩‍👩‍👧‍👦🏳️‍🌈e\u0301\u0301\u0301\u0301\u0301\u0301',
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
      expect(await layoutTroubles(page, path, WIDTHS)).toEqual([]);
    }
    for (const [name, id] of Object.entries(HOSTILE)) {
      await open(page, deployment.version(id));
      await expect(page.getByRole('heading', { name: 'Registry row' }), name).toBeVisible();
      await expect(page.locator('main script, main img')).toHaveCount(0);
      expect(await page.locator('main').innerText()).not.toMatch(/[\u0007\u202E\u2066]/);
      expect(await layoutTroubles(page, name, WIDTHS)).toEqual([]);
    }
  });

  test('are refused as targets with a reason, and nothing is changed', async ({ page, deployment }) => {
    test.setTimeout(120_000);
    const before = await deployment.sql('metadata', 'SELECT version_id, status FROM version_registry ORDER BY 1');
    for (const [name, id] of Object.entries(HOSTILE)) {
      await open(page, deployment.version(id, '/plan'));
      await expect(heading(page), name).toBeVisible();
      await expect(page.getByText(/^Nothing is planned/), name).toBeVisible();
      // No plan, so there is nothing to confirm either.
      await expect(page.getByRole('button', { name: /^Roll back/ }), name).toHaveCount(0);
      expect(await layoutTroubles(page, `plan of ${name}`, WIDTHS)).toEqual([]);
    }
    expect(await deployment.sql('metadata', 'SELECT version_id, status FROM version_registry ORDER BY 1')).toEqual(
      before,
    );
  });

  test('are followed from the list to their own page', async ({ page }) => {
    for (const text of [HOSTILE.script, HOSTILE.percent, HOSTILE.path]) {
      await open(page, '/versions');
      await page.getByRole('link', { name: text, exact: true }).click();
      await expect(heading(page)).toHaveText(text);
    }
  });
});

test.describe('hostile words of people', () => {
  /** What a person may write where a reason is asked for; what comes first decides in which direction it is read. */
  const words = (where: string, first = '') =>
    `${first} ${HOSTILE.script} ${where} ${HOSTILE.quotes} ${HOSTILE.turned} ${HOSTILE.arabic} ${HOSTILE.emoji} ${HOSTILE.template} ${'long'.repeat(80)}`;

  /** Every one of these stands on the page as text, and nothing else came of it. */
  async function shows(page: Page, name: string, path: string, wheres: string[]): Promise<void> {
    await open(page, path);
    const main = page.getByRole('main');
    for (const where of wheres)
      await expect(main.getByText(`${HOSTILE.script} ${where}`).first(), `${where} on ${name}`).toBeVisible();
    await expect(page.locator('main script, main img')).toHaveCount(0);
    expect(await main.innerText(), name).not.toMatch(/[\u0007\u202E\u2066]/);
    expect(await layoutTroubles(page, name, WIDTHS)).toEqual([]);
    await page.setViewportSize({ width: 1280, height: 800 });
  }

  test('reasons, decisions and notes are text on every page that tells of the run', async ({ page, deployment }) => {
    test.setTimeout(120_000);
    await deployment.refuseDeletions();
    await open(page, deployment.version(deployment.failed, '/plan'));
    await startRollback(page, deployment.failed, words('started', HOSTILE.arabic));
    await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible({ timeout: 30_000 });
    await page.getByText('Skip…').click();
    await page.getByLabel('Why it is safe to skip').fill(words('skipped'));
    await page.getByRole('button', { name: /^Skip/ }).click();
    await expect(step(page, 5)).toContainText('skipped', { timeout: 30_000 });
    await expect(page).toHaveTitle(/^completed/, { timeout: 30_000 });

    await open(page, '/runs/1/report');
    await page.getByLabel('Root cause').fill(words('cause'));
    await page.getByLabel('Lessons learned').fill(words('lesson', HOSTILE.arabic));
    await page.getByLabel('Remark').fill(words('remark'));
    await page.getByRole('button', { name: 'Save to the journal' }).click();
    await expect(page.getByText(`${HOSTILE.script} remark`).first()).toBeVisible();
    await hydrated(page);

    await shows(page, 'the run', '/runs/1', ['started', 'skipped']);
    await shows(page, 'its report', '/runs/1/report', ['started', 'skipped', 'cause', 'lesson', 'remark']);
    await shows(page, 'the history', '/runs', ['started']);
    await shows(page, 'the overview', '/', ['started']);
    await shows(page, 'a comparison', '/runs/compare?a=1&b=1', ['started']);
    await shows(page, 'the audit', '/audit', ['started']);
    await shows(page, 'the version', deployment.version(deployment.failed), []);
    await open(page, `/runs?q=${encodeURIComponent(HOSTILE.script)}`);
    await expect(page.getByRole('row').filter({ hasText: '#1' })).toBeVisible();
  });

  test.describe('who ask and are asked', () => {
    test.use({ as: 'operator', settings: '[approval]\nrequired = 1' });

    test('are text on the request and wherever it is listed', async ({ page, deployment }) => {
      await page.goto(deployment.version(deployment.failed, '/plan'));
      const form = page.locator('#ask');
      await form.getByLabel('Reason').fill(words('asked'));
      for (const box of await acknowledgements(page).all()) await box.check();
      await form.getByRole('button', { name: 'Ask for approval' }).click();
      await expect(page).toHaveURL(/\/approvals\/[0-9a-f]+$/, { timeout: 30_000 });
      await hydrated(page);
      await shows(page, 'the request', new URL(page.url()).pathname, ['asked']);
      await shows(page, 'the requests', '/approvals', ['asked']);
      await shows(page, 'the plan that waits', deployment.version(deployment.failed, '/plan'), []);
    });
  });
});
