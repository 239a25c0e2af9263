import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, heading, open, test } from './test.ts';

// What a browser logs for a page that came with an error's status.
test.use({ expectedErrors: /status of (404|5\d\d)/ });

const WEATHER = {
  'is missing': undefined,
  'is no database': 'not a database at all, but long enough to be mistaken for the header of one, perhaps',
  'is empty': '',
};

for (const [name, content] of Object.entries(WEATHER)) {
  test(`metadata.db ${name}: every page says what is wrong and what is safe`, async ({ page, deployment }) => {
    const file = join(deployment.folder, 'metadata.db');
    await rename(file, `${file}.away`);
    if (content !== undefined) await writeFile(file, content);
    const id = deployment.failed;
    for (const path of ['/versions', deployment.version(id), deployment.version(id, '/plan')]) {
      await open(page, path);
      await expect(heading(page), path).toBeVisible();
      await expect(page.getByRole('main'), path).toContainText('metadata.db');
      await expect(page.getByRole('button', { name: /^Roll back/, disabled: false }), path).toHaveCount(0);
    }
    await open(page, '/');
    await expect(page.getByRole('main')).toContainText('metadata.db');
    await expect(page.getByRole('link', { name: /^Plan rollback/ })).toHaveCount(0);
    for (const path of ['/runs', '/backups']) {
      await open(page, path);
      await expect(page.getByRole('main').getByRole('alert')).toHaveCount(0);
    }

    // Back in its place, it is read again without a restart.
    await rename(`${file}.away`, file);
    await open(page, deployment.version(id));
    await expect(heading(page)).toHaveText(id);
  });
}

test('a store that cannot be read forbids the start and is named', async ({ page, deployment }) => {
  await writeFile(join(deployment.folder, 'graph.db'), 'not a database at all, but a file in its place'.repeat(100));
  await open(page, '/');
  await expect(page.getByRole('region', { name: 'Stores' })).toContainText(/graph\.db/);
  await expect(page.getByRole('region', { name: 'Verdict' })).not.toContainText('You can roll back now');
  await open(page, deployment.version(deployment.failed, '/plan'));
  await expect(page.getByText('This rollback cannot start.')).toBeVisible();
  await expect(page.getByRole('main')).toContainText('graph.db');
  await expect(page.getByRole('button', { name: /^Roll back/ })).toBeDisabled();
  expect(await deployment.status(deployment.failed)).toBe('validating_failed');
});
