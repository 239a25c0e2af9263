// Connecting a real deployment: tested as one goes, by plain forms, and with a file to copy at its end.
import { join } from 'node:path';
import { expect, heading, test } from './test.ts';

const SECRET = 'a password that stands nowhere';

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('an administrator is led to the finished file', async ({ page, deployment }) => {
      await page.goto('/setup');
      await expect(heading(page)).toHaveText('Connect a deployment');

      // Nothing can be tested of a path that is none.
      const metadata = page.getByLabel('Path of metadata.db');
      await metadata.fill('metadata.db');
      await page.getByRole('button', { name: 'Test SQLite' }).click();
      await expect(metadata).toHaveAttribute('aria-invalid', 'true');
      await expect(metadata).toHaveAccessibleDescription(/the whole path/);
      await metadata.fill(join(deployment.folder, 'metadata.db'));
      await page.getByRole('button', { name: 'Test SQLite' }).click();
      const sqlite = page.getByRole('region', { name: /SQLite/ });
      await expect(sqlite.getByText('readable and writable')).toBeVisible();

      // Nothing listens there: what to do is said, and one may go on.
      const qdrant = page.getByRole('region', { name: /Qdrant/ });
      await qdrant.getByLabel('Address').fill('http://127.0.0.1:1');
      await qdrant.getByLabel('API key').fill(SECRET);
      await page.getByRole('button', { name: 'Test Qdrant' }).click();
      await expect(qdrant.getByText('What to do:')).toBeVisible();
      await expect(qdrant.getByLabel('Address')).toHaveValue('http://127.0.0.1:1');
      await expect(qdrant.getByLabel('API key')).toHaveValue('');
      await page.getByRole('button', { name: 'Go on all the same' }).click();

      const neo4j = page.getByRole('region', { name: /Neo4j/ });
      await neo4j.getByLabel('Bolt address').fill('bolt://127.0.0.1:1');
      await neo4j.getByLabel('Password of Neo4j').fill(SECRET);
      await page.keyboard.press('Enter');
      await expect(neo4j.getByText('What to do:')).toBeVisible();
      await page.getByRole('button', { name: 'Go on all the same' }).click();

      await page.getByLabel('Folder of the backups').fill(join(deployment.folder, 'backups'));
      await page.getByRole('button', { name: 'Test Backups' }).click();
      const file = page.getByRole('region', { name: 'stepback.toml' });
      await expect(file).toContainText(`metadata = "${join(deployment.folder, 'metadata.db')}"`);
      await expect(file).toContainText('password_file = "/etc/stepback/neo4j-password"');
      await expect(page.getByText('Not everything is proven to work: Qdrant, Neo4j.')).toBeVisible();
      expect(page.url()).toBe(`${deployment.url}/setup#open`);
      expect(await page.content()).not.toContain(SECRET);

      // Back to one of them, and what was typed elsewhere is still there.
      await page.getByRole('button', { name: 'Change SQLite' }).click();
      await expect(metadata).toHaveValue(join(deployment.folder, 'metadata.db'));
      await expect(page.getByRole('region', { name: /Backups/ })).toContainText(join(deployment.folder, 'backups'));
    });
  });
}

test.describe('for others', { tag: '@desktop' }, () => {
  test.use({ as: 'viewer', expectedErrors: /status of 403/ });

  test('it is a page that says why not, within the frame, with a way on', async ({ page }) => {
    const answer = await page.goto('/setup');
    expect(answer?.status()).toBe(403);
    await expect(heading(page)).toHaveText('Your role does not allow that');
    const main = page.getByRole('main');
    for (const term of ['What happened', 'What is safe', 'What to do']) await expect(main.getByText(term)).toBeVisible();
    await expect(main.getByText('You are signed in as vera')).toBeVisible();
    await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible();
    await main.getByRole('link', { name: 'To the overview' }).click();
    await expect(heading(page)).toHaveText('Overview');
  });
});
