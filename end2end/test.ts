// The tests' surroundings: each has a deployment and a server of its own, and fails when the page misbehaves in any way
// it did not announce.
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Locator, type Page, test as base, expect } from '@playwright/test';
import { type Demo, Deployment, type Layout, PEOPLE, type Role, writeDemo } from './deployment.ts';

interface Options {
  /** Where the demo's staging data lives. */
  layout: Layout;
  /** Production differs from latest-copy, as a failed ingestion leaves it. */
  contaminated: boolean;
  /** Who is signed in from the beginning, if anybody is. */
  as: Role | null;
  /** The deployment has users: one of each role. */
  users: boolean;
  /** Lines that are added to the settings. */
  settings: string;
  /** Console errors that belong to the test: what a browser logs for an answer it asked for on purpose. */
  expectedErrors: RegExp | undefined;
}

interface Surroundings {
  /** A demo with its server running. */
  deployment: Deployment;
  /** Fails the test after its end if the page wrote errors, opened dialogs, or asked another host for anything. */
  quiet: void;
}

export const test = base.extend<Options & Surroundings, { demos: (layout: Layout, contaminated: boolean) => Promise<Demo> }>({
  layout: ['shared', { option: true }],
  contaminated: [false, { option: true }],
  as: ['administrator', { option: true }],
  users: [true, { option: true }],
  settings: ['', { option: true }],
  expectedErrors: [undefined, { option: true }],

  demos: [
    async ({}, use) => {
      const written = new Map<string, Promise<Demo>>();
      await use((layout, contaminated) => {
        const key = `${layout} ${contaminated}`;
        const demo = written.get(key) ?? writeDemo(layout, contaminated);
        written.set(key, demo);
        return demo;
      });
      for (const demo of written.values()) await rm(dirname((await demo).folder), { recursive: true, force: true });
    },
    { scope: 'worker' },
  ],

  deployment: async ({ demos, layout, contaminated, users, settings }, use, info) => {
    const deployment = await Deployment.copy(layout, await demos(layout, contaminated), users);
    try {
      await deployment.configure(settings);
      await deployment.start();
      await use(deployment);
    } finally {
      await deployment.remove();
      if (info.status !== info.expectedStatus) await info.attach('server.log', { body: deployment.serverLog });
    }
  },

  baseURL: async ({ deployment }, use) => use(deployment.url),

  // Every page of the test's context is signed in.
  context: async ({ context, as, users }, use) => {
    if (as && users) {
      const page = await context.newPage();
      await signIn(page, as);
      await page.close();
    }
    await use(context);
  },

  quiet: [
    async ({ context, deployment, expectedErrors }, use) => {
      const found: string[] = [];
      const watch = (page: Page) => {
        page.on('pageerror', (error) => found.push(`uncaught: ${error.stack ?? error.message}`));
        page.on('dialog', (dialog) => {
          found.push(`dialog: ${dialog.message()}`);
          void dialog.dismiss();
        });
        page.on('console', (message) => {
          const text = `${message.text()} (${message.location().url})`;
          if (message.type() === 'error' && !expectedErrors?.test(text)) found.push(`console: ${text}`);
        });
      };
      // What the page's policy forbids is tried by nothing of ours.
      await context.addInitScript(() =>
        addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`)),
      );
      context.pages().forEach(watch);
      context.on('page', watch);
      context.on('request', (request) => {
        const { protocol, origin } = new URL(request.url());
        const own = origin === deployment.url || protocol === 'data:' || protocol === 'blob:';
        if (!own) found.push(`another host: ${request.url()}`);
      });
      await use();
      expect(found, 'errors, dialogs and requests to other hosts').toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** Signs in by the page's form; works without JavaScript too. */
export async function signIn(page: Page, as: Role, next = '/runs'): Promise<void> {
  await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
  await page.getByLabel('Name').fill(PEOPLE[as].name);
  await page.getByLabel('Password').fill(PEOPLE[as].password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(next);
}

/** Opens a page and waits until it answers to JavaScript. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await hydrated(page);
}

export async function hydrated(page: Page): Promise<void> {
  await expect(page.locator('html[data-hydrated]')).toBeAttached();
}

/** Fills in the plan's confirmation and starts; ends on the run's page. */
export async function startRollback(page: Page, id: string, reason = 'Check 4 failed'): Promise<void> {
  await page.getByLabel('Reason').fill(reason);
  await page.getByLabel('Type the version id').fill(id);
  for (const box of await acknowledgements(page).all()) await box.check();
  await page.getByRole('button', { name: /^(Roll back|Take over)/ }).click();
  await expect(page).toHaveURL(/\/runs\/\d+$/, { timeout: 30_000 });
}

/** Fills in the confirmation of a plan of any kind and starts; ends on the page of the run, once that has ended. */
export async function startRun(page: Page, name: string | undefined, reason = 'By the end-to-end test'): Promise<void> {
  await page.getByLabel('Reason').fill(reason);
  const typed = page.getByLabel(/^Type the /);
  if (name === undefined) await expect(typed).toHaveCount(0);
  else await typed.fill(name);
  for (const box of await acknowledgements(page).all()) await box.check();
  await page.locator('#confirm').getByRole('button').click();
  await expect(page).toHaveURL(/\/runs\/\d+$/, { timeout: 30_000 });
}

/** What a plan asks to be acknowledged. */
export function acknowledgements(page: Page): Locator {
  return page.getByRole('checkbox', { name: /^I have seen/ });
}

/** One of the eight steps on a run's page. */
export function step(page: Page, number: number): Locator {
  return page.getByRole('listitem').filter({ hasText: `Step ${number}:` });
}

export function heading(page: Page): Locator {
  return page.getByRole('heading', { level: 1 });
}
