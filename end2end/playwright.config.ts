import { defineConfig } from '@playwright/test';

// `cargo xtask test` sets it to the Chromium it found; without, Playwright looks for a browser of its own.
const executablePath = process.env.STEPBACK_CHROMIUM || undefined;

export default defineConfig({
  testDir: '.',
  outputDir: 'test-results',
  // Every test starts a server of its own; more would only wait for each other on a small machine.
  workers: 2,
  fullyParallel: true,
  forbidOnly: !!process.env.CI,
  retries: process.env.CI ? 1 : 0,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    trace: 'on-first-retry',
    screenshot: 'only-on-failure',
    locale: 'en-GB',
    actionTimeout: 20_000,
    launchOptions: {
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    {
      name: 'desktop',
      testIgnore: ['screenshots.spec.ts', 'measure.spec.ts'],
      use: { viewport: { width: 1280, height: 800 } },
    },
    {
      name: 'phone',
      // What people do, under a thumb; the other specs set the widths they are about themselves. Without JavaScript a finger is
      // nothing else than a pointer.
      testMatch: ['rollback', 'decisions', 'live', 'backups', 'approvals', 'setup'].map((name) => `**/${name}.spec.ts`),
      grepInvert: /without JavaScript|@desktop/,
      use: { viewport: { width: 375, height: 740 }, isMobile: true, hasTouch: true },
    },
    // Off unless asked for.
    ...(process.env.STEPBACK_SCREENSHOTS ? [{ name: 'screenshots', testMatch: 'screenshots.spec.ts' }] : []),
    ...(process.env.STEPBACK_MEASURE ? [{ name: 'measure', testMatch: 'measure.spec.ts', fullyParallel: false }] : []),
  ],
});
