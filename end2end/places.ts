// Every page there is, on a deployment that has something to show on each.
import { type BrowserContext, expect } from '@playwright/test';
import type { Deployment } from './deployment.ts';
import { open, startRollback } from './test.ts';

/** Addresses by the page's name. */
export type Places = Record<string, string>;

/** The page of every kind, before any run. */
export function places(deployment: Deployment): Places {
  const id = deployment.failed;
  return {
    overview: '/',
    versions: '/versions',
    'versions-filtered': '/versions?q=minor&status=failed',
    'versions-none': '/versions?q=no+such+version',
    version: deployment.version(id),
    plan: deployment.version(id, '/plan'),
    'plan-refused': deployment.version(deployment.baseline, '/plan'),
    history: '/runs',
    backups: '/backups',
    'restore-plan': '/restore/latest-copy',
    'disaster-recovery': `/restore/${deployment.baseline}`,
    'backup-plan': '/backups/new',
    'safety-backup-plan': `/backups/new/${id}`,
    approvals: '/approvals',
    'no-such-approval': '/approvals/nothing',
    password: '/password',
    'password-failed': '/password?failed=refused',
    'password-short': '/password?failed=short',
    people: '/people',
    tokens: '/people/tokens',
    audit: '/audit',
    'audit-filtered': '/audit?actor=ada&outcome=done&since=2026-01-01',
    'audit-none': '/audit?actor=nobody-of-that-name',
    setup: '/setup',
    styleguide: '/styleguide',
    'no-such-backup': '/restore/nothing',
    'no-such-page': '/nowhere',
    'no-such-version': '/versions/nobody',
    'compare-nothing': '/runs/compare',
    'no-such-run': '/runs/99',
    'no-such-report': '/runs/99/report',
    'no-such-run-to-resume': '/runs/99/resume',
    'no-such-run-to-undo': '/runs/99/undo',
  };
}

/** What is worth a measurement while it loads: every page of its own making, by its name in `placesWithRuns` and `gates`. */
export const RENDERED = [
  'overview',
  'versions',
  'version',
  'plan',
  'run-asks',
  'report',
  'compare',
  'history',
  'backups',
  'approvals',
  'people',
  'tokens',
  'audit',
  'setup',
  'password',
  'styleguide',
  'sign-in',
];

/** The pages before sign-in: they have no navigation. */
export const gates: Places = {
  'sign-in': '/sign-in',
  'sign-in-refused': '/sign-in?failed=refused&next=%2Fruns',
  'sign-in-ended': '/sign-in?ended=elsewhere&next=%2Fruns',
  'sign-in-wait': '/sign-in?failed=wait&seconds=900',
  welcome: '/welcome?key=of-no-start',
  'welcome-failed': '/welcome?key=of-no-start&failed=short&name=grace',
  'welcome-no-key': '/welcome',
};

/** Rolls the failed version back until step 5 fails and the run asks; returns the pages of that moment. */
export async function placesWithRuns(context: BrowserContext, deployment: Deployment): Promise<Places> {
  await deployment.refuseDeletions();
  const page = await context.newPage();
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible({ timeout: 30_000 });
  await page.close();
  return { ...places(deployment), 'run-asks': '/runs/1', report: '/runs/1/report', compare: '/runs/compare?a=1&b=1' };
}
