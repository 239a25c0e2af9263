// How a page behaves while it loads and is used, as the browser itself tells.
import type { Page } from '@playwright/test';

declare global {
  interface Window {
    vitals: { shift: number; paint: number; slowest: number; flush: () => void };
  }
}

/** From now on every page that is opened keeps count of what moved, when it was painted and how long it took to answer. */
export async function watchVitals(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const vitals = { shift: 0, paint: 0, slowest: 0, flush: () => {} };
    const observers: [PerformanceObserver, (entry: PerformanceEntry) => void][] = [];
    const watch = (type: string, take: (entry: PerformanceEntry) => void, more = {}) => {
      const observer = new PerformanceObserver((list) => list.getEntries().forEach(take));
      observer.observe({ type, buffered: true, ...more });
      observers.push([observer, take]);
    };
    watch('layout-shift', (entry) => {
      const { value, hadRecentInput } = entry as PerformanceEntry & { value: number; hadRecentInput: boolean };
      if (!hadRecentInput) vitals.shift += value;
    });
    watch('largest-contentful-paint', (entry) => (vitals.paint = entry.startTime));
    watch('event', (entry) => (vitals.slowest = Math.max(vitals.slowest, entry.duration)), { durationThreshold: 16 });
    vitals.flush = () => observers.forEach(([observer, take]) => observer.takeRecords().forEach(take));
    window.vitals = vitals;
  });
}

/** What moved on the page so far, without anybody's doing. */
export async function layoutShift(page: Page): Promise<number> {
  return page.evaluate(async () => {
    // What moved is told after the frame in which it did.
    await new Promise((after) => requestAnimationFrame(() => requestAnimationFrame(after)));
    window.vitals.flush();
    return window.vitals.shift;
  });
}
