// With the colours of the system, with more contrast, and without motion: what is said by colour is said by a shape or a line
// too, and nothing is told by a faint one.
import type { Page } from '@playwright/test';
import { faintText } from './axe.ts';
import { placesWithRuns } from './places.ts';
import { expect, hydrated, open, startRollback, step, test } from './test.ts';

test.use({ expectedErrors: /status of 404/ });

/** What cannot be told apart when the page's own colours are gone. Runs in the page. */
function untold(): string[] {
  const found: string[] = [];
  const says = (e: Element) =>
    `${e.tagName.toLowerCase()}.${[...e.classList].join('.')} “${(e.textContent ?? '').trim().slice(0, 40)}”`;
  const shown = (e: Element) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const all = (selector: string) => [...document.querySelectorAll(selector)].filter(shown);
  const lined = (e: Element) => {
    const s = getComputedStyle(e);
    const border = ['top', 'right', 'bottom', 'left'].some(
      (side) =>
        s.getPropertyValue(`border-${side}-style`) !== 'none' &&
        parseFloat(s.getPropertyValue(`border-${side}-width`)) > 0,
    );
    return border || (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0);
  };
  const outlined = (e: Element) => {
    const s = getComputedStyle(e);
    return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0;
  };
  for (const e of all('.badge, .step .mark, .ladder .cell')) {
    if (!e.querySelector('svg') && (e.textContent ?? '').trim() === '')
      found.push(`${says(e)} has neither shape nor word`);
  }
  for (const e of all(
    '.badge, .btn, .chip, .card, .verdict, .callout, .bar, .toast, input:not([type=checkbox], [type=radio]), textarea, select',
  )) {
    if (!lined(e)) found.push(`${says(e)} has no edge`);
  }
  // A word of a pixel is for ears alone.
  for (const e of all('.log .line:is(.warning, .error)')) {
    if ((e.querySelector('.level')?.getBoundingClientRect().width ?? 0) < 10)
      found.push(`${says(e)} does not say how grave it is`);
  }
  for (const e of all('[aria-current], [aria-pressed="true"], [aria-selected="true"]')) {
    if (!outlined(e)) found.push(`${says(e)} does not look chosen`);
  }
  return found;
}

/** Everything the keyboard reaches, of which the focus is not seen. */
async function unseenFocus(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (let pressed = 0; pressed < 40; pressed++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const e = document.activeElement;
      if (!e || e === document.body) return null;
      const s = getComputedStyle(e);
      return {
        what: `${e.tagName} ${(e.textContent ?? '').trim().slice(0, 40)}`,
        seen: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2,
      };
    });
    if (!at) break;
    if (!at.seen) found.push(at.what);
  }
  return found;
}

/** With more contrast: what is faint, and what is not to be pressed and does not look so. */
async function faint(page: Page, name: string): Promise<string[]> {
  const found = await faintText(page, name);
  const unlike = await page.evaluate(() =>
    [...document.querySelectorAll('.btn:disabled')]
      .filter((e) => getComputedStyle(e).opacity !== '1' || getComputedStyle(e).borderStyle !== 'dashed')
      .map((e) => e.textContent ?? ''),
  );
  return [...found, ...unlike.map((text) => `${name}: “${text}” is disabled and faint`)];
}

test('with the system’s colours every state has a shape, every choice a line and the focus is seen; with more contrast all is told', async ({
  context,
  page,
  deployment,
}) => {
  test.setTimeout(120_000);
  const places = await placesWithRuns(context, deployment);
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  const found: string[] = [];
  for (const [name, path] of Object.entries(places)) {
    await open(page, path);
    for (const trouble of await page.evaluate(untold)) found.push(`${name}: ${trouble}`);
    if (['overview', 'versions', 'plan', 'run-asks', 'backups', 'styleguide'].includes(name)) {
      for (const what of await unseenFocus(page)) found.push(`${name}: the focus on ${what} is not seen`);
    }
  }
  await open(page, places['run-asks']!);
  const log = page.getByRole('region', { name: 'Log of the run' });
  await expect(log.locator('.line.error')).not.toHaveCount(0);
  await open(page, '/');
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('option', { selected: true })).toBeVisible();
  for (const trouble of await page.evaluate(untold)) found.push(`palette: ${trouble}`);

  await page.emulateMedia({ forcedColors: null });
  for (const name of ['overview', 'versions', 'plan', 'run-asks', 'backups', 'history', 'report', 'styleguide']) {
    await open(page, places[name] ?? '');
    found.push(...(await faint(page, name)));
  }
  expect(found).toEqual([]);
});

test('who asks for less motion sees none, also of a run at work', async ({ page, deployment }) => {
  const moving = () =>
    page.evaluate(() =>
      document
        .getAnimations()
        .filter((a) => a.playState === 'running')
        .map((a) => (a as CSSAnimation).animationName ?? 'transition'),
    );
  const release = await deployment.lock('graph');
  await open(page, deployment.version(deployment.failed, '/plan'));
  await startRollback(page, deployment.failed);
  await hydrated(page);
  await expect(step(page, 5)).toContainText('running');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  // A run at work does move, for those who want it so.
  await expect.poll(moving).toContain('turn');
  await page.emulateMedia({ reducedMotion: 'reduce' });
  expect(await moving()).toEqual([]);
  for (const path of ['/', '/styleguide']) {
    await open(page, path);
    expect(await moving(), path).toEqual([]);
  }
  await release();
});
