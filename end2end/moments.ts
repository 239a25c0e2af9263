// What a deployment goes through, moment by moment, with every page worth a look at each. The checks that every page must
// stand (axe, layout, forced colours) follow it once and look at each page where it is.
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import type { Deployment, Layout, Role } from './deployment.ts';
import { manyRuns } from './large.ts';
import { gates, places } from './places.ts';
import { acknowledgements, expect, hydrated, open, startRollback, startRun, step } from './test.ts';

/** Looks at the page that is open now, known by this name. */
export type Look = (name: string) => Promise<void>;

/** What a browser logs for pages that came with an error's status, and for streams that a stopped server cut. */
export const ERRORS_OF_MOMENTS =
  /status of (403|404|409|503)|ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE)/;

async function each(page: Page, addresses: Record<string, string>, look: Look): Promise<void> {
  for (const [name, path] of Object.entries(addresses)) {
    await open(page, path);
    await look(name);
  }
}

/** Looks at a page once more with everything open that is folded within a part of it; a menu above it is a look of its own. */
async function unfolded(page: Page, name: string, look: Look, within = 'main'): Promise<void> {
  const many = await page.evaluate((within) => {
    const folded = document.querySelectorAll<HTMLDetailsElement>(`:is(${within}) details:not([open], .columns)`);
    for (const one of folded) one.open = true;
    return folded.length;
  }, within);
  expect(many, `something is folded on ${name}`).toBeGreaterThan(0);
  await look(`${name}, unfolded`);
}

/** Every page before the first run. */
async function beforeAnyRun(page: Page, deployment: Deployment, look: Look): Promise<void> {
  await each(page, places(deployment), look);
}

/** The pages before sign-in, one that stands alone, a secret shown once, and a plan that went stale under its reader. */
async function besides(page: Page, deployment: Deployment, look: Look): Promise<void> {
  await each(page, gates, look);
  // Where there is no page to be had a problem stands alone, without a script.
  await page.goto('/session/oidc/begin');
  await look('problem-alone');
  await open(page, '/people/tokens');
  await page.getByLabel('Name').fill('nightly');
  await page.getByRole('button', { name: 'Make the token' }).click();
  await expect(page.getByRole('region', { name: 'The new token' })).toBeVisible();
  await hydrated(page);
  await look('token-made');
  await open(page, '/people');
  await unfolded(page, 'people', look);
  await open(page, deployment.version(deployment.failed, '/plan'));
  await page.getByLabel('Reason').fill('Check 4 failed');
  await page.getByLabel('Type the version id').fill(deployment.failed);
  for (const box of await acknowledgements(page).all()) await box.check();
  const one = 'SELECT min(id) FROM chapter_metadata_staging';
  await deployment.sql('metadata', `DELETE FROM chapter_metadata_staging WHERE id = (${one})`);
  await page.getByRole('button', { name: /^Roll back/ }).click();
  await expect(page.getByRole('alert')).toContainText('Nothing was started');
  await hydrated(page);
  await look('plan-stale');
}

/** What opens above a page. */
async function dialogs(page: Page, _: Deployment, look: Look): Promise<void> {
  for (const [key, name] of [
    ['?', 'Keyboard'],
    ['Control+k', 'Go to'],
  ] as const) {
    await open(page, '/');
    await page.keyboard.press(key);
    await expect(page.getByRole('dialog', { name })).toBeVisible();
    await look(`dialog ${name}`);
  }
  // The palette is still open: what fits a part of a name, and that nothing does.
  const sought = page.getByRole('combobox', { name: 'Page, version, run or backup' });
  await sought.fill('v22');
  await expect(page.getByRole('option', { name: 'v22_minor' })).toBeVisible();
  await look('palette with hits');
  await sought.fill('nothing of that name');
  await expect(page.getByText('Nothing fits.')).toBeVisible();
  await look('palette without hits');
  await open(page, '/versions');
  await page.getByText('Columns', { exact: true }).click();
  await look('choice of columns');
  await open(page, '/backups');
  await page.locator('.account > summary').click();
  await look('account menu');
}

/** A deployment that is being connected, with something wrong. */
async function connecting(page: Page, deployment: Deployment, look: Look): Promise<void> {
  await page.goto('/setup');
  await page.getByLabel('Path of metadata.db').fill('metadata.db');
  await page.getByRole('button', { name: 'Test SQLite' }).click();
  await expect(page.getByLabel('Path of metadata.db')).toHaveAttribute('aria-invalid', 'true');
  await hydrated(page);
  await look('setup: a field that is wrong');
  await page.getByLabel('Path of metadata.db').fill(`${deployment.folder}/metadata.db`);
  await page.getByRole('button', { name: 'Test SQLite' }).click();
  await page.getByLabel('Address').fill('http://127.0.0.1:1');
  await page.getByRole('button', { name: 'Test Qdrant' }).click();
  await expect(page.getByRole('button', { name: 'Go on all the same' })).toBeVisible();
  await hydrated(page);
  await look('setup: a store that does not answer');
  await page.getByRole('button', { name: 'Go on all the same' }).click();
  await page.getByLabel('Bolt address').fill('bolt://127.0.0.1:1');
  await page.getByLabel('Password of Neo4j').fill('stands nowhere');
  await page.getByRole('button', { name: 'Test Neo4j' }).click();
  await page.getByRole('button', { name: 'Go on all the same' }).click();
  await page.getByLabel('Folder of the backups').fill(join(deployment.folder, 'backups'));
  await page.getByRole('button', { name: 'Test Backups' }).click();
  await expect(page.getByRole('region', { name: 'stepback.toml' })).toBeVisible();
  await hydrated(page);
  await look('setup: the finished file');
}

/** A rollback at work, then asking, then interrupted, then resumed to its end; with what else shows it. */
async function aRollback(page: Page, deployment: Deployment, look: Look): Promise<void> {
  const id = deployment.failed;
  await deployment.refuseDeletions();
  const release = await deployment.lock('graph');
  await open(page, deployment.version(id, '/plan'));
  await startRollback(page, id);
  await hydrated(page);
  await expect(step(page, 4)).toContainText('done', { timeout: 30_000 });
  await look('run-at-work');
  await release();
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible({ timeout: 30_000 });
  await look('run-asks');
  await page.getByText('Skip…').click();
  await page.getByText('Abort…').click();
  await look('run-skip-or-abort');
  await each(
    page,
    {
      'overview-asks': '/',
      'report-so-far': '/runs/1/report',
      'plan-while-another-asks': deployment.version(id, '/plan'),
    },
    look,
  );

  await page.goto('about:blank');
  await deployment.stop('SIGKILL');
  await deployment.allowDeletions();
  await deployment.start();
  const interrupted = {
    'overview-interrupted': '/',
    'run-interrupted': '/runs/1',
    'plan-while-another-is-interrupted': deployment.version('v22_minor_20261117_140652', '/plan'),
    // The last: the run is resumed from there.
    resume: '/runs/1/resume',
  };
  await each(page, interrupted, look);
  for (const box of await acknowledgements(page).all()) await box.check();
  await page.getByLabel('Reason').fill('The server is back');
  await page.getByRole('button', { name: 'Resume run #1' }).click();
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 40_000 });
  const after = {
    'run-completed': '/runs/1',
    'overview-after': '/',
    'history-with-runs': '/runs',
    report: '/runs/1/report',
    compare: '/runs/compare?a=1&b=1',
    'version-rolled-back': deployment.version(id),
    'audit-with-entries': '/audit',
  };
  await each(page, after, look);
  await open(page, '/runs/1');
  await unfolded(page, 'run-completed', look);
}

/** A rollback that somebody gives up, and a journal that takes nothing any more. */
async function anAbort(page: Page, deployment: Deployment, look: Look): Promise<void> {
  const id = deployment.failed;
  const plan = deployment.version(id, '/plan');
  await deployment.refuseDeletions();
  await open(page, plan);
  await startRollback(page, id);
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible({ timeout: 30_000 });
  await page.getByText('Abort…').click();
  await step(page, 5).getByLabel('Reason').fill('The graph needs its administrator');
  await page.getByRole('button', { name: 'Abort run #1' }).click();
  await expect(page).toHaveTitle(/^aborted/, { timeout: 30_000 });
  await look('run-aborted');
  await each(page, { 'overview-aborted': '/', 'version-aborted': deployment.version(id), 'plan-take-over': plan }, look);
  await deployment.fillJournal();
  await each(page, { 'overview-journal-full': '/', 'plan-journal-full': plan }, look);
}

/** A plan that waits for another person, seen by who asked. */
async function aRequest(page: Page, deployment: Deployment, look: Look): Promise<void> {
  const plan = deployment.version(deployment.failed, '/plan');
  await open(page, plan);
  await look('plan-asks-for-approval');
  const form = page.locator('#ask');
  await form.getByLabel('Reason').fill('Check 4 failed twice');
  for (const box of await acknowledgements(page).all()) await box.check();
  await form.getByRole('button', { name: 'Ask for approval' }).click();
  await expect(page).toHaveURL(/\/approvals\/[0-9a-f]+$/, { timeout: 30_000 });
  await hydrated(page);
  await look('approval');
  await each(page, { approvals: '/approvals', 'overview-with-request': '/', 'plan-waits': plan }, look);
}

/** Stores that cannot be read, one after the other. */
async function badWeather(page: Page, deployment: Deployment, look: Look): Promise<void> {
  const plan = deployment.version(deployment.failed, '/plan');
  const break_ = async (store: string) => {
    const file = join(deployment.folder, `${store}.db`);
    await rename(file, `${file}.away`);
    await writeFile(file, 'not a database at all, but a file in its place'.repeat(100));
  };
  await break_('graph');
  await each(page, { 'overview-graph-down': '/', 'plan-graph-down': plan }, look);
  await break_('metadata');
  const down = {
    'overview-registry-down': '/',
    'versions-registry-down': '/versions',
    'version-registry-down': deployment.version(deployment.failed),
    'plan-registry-down': plan,
    'restore-registry-down': '/restore/latest-copy',
  };
  await each(page, down, look);
}

/** Production restored by a rollback, put back again, and found wanting. */
async function aRestore(page: Page, deployment: Deployment, look: Look): Promise<void> {
  await open(page, deployment.version(deployment.failed, '/plan'));
  await look('plan-with-restore');
  await startRollback(page, deployment.failed);
  await expect(page.getByText('Rolled back.', { exact: true })).toBeVisible({ timeout: 40_000 });
  await each(page, { restored: '/runs/1', 'ways-back': '/backups' }, look);
  // Copies are alike: one of them, and one that is only kept.
  await unfolded(page, 'ways-back', look, '#backup-latest-copy, #backup-v1_baseline, .ways-back');
  await each(page, { undo: '/runs/1/undo' }, look);
  await startRun(page, 'run-1');
  await expect(page.getByText(/^The restore is undone/)).toBeVisible({ timeout: 40_000 });
  await each(page, { 'history-of-kinds': '/runs', 'compare-kinds': '/runs/compare?a=1&b=2', findings: '/runs/2' }, look);
  await unfolded(page, 'findings', look);
}

/** A journal with many runs of two kinds and outcomes: what is drawn and compared of them. */
async function aHistory(page: Page, deployment: Deployment, look: Look): Promise<void> {
  await open(page, '/');
  await page.getByRole('button', { name: 'Validate production' }).click();
  await expect(page.getByRole('region', { name: 'Validation' })).toContainText('7 of 7 checks passed', { timeout: 30_000 });
  await deployment.refuseDeletions();
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await page.getByRole('button', { name: 'Try again' }).waitFor({ timeout: 30_000 });
  await page.getByText('Abort…').click();
  await page.getByRole('button', { name: 'Abort run #2' }).click();
  await expect(page.getByText('Aborted. The version stays rolling_back.')).toBeVisible({ timeout: 30_000 });
  await page.goto('about:blank');
  await deployment.stop();
  await manyRuns(deployment, 60);
  expect(await deployment.checkJournal(), 'the journal is as Stepback would have written it').toContain('sound');
  await deployment.start();
  await open(page, '/runs');
  await expect(page.getByRole('region', { name: 'Chart: Runs over time' }).getByRole('img')).toBeVisible();
  await look('history-of-many');
  const others = {
    'history-next-page': '/runs?cursor=38',
    'history-found': '/runs?q=one+of+many%2C+number+1&state=aborted&from=2020-01-01',
    'compare-of-many': '/runs/compare?a=1&b=2',
  };
  await each(page, others, look);
}

/** Where the pipeline keeps a version's staging data under its own names. */
async function ownNames(page: Page, deployment: Deployment, look: Look): Promise<void> {
  const id = deployment.failed;
  const pages = {
    overview: '/',
    versions: '/versions',
    version: deployment.version(id),
    plan: deployment.version(id, '/plan'),
  };
  await each(page, pages, look);
}

/** Who may only look. */
async function aViewer(page: Page, deployment: Deployment, look: Look): Promise<void> {
  const pages = {
    overview: '/',
    plan: deployment.version(deployment.failed, '/plan'),
    backups: '/backups',
    'people-refused': '/people',
    'tokens-refused': '/people/tokens',
    'audit-refused': '/audit',
    'setup-refused': '/setup',
  };
  await each(page, pages, look);
}

/** A registry without any version. */
async function emptiness(page: Page, deployment: Deployment, look: Look): Promise<void> {
  await deployment.sql('metadata', 'DELETE FROM operation_log; DELETE FROM version_registry');
  await each(page, { overview: '/', versions: '/versions', backups: '/backups', history: '/runs' }, look);
}

interface Journey {
  name: string;
  /** Looks at every page on the way. */
  go: (page: Page, deployment: Deployment, look: Look) => Promise<void>;
  /** What the deployment is like, and who looks. */
  of: { as?: Role; layout?: Layout; contaminated?: boolean; settings?: string };
}

export const JOURNEYS: Journey[] = [
  { name: 'before any run', go: beforeAnyRun, of: {} },
  { name: 'before sign-in, and where something is refused', go: besides, of: {} },
  { name: 'through a rollback that asks, is interrupted and resumed', go: aRollback, of: {} },
  { name: 'through a rollback that is aborted, and a journal that is full', go: anAbort, of: {} },
  { name: 'through a restore and its undoing', go: aRestore, of: { contaminated: true } },
  { name: 'where plans need approval', go: aRequest, of: { as: 'operator', settings: '[approval]\nrequired = 1' } },
  { name: 'while a deployment is being connected', go: connecting, of: {} },
  { name: 'with a dialog open', go: dialogs, of: {} },
  { name: 'with stores that cannot be read', go: badWeather, of: {} },
  { name: 'with many runs in the journal', go: aHistory, of: {} },
  { name: 'in the per-version layout', go: ownNames, of: { layout: 'per-version' } },
  { name: 'as a viewer', go: aViewer, of: { as: 'viewer' } },
  { name: 'with an empty registry', go: emptiness, of: {} },
];
