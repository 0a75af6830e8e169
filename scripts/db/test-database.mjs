// A throw-away database with everything a hosted project has, and the project's migrations applied by the official CLI.
// Needs the build (npm run build). Takes a few seconds; fsync is off and nothing of it is left behind.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pino from 'pino';
import { pushMigrations } from '../../local/dist/migrations.js';
import { bootstrapGrants, bootstrapPlatform } from '../../local/dist/postgres/bootstrap.js';
import { PostgresCluster } from '../../local/dist/postgres/cluster.js';
import { LiteService } from '../../local/dist/rest/lite.js';
import { applyRealtimeSchema } from '../../local/realtime/dist/index.js';

/** The repository's root: the folder that has `supabase/`. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where `npm test` keeps, for as long as it runs, a database in which every migration has run. */
const prepared = process.env.STARK_TEST_PREPARED_DATA && `${process.env.STARK_TEST_PREPARED_DATA}-database`;

const log = pino({ level: process.env.STARK_TEST_LOG ?? 'silent' });

/** Starts the database; `stop()` ends it and removes its folder. `url(role)` is a connection string. */
export async function startTestDatabase({ migrate = true } = {}) {
  const copied = migrate && prepared !== undefined && process.platform !== 'win32';
  if (copied && !existsSync(prepared)) await prepare();
  const folder = await mkdtemp(join(tmpdir(), 'stark-db-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    // Postgres wants its files with the owner and the modes that they had.
    if (copied) await promisify(execFile)('cp', ['-a', prepared, join(folder, 'data')]);
    const cluster = await startIn(folder, copied ? undefined : { migrate });
    return {
      url: (role = 'postgres') => cluster.url(role),
      stop: async () => {
        await cluster.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function prepare() {
  const folder = await mkdtemp(`${prepared}-`);
  try {
    const cluster = await startIn(folder, { migrate: true });
    await cluster.stop();
    // When another test file was faster, its database is there already.
    await rename(join(folder, 'data'), prepared).catch(() => {});
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A running server; `fill` says what a new one gets, and is not given for one that has everything. */
async function startIn(folder, fill) {
  const cluster = new PostgresCluster({ dataDir: join(folder, 'data'), port: 0, durable: false, log });
  try {
    await cluster.initialise();
    await cluster.start();
    if (fill === undefined) return cluster;
    await bootstrapPlatform(cluster);
    await makeSystemSchemas(cluster, folder);
    await applyRealtimeSchema(cluster.url('supabase_admin'));
    await bootstrapGrants(cluster);
    if (fill.migrate) await pushMigrations(root, cluster.url('postgres'));
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** Runs `use` with a database of its own. */
export async function withTestDatabase(use) {
  const database = await startTestDatabase();
  try {
    return await use(database);
  } finally {
    await database.stop();
  }
}

async function makeSystemSchemas(cluster, folder) {
  const lite = new LiteService({
    databaseUrl: (role) => cluster.url(role),
    jwtSecret: 'a secret that signs nothing, since nobody is served',
    keys: { publishable: 'sb_publishable_unused', secret: 'sb_secret_unused' },
    schemas: ['public', 'stark'],
    storageDir: join(folder, 'storage'),
    siteUrl: 'http://127.0.0.1',
    apiUrl: () => 'http://127.0.0.1',
    signupEnabled: true,
    log,
  });
  try {
    await lite.ensureSystemSchema();
  } finally {
    await lite.stop();
  }
}
