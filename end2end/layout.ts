// What may be wrong with a page's layout, found in the page itself: it scrolls sideways, text is cut, things to press lie on
// each other, or the navigation at a phone's lower edge hides the page's end.
import type { Page } from '@playwright/test';

/** 640 is 1280 at 200 %, 320 the same at 400 %. */
export const WIDTHS = [320, 375, 640, 768, 1024, 1280, 1920, 2560];

/** What is wrong at each width. */
export async function layoutTroubles(page: Page, name: string, widths = WIDTHS): Promise<string[]> {
  const found: string[] = [];
  for (const width of widths) {
    await page.setViewportSize({ width, height: 800 });
    for (const trouble of await page.evaluate(troubles)) found.push(`${name}, ${width} pixels: ${trouble}`);
  }
  return found;
}

/** Runs in the page. */
function troubles(): string[] {
  const found: string[] = [];
  const root = document.documentElement;
  const says = (e: Element) => {
    const words = (e.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 50);
    const own = `${e.tagName.toLowerCase()}${e.id ? `#${e.id}` : ''}${[...e.classList].map((c) => `.${c}`).join('')}`;
    return `${own} “${words}”`;
  };
  const styles = new Map<Element, CSSStyleDeclaration>();
  const style = (e: Element) =>
    styles.get(e) ?? (styles.set(e, getComputedStyle(e)), styles.get(e) as CSSStyleDeclaration);
  const shown = (e: Element) =>
    e.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });
  // Said, not shown.
  const spoken = (e: Element) => e.closest('.sr, .stack thead') !== null || style(e).clipPath === 'inset(50%)';

  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll('body *')].filter(
      (e) => e.getBoundingClientRect().right > root.clientWidth + 1,
    );
    found.push(`scrolls sideways by ${root.scrollWidth - root.clientWidth}: ${wide.slice(0, 3).map(says).join(', ')}`);
  }

  // Text that an ancestor cuts off, unless that scrolls, shows an ellipsis or has the whole in a title.
  const BOXES = '.btn, .badge, .chip, td, th, button, label, summary, h1, h2, h3, kbd, dt, dd';
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const parent = text.parentElement;
    if (
      !parent ||
      !text.textContent?.trim() ||
      parent.closest('svg, script, style, noscript') ||
      !shown(parent) ||
      spoken(parent)
    )
      continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const rects = [...range.getClientRects()].filter((r) => r.width > 0);
    if (rects.length === 0) continue;
    const left = Math.min(...rects.map((r) => r.left));
    const right = Math.max(...rects.map((r) => r.right));
    const bottom = Math.max(...rects.map((r) => r.bottom));
    const top = Math.min(...rects.map((r) => r.top));
    const box = parent.closest(BOXES);
    let scrollsX = false;
    let scrollsY = false;
    for (let e: Element | null = parent; e && e !== document.body; e = e.parentElement) {
      const s = style(e);
      if (s.display === 'inline' || s.display === 'contents') continue;
      const meant = s.textOverflow === 'ellipsis' || e.hasAttribute('title') || s.webkitLineClamp !== 'none';
      if (/auto|scroll/.test(s.overflowX)) scrollsX = true;
      if (/auto|scroll/.test(s.overflowY)) scrollsY = true;
      if (meant) break;
      const r = e.getBoundingClientRect();
      const beyondX = right > r.right + 1 || left < r.left - 1;
      if (!scrollsX && beyondX && /hidden|clip/.test(s.overflowX)) {
        found.push(`text cut at the side by ${says(e)}: “${text.textContent.trim().slice(0, 40)}”`);
        break;
      }
      if (!scrollsY && (bottom > r.bottom + 2 || top < r.top - 2) && /hidden|clip/.test(s.overflowY)) {
        found.push(`text cut in its height by ${says(e)}: “${text.textContent.trim().slice(0, 40)}”`);
        break;
      }
      if (!scrollsX && beyondX && e === box) {
        found.push(`text sticks out of ${says(e)}`);
        break;
      }
    }
  }

  // Things to press that lie on each other.
  const PRESSED = 'a[href], button, input:not([type=hidden]), select, textarea, summary';
  interface Thing {
    e: Element;
    layer: Element | null;
    rects: DOMRect[];
  }
  const layerOf = (e: Element) => {
    for (let at: Element | null = e; at; at = at.parentElement) {
      const { position, zIndex } = style(at);
      // What opens above the page is meant to lie on it.
      if (/fixed|sticky/.test(position) || (position === 'absolute' && zIndex !== 'auto')) return at;
    }
    return null;
  };
  const seenOf = (e: Element, r: DOMRect): DOMRect => {
    let { left, top, right, bottom } = r;
    for (let at = e.parentElement; at && at !== document.body; at = at.parentElement) {
      const s = style(at);
      if (s.display === 'contents' || s.display === 'inline') continue;
      const box = at.getBoundingClientRect();
      if (s.overflowX !== 'visible') [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
      if (s.overflowY !== 'visible') [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)];
    }
    return new DOMRect(left, top, Math.max(0, right - left), Math.max(0, bottom - top));
  };
  const things: Thing[] = [...document.querySelectorAll(PRESSED)]
    .filter((e) => shown(e) && !spoken(e) && !e.matches('.skip'))
    .map((e) => ({
      e,
      layer: layerOf(e),
      rects: [...e.getClientRects()].map((r) => seenOf(e, r)).filter((r) => r.width > 1 && r.height > 1),
    }));
  const overlap = (a: DOMRect, b: DOMRect) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1.5 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1.5;
  things.forEach((a, i) => {
    for (const b of things.slice(i + 1)) {
      if (a.layer !== b.layer || a.e.contains(b.e) || b.e.contains(a.e)) continue;
      if (a.rects.some((r) => b.rects.some((s) => overlap(r, s)))) found.push(`${says(a.e)} lies on ${says(b.e)}`);
    }
  });

  // At the end of the page nothing stays under what is fixed to the lower edge.
  const fixed = [...document.querySelectorAll('nav')].find((e) => style(e).position === 'fixed' && shown(e));
  const last = things.filter((t) => t.layer === null && t.rects.length > 0 && t.e.closest('main')).at(-1);
  if (fixed && last) {
    const before = root.scrollTop;
    root.scrollTop = root.scrollHeight;
    if (last.e.getBoundingClientRect().bottom > fixed.getBoundingClientRect().top + 1)
      found.push(`${says(last.e)} stays under the navigation`);
    root.scrollTop = before;
  }
  return found;
}
