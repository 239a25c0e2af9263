// Every page, at every moment that looks different: axe finds nothing in light and dark, on a desktop and a phone; nothing scrolls
// sideways, is cut or lies on something else from 320 pixels to 2560. And no route is without a page among them.
import { readFileSync } from 'node:fs';
import { axeViolations } from './axe.ts';
import { layoutTroubles } from './layout.ts';
import { ERRORS_OF_MOMENTS, JOURNEYS } from './moments.ts';
import { gates, places } from './places.ts';
import { expect, test } from './test.ts';

test.describe('every page can be read by everybody and holds at every width', () => {
  test.use({ expectedErrors: ERRORS_OF_MOMENTS });

  for (const { name, go, of } of JOURNEYS) {
    test.describe(name, () => {
      test.use(of);

      test('axe and the layout', async ({ page, deployment }) => {
        test.setTimeout(360_000);
        const found: string[] = [];
        await go(page, deployment, async (place) => {
          found.push(...(await axeViolations(page, place)), ...(await layoutTroubles(page, place)));
        });
        expect(found).toEqual([]);
      });
    });
  }
});

test('every route of the application is among the pages that are looked at', async ({ deployment }) => {
  const application = readFileSync(new URL('../app/src/application.rs', import.meta.url), 'utf8');
  const routes = [...application.matchAll(/path!\("([^"]+)"\)/g)].map(([, path]) => path ?? '');
  expect(routes.length).toBeGreaterThan(20);
  const addresses = Object.values({ ...places(deployment), ...gates }).map((address) => address.split('?')[0] ?? '');
  const unseen = routes.filter((route) => {
    const shape = new RegExp(`^${route.replaceAll(/:\w+/g, '[^/]+')}$`);
    return !addresses.some((address) => shape.test(address));
  });
  expect(unseen).toEqual([]);
});
