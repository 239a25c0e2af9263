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

/** Rows of the journal, by SQLite's own program. */
async function journalRows<Row>(journal: string, query: string): Promise<Row[]> {
  const { stdout } = await run('sqlite3', ['-json', journal, query], { maxBuffer: 1 << 28 });
  return stdout.trim() === '' ? [] : (JSON.parse(stdout) as Row[]);
}

const quoted = (text: string | null) => (text === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`);

const hashOf = (fields: (string | null)[]) =>
  createHash('sha256')
    .update(Buffer.concat(fields.map(field)))
    .digest('hex');

type RunRow = Record<'id' | 'started_at' | 'last_event', number> &
  Record<'kind' | 'version_id' | 'actor' | 'plan_digest' | 'plan_json' | 'run_key', string>;

/**
 * Tells the runs of the journal, which all have ended, over and over, so many times, each some hours before the next, and keeps
 * the journal's chain whole. The reason of each is a number of its own. The server must not run.
 */
export async function manyRuns(deployment: Deployment, count: number): Promise<void> {
  const journal = join(deployment.folder, 'stepback-data', 'journal.db');
  const own = await journalRows<RunRow>(journal, 'SELECT * FROM runs ORDER BY id');
  const [last] = await journalRows<{ sequence: number; hash: string }>(
    journal,
    'SELECT sequence, hash FROM entries ORDER BY sequence DESC LIMIT 1',
  );
  if (!last || own.length === 0) throw new Error('the journal has no run to tell again');
  const statements = ['BEGIN;'];
  let { sequence, hash } = last;
  const entry = (run: number, number: number, state: string, rest: (string | null)[]) => {
    const previous = hash;
    sequence += 1;
    hash = hashOf([previous, `${sequence}`, `${run}`, `${number}`, state, ...rest]);
    statements.push(
      `INSERT INTO entries VALUES (${sequence}, ${run}, ${number}, ${quoted(state)}, '${previous}', '${hash}');`,
    );
  };
  for (let i = 0; i < count; i++) {
    const like = own[i % own.length] as RunRow;
    const [id, earlier] = [own.length + 1 + i, (count - i) * 7 * 3_600_000];
    const [reason, key] = [`one of many, number ${i}`, `${like.run_key}-${i}`];
    statements.push(
      `INSERT INTO runs (id, kind, version_id, state, reason, actor, plan_digest, plan_json, run_key, started_at, ended_at,
         summary, last_event, stood_still_ms, waited_ms)
       SELECT ${id}, kind, version_id, state, ${quoted(reason)}, actor, plan_digest, plan_json, ${quoted(key)},
         started_at - ${earlier}, ended_at - ${earlier}, summary, last_event, stood_still_ms, waited_ms
       FROM runs WHERE id = ${like.id};`,
      `INSERT INTO step_times (run_id, step, started_at, ended_at, worked_ms)
       SELECT ${id}, step, started_at - ${earlier}, ended_at - ${earlier}, worked_ms FROM step_times WHERE run_id = ${like.id};`,
    );
    const events = await journalRows<{ number: number; at: number; body: string; state: string }>(
      journal,
      `SELECT n.number, coalesce(e.at, 0) AS at, coalesce(e.body, '') AS body, n.state FROM entries n
       LEFT JOIN events e USING (run_id, number) WHERE n.run_id = ${like.id} ORDER BY n.number`,
    );
    for (const { number, at, body, state } of events) {
      if (number === 0) {
        const { kind, version_id, actor, plan_digest, plan_json } = like;
        const started = `${like.started_at - earlier}`;
        entry(id, 0, state, [kind, version_id, reason, actor, plan_digest, plan_json, key, started]);
        continue;
      }
      const event = JSON.parse(body) as { run_id: number; at: string };
      [event.run_id, event.at] = [id, new Date(at - earlier).toISOString()];
      const text = JSON.stringify(event);
      statements.push(`INSERT INTO events VALUES (${id}, ${number}, ${at - earlier}, ${quoted(text)});`);
      entry(id, number, state, [`${at - earlier}`, text]);
    }
  }
  statements.push('COMMIT;');
  const script = join(deployment.folder, 'many-runs.sql');
  await writeFile(script, statements.join('\n'));
  await run('sqlite3', ['-batch', '-bail', journal, `.read ${script}`]);
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
