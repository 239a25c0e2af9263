// A demo deployment in a folder of its own, the program that serves it, and an independent look at its files.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type Layout = 'shared' | 'per-version';
/** The files of HybridFlow's three stores, as the demo writes them. */
export type Store = 'metadata' | 'vectors' | 'graph';

function program(): string {
  const path = process.env.STEPBACK_BIN;
  if (!path) throw new Error('STEPBACK_BIN names no program. `cargo xtask test --only browser` builds one and sets it.');
  return path;
}

/** The environment without settings of Stepback's: a test's deployment is what its folder says. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('STEPBACK_')));

export type Role = 'viewer' | 'operator' | 'administrator';

/** Somebody of each role, in every deployment that has users. */
export const PEOPLE: Record<Role, { name: string; password: string }> = {
  viewer: { name: 'vera', password: 'looks at everything' },
  operator: { name: 'otto', password: 'starts and decides' },
  administrator: { name: 'ada', password: 'looks after people' },
};

/** Runs the program with a line of standard input; its standard output. */
async function command(args: string[], line: string): Promise<string> {
  const child = run(program(), args, { env });
  child.child.stdin?.end(`${line}\n`);
  return (await child).stdout;
}

/** A demo as `stepback demo` wrote it; every test gets a copy. */
export interface Demo {
  folder: string;
  /** The file with the users, beside the folder. */
  users: string;
  /** The version that failed last. */
  failed: string;
}

export async function writeDemo(layout: Layout, contaminated: boolean): Promise<Demo> {
  const folder = await mkdtemp(join(tmpdir(), `stepback-demo-${layout}-`));
  const options = ['--layout', layout, ...(contaminated ? ['--contaminated'] : [])];
  const { stdout } = await run(program(), ['demo', join(folder, 'demo'), ...options], { env });
  const failed = /^The version that failed: (\S+)$/m.exec(stdout)?.[1];
  if (!failed) throw new Error(`The demo names no failed version:\n${stdout}`);
  const settings = join(folder, 'demo', 'stepback.toml');
  for (const [role, { name, password }] of Object.entries(PEOPLE)) {
    await command(['user', 'add', name, '--role', role, '--config', settings], password);
  }
  // A copy without users is as a first start finds it.
  const users = join(folder, 'users');
  await cp(join(folder, 'demo', 'stepback-data'), users, { recursive: true });
  await rm(join(folder, 'demo', 'stepback-data'), { recursive: true });
  return { folder: join(folder, 'demo'), users, failed };
}

export class Deployment {
  private server: ChildProcess | undefined;
  private port = 0;
  private log = '';
  private output = '';
  private readonly locks: ChildProcess[] = [];

  private constructor(
    readonly layout: Layout,
    readonly folder: string,
    /** The version that failed last: what the tests roll back. */
    readonly failed: string,
  ) {}

  static async copy(layout: Layout, demo: Demo, users: boolean): Promise<Deployment> {
    const folder = await mkdtemp(join(tmpdir(), 'stepback-end2end-'));
    await cp(demo.folder, folder, { recursive: true, preserveTimestamps: true });
    if (users) await cp(demo.users, join(folder, 'stepback-data'), { recursive: true });
    else await mkdir(join(folder, 'stepback-data'), { recursive: true });
    return new Deployment(layout, folder, demo.failed);
  }

  /** Adds to the settings; read at the next start. */
  async configure(lines: string): Promise<void> {
    if (lines !== '') await appendFile(join(this.folder, 'stepback.toml'), `\n${lines}\n`);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Serves the folder; once started, always on the same port, as a real server would be. */
  async start(): Promise<void> {
    const settings = join(this.folder, 'stepback.toml');
    const server = spawn(program(), ['serve', '--config', settings, '--listen', `127.0.0.1:${this.port}`], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.server = server;
    server.stderr.on('data', (text: Buffer) => (this.log += text.toString()));
    const lines = createInterface({ input: server.stdout });
    lines.on('line', (line) => (this.output += `${line}\n`));
    const ready = new Promise<number>((found) => {
      lines.on('line', (line) => {
        const port = /^Stepback is ready: http:\/\/127\.0\.0\.1:(\d+)\//.exec(line)?.[1];
        if (port) found(Number(port));
      });
      lines.on('close', () => found(0));
    });
    this.port = await ready;
    if (this.port === 0) throw new Error(`The server did not start:\n${this.log}`);
  }

  /** Ends the server: politely, or as a power cut would. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const server = this.server;
    this.server = undefined;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  }

  async remove(): Promise<void> {
    for (const lock of this.locks) lock.kill('SIGKILL');
    await this.stop('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The baseline's id; it is never rolled back, and disaster recovery restores from it. */
  get baseline(): string {
    return this.layout === 'shared' ? 'v1_baseline' : 'v1_baseline_20260731_102653';
  }

  /** The link of the first start, once the server has printed it. */
  get welcome(): string | undefined {
    return /http\S+\/welcome\?key=\S+/.exec(this.output)?.[0];
  }

  /** What the server wrote to standard error so far. */
  get serverLog(): string {
    return this.log;
  }

  /** What `stepback journal check` says of the journal. */
  async checkJournal(): Promise<string> {
    return command(['journal', 'check', '--config', join(this.folder, 'stepback.toml')], '');
  }

  private file(store: Store): string {
    return join(this.folder, `${store}.db`);
  }

  /** Runs SQL on a store's file with SQLite's own program; rows as lines, columns separated by `|`. */
  async sql(store: Store, statements: string): Promise<string[]> {
    const child = run('sqlite3', ['-batch', '-bail', '-cmd', '.timeout 10000', this.file(store), statements]);
    const { stdout } = await child.catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new Error('SQLite’s program sqlite3 is missing: apt-get install sqlite3') : error;
    });
    return stdout.split('\n').filter((line) => line !== '');
  }

  /** Lets the journal refuse every entry, as a full disk does. */
  async fillJournal(): Promise<void> {
    const file = join(this.folder, 'stepback-data', 'journal.db');
    const statement =
      "CREATE TRIGGER full BEFORE UPDATE ON probe BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";
    await run('sqlite3', ['-batch', '-bail', '-cmd', '.timeout 10000', file, statement]);
  }

  /** Makes every sign-in as unused as if so many minutes had passed. */
  async idle(minutes: number): Promise<void> {
    const file = join(this.folder, 'stepback-data', 'access.db');
    const statement = `UPDATE sessions SET last_seen_at = last_seen_at - ${minutes * 60_000}`;
    await run('sqlite3', ['-batch', '-bail', '-cmd', '.timeout 10000', file, statement]);
  }

  /** The single number a query gives. */
  async count(store: Store, query: string): Promise<number> {
    return Number((await this.sql(store, query))[0]);
  }

  /** Keeps everybody else from writing to a store until the returned function is called. Reading goes on. */
  async lock(store: Store): Promise<() => Promise<void>> {
    const child = spawn('sqlite3', ['-batch', '-bail', '-cmd', '.timeout 10000', this.file(store)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.locks.push(child);
    child.stdin.write("BEGIN IMMEDIATE; SELECT 'locked';\n");
    const [said] = await once(child.stdout, 'data');
    if (!String(said).includes('locked')) throw new Error(`${store}.db could not be locked: ${said}`);
    return async () => {
      const ended = once(child, 'exit');
      child.stdin.end('ROLLBACK;\n');
      await ended;
    };
  }

  /** Lets every deletion of staging nodes fail, as a store out of order would; reading goes on. */
  async refuseDeletions(): Promise<void> {
    await this.sql(
      'graph',
      "CREATE TRIGGER out_of_order BEFORE DELETE ON nodes BEGIN SELECT RAISE(ABORT, 'the graph is out of order'); END",
    );
  }

  async allowDeletions(): Promise<void> {
    await this.sql('graph', 'DROP TRIGGER out_of_order');
  }

  /** A version's page, or one below it. */
  version(id: string, below = ''): string {
    return `/versions/${encodeURIComponent(id)}${below}`;
  }

  async status(id: string): Promise<string> {
    const [status] = await this.sql('metadata', `SELECT status FROM version_registry WHERE version_id = '${id}'`);
    return status ?? '(no such version)';
  }

  /** What the failed version has staged, counted in the files themselves, and production beside it. */
  async counts(): Promise<Counts> {
    const id = this.failed;
    const shared = this.layout === 'shared';
    const collection = shared ? 'textbook_chunks_staging' : `textbook_chunks_${id}`;
    const staged = shared
      ? "id IN (SELECT node_id FROM node_labels WHERE label = 'staging')"
      : `coalesce(id_text, chunk_id_text, paragraph_id_text) LIKE '%::${id}'`;
    const points = (where: string) =>
      `SELECT count(*) FROM points p JOIN collections c ON c.id = p.collection_id WHERE ${where}`;
    return {
      stagingTables: await this.count(
        'metadata',
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'chapter_metadata_staging'",
      ),
      stagedPoints: await this.count('vectors', points(`c.name = '${collection}'`)),
      stagedNodes: await this.count('graph', `SELECT count(*) FROM nodes WHERE ${staged}`),
      chapters: await this.count('metadata', 'SELECT count(*) FROM chapter_metadata'),
      // A trial restore of the schedule may be under way in a scratch collection.
      points: await this.count(
        'vectors',
        points(`c.name <> '${collection}' AND c.name NOT LIKE 'stepback_scratch_%'`),
      ),
      nodes: await this.count('graph', `SELECT count(*) FROM nodes WHERE NOT (${staged})`),
    };
  }
}

export interface Counts {
  stagingTables: number;
  stagedPoints: number;
  stagedNodes: number;
  /** Production, and everything else that stays. */
  chapters: number;
  points: number;
  nodes: number;
}
