// A throw-away database with everything a hosted project has, and the project's migrations applied by the official CLI.
// Needs the build (npm run build). Takes a few seconds; fsync is off and nothing of it is left behind.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { pushMigrations } from '../../local/dist/migrations.js';
import { bootstrapGrants, bootstrapPlatform } from '../../local/dist/postgres/bootstrap.js';
import { PostgresCluster } from '../../local/dist/postgres/cluster.js';
import { LiteService } from '../../local/dist/rest/lite.js';
import { applyRealtimeSchema } from '../../local/realtime/dist/index.js';

/** The repository's root: the folder that has `supabase/`. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Starts the database; `stop()` ends it and removes its folder. `url(role)` is a connection string. */
export async function startTestDatabase({ migrate = true } = {}) {
  const log = pino({ level: process.env.STARK_TEST_LOG ?? 'silent' });
  const folder = await mkdtemp(join(tmpdir(), 'stark-db-'));
  const cluster = new PostgresCluster({ dataDir: join(folder, 'data'), port: 0, durable: false, log });
  const stop = async () => {
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await cluster.initialise();
    await cluster.start();
    await bootstrapPlatform(cluster);
    await makeSystemSchemas(cluster, folder, log);
    await applyRealtimeSchema(cluster.url('supabase_admin'));
    await bootstrapGrants(cluster);
    if (migrate) await pushMigrations(root, cluster.url('postgres'));
    return { url: (role = 'postgres') => cluster.url(role), stop };
  } catch (error) {
    await stop();
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

async function makeSystemSchemas(cluster, folder, log) {
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
