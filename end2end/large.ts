// Deployments that have been at work for long: far more versions than anybody reads, and a run with a log as long.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Deployment } from './deployment.ts';

const run = promisify(execFile);

/** So many more versions in the registry: most of them archived, one in a thousand failed, the newest last. */
export async function manyVersions(deployment: Deployment, count: number): Promise<void> {
  await deployment.sql(
    'metadata',
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
     INSERT INTO version_registry (version_id, status, created_at, updated_at, chapter_count, paragraph_count, notes)
     SELECT printf('old_%06d', i), CASE WHEN i % 1000 = 0 THEN 'failed' ELSE 'archived' END,
       datetime('2001-01-01', i || ' hours'), datetime('2001-01-01', i || ' hours'), i % 400, i * 7 % 9000,
       printf('one of very many, number %d', i)
     FROM n`,
  );
}

/** One field of what an entry of the journal is hashed over, as docs/journal.md has it. */
function field(text: string | null): Buffer {
  if (text === null) return Buffer.from([0]);
  const bytes = Buffer.from(text);
  const head = Buffer.alloc(9);
  head[0] = 1;
  head.writeBigUInt64BE(BigInt(bytes.length), 1);
  return Buffer.concat([head, bytes]);
}

/**
 * Makes the log of the run that was at work last so many lines longer, as if its step had told of each, and keeps the journal's
 * chain whole. The server must not run.
 */
export async function manyLogLines(deployment: Deployment, count: number): Promise<void> {
  const journal = join(deployment.folder, 'stepback-data', 'journal.db');
  const { stdout } = await run('sqlite3', [
    '-json',
    journal,
    `SELECT e.run_id, e.number, e.at, e.body, n.sequence, n.state, n.hash FROM entries n JOIN events e USING (run_id, number)
     ORDER BY n.sequence DESC LIMIT 1`,
  ]);
  const [last] = JSON.parse(stdout) as [
    Record<'run_id' | 'number' | 'at' | 'sequence', number> & Record<'body' | 'state' | 'hash', string>,
  ];
  const event = JSON.parse(last.body) as { at: unknown; step: string };
  const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const statements = ['BEGIN;'];
  let { sequence, number, hash } = last;
  for (let i = 1; i <= count; i++) {
    const previous = hash;
    [sequence, number] = [sequence + 1, number + 1];
    const message = i % 10_000 === 0 ? `a needle in the log: ${i}` : `looked at batch ${i}, nothing to be done`;
    const body = JSON.stringify({
      number,
      run_id: last.run_id,
      at: event.at,
      type: 'step_note',
      step: event.step,
      message,
    });
    const fields = [previous, `${sequence}`, `${last.run_id}`, `${number}`, last.state, `${last.at}`, body];
    hash = createHash('sha256')
      .update(Buffer.concat(fields.map(field)))
      .digest('hex');
    statements.push(
      `INSERT INTO events VALUES (${last.run_id}, ${number}, ${last.at}, ${quote(body)});`,
      `INSERT INTO entries VALUES (${sequence}, ${last.run_id}, ${number}, ${quote(last.state)}, '${previous}', '${hash}');`,
    );
  }
  statements.push(`UPDATE runs SET last_event = ${number} WHERE id = ${last.run_id};`, 'COMMIT;');
  const script = join(deployment.folder, 'many-lines.sql');
  await writeFile(script, statements.join('\n'));
  await run('sqlite3', ['-batch', '-bail', journal, `.read ${script}`]);
}
