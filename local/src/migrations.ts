import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Logger } from 'pino';
import { StackError } from './errors.js';
import { withSession } from './postgres/session.js';

const step = 'migrations';

/** What a project's migrations folder holds: the versions in order and one hash over all their text. */
export interface MigrationSet {
  versions: string[];
  sha256: string;
}

/** Reads `<workdir>/supabase/migrations`. */
export async function readMigrations(workdir: string): Promise<MigrationSet> {
  const folder = join(workdir, 'supabase', 'migrations');
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^\d+_.*\.sql$/.test(name)).sort();
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${name}\n`).update(await readFile(join(folder, name)));
  return { versions: names.map((name) => name.slice(0, name.indexOf('_'))), sha256: hash.digest('hex') };
}

/**
 * Brings the database to the project's migrations. The official CLI takes seconds even when there is nothing to do, so it is
 * asked only when its history table lacks a version.
 */
export async function migrate(o: {
  workdir: string;
  dataDir: string;
  databaseUrl: string;
  log: Logger;
}): Promise<void> {
  const mark = join(o.dataDir, 'migrations.sha256');
  const migrations = await readMigrations(o.workdir);
  if ((await pendingMigrations(o.databaseUrl, migrations)).length > 0) {
    await pushMigrations(o.workdir, o.databaseUrl);
    await writeFile(mark, migrations.sha256);
  } else if ((await readFile(mark, 'utf8').catch(() => '')) !== migrations.sha256) {
    o.log.warn('the migrations were edited since they were applied; stark up --reset starts over with the new ones');
  }
}

/** The versions that the database does not have yet, from the official CLI's own history table. */
export async function pendingMigrations(databaseUrl: string, migrations: MigrationSet): Promise<string[]> {
  return withSession(databaseUrl, async (session) => {
    const history = 'supabase_migrations.schema_migrations';
    const { rows: tables } = await session.query(`select to_regclass('${history}') is not null as found`);
    if (!tables[0]?.found) return migrations.versions;
    const { rows } = await session.query<{ version: string }>(`select version from ${history}`);
    const applied = new Set(rows.map((row) => row.version));
    return migrations.versions.filter((version) => !applied.has(version));
  });
}

/** Applies pending migrations with the official CLI, as the role `postgres`, the way a hosted project gets them. */
export async function pushMigrations(workdir: string, databaseUrl: string): Promise<void> {
  const cli = supabaseCli();
  const child = spawn(process.execPath, [cli, 'db', 'push', `--remote=${databaseUrl}`, '--yes', '--workdir', workdir], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SUPABASE_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return;
  throw new StackError(step, 'MIGRATION_FAILED', describeFailure(output), {
    hint: 'correct that file, then run stark up again; what was applied before it is kept',
  });
}

/** The official CLI's entry file, run with this process's own Node.js so that no PATH is needed. */
export function supabaseCli(): string {
  const manifest = createRequire(import.meta.url).resolve('supabase/package.json');
  return join(dirname(manifest), 'dist', 'supabase.js');
}

/** The file, the error and the statement out of the CLI's report, on one line. */
function describeFailure(output: string): string {
  const lines = stripVTControlCharacters(output)
    .split('\n')
    .map((line) => line.trim());
  const file = lines.map((line) => /Applying migration (\S+?)\.{3}/.exec(line)?.[1]).findLast((name) => name);
  const error =
    lines.find((line) => /^ERROR|SQLSTATE|error:/i.test(line)) ?? lines.filter(Boolean).at(-1) ?? 'no output';
  const at = lines.findIndex((line) => /^At statement/i.test(line));
  const statement =
    at < 0
      ? ''
      : `; ${lines
          .slice(at, at + 3)
          .join(' ')
          .slice(0, 300)}`;
  return `${file ? `migration ${file}: ` : ''}${error}${statement}`;
}
