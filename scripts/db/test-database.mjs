// A throw-away database with everything a hosted project has, and the project's migrations applied by the official CLI.
// Needs the build (npm run build). Takes a few seconds; fsync is off and nothing of it is left behind.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { pushMigrations } from '../../local/dist/migrations.js';
import { bootstrapGrants, bootstrapPlatform } from '../../local/dist/postgres/bootstrap.js';
import { LiteService } from '../../local/dist/rest/lite.js';
import { applyRealtimeSchema } from '../../local/realtime/dist/index.js';
import { postgres15 } from './postgres-15.mjs';
import { copyPrepared } from './prepared-folder.mjs';
import { startClusterIn, startTestCluster } from './test-cluster.mjs';

/** The repository's root: the folder that has `supabase/`. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

const log = pino({ level: process.env.STARK_TEST_LOG ?? 'silent' });

/**
 * Starts the database. `url(role)` is a connection string, `pause` has its files looked at while it is stopped, `stop()` ends it
 * and removes its folder.
 */
export async function startTestDatabase({ migrate = true, version = 17 } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'stark-db-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const dataDir = join(folder, 'data');
    const cluster = await (version === 15 ? startOn15(dataDir, { migrate }) : startOn17(dataDir, { migrate }));
    return {
      url: (role = 'postgres') => cluster.url(role),
      pause: async (use) => {
        await cluster.stop();
        await use(dataDir);
        await cluster.start();
      },
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

/** Makes `dataDir` the files of a server that has everything, migrations included; false outside `npm test`. */
export async function copyMigrated(dataDir) {
  return copyPrepared('migrated', dataDir, async (folder) => {
    const cluster = await startFilled(folder, { migrate: true });
    await cluster.stop();
  });
}

/** A new server that looks like a hosted project's. */
async function startFilled(dataDir, { migrate }) {
  return fill(await startTestCluster(dataDir), { migrate });
}

async function startOn17(dataDir, { migrate }) {
  const copied = migrate && (await copyMigrated(dataDir));
  return copied ? startClusterIn(dataDir) : startFilled(dataDir, { migrate });
}

async function startOn15(dataDir, { migrate }) {
  const binaries = await postgres15(`${dataDir}-extensions`);
  return fill(await startClusterIn(dataDir, { binaries }), { migrate });
}

/** Gives a new server what a hosted project has. */
async function fill(cluster, { migrate }) {
  try {
    await bootstrapPlatform(cluster);
    await makeSystemSchemas(cluster, `${cluster.dataDir}-storage`);
    await applyRealtimeSchema(cluster.url('supabase_admin'));
    await bootstrapGrants(cluster);
    if (migrate) await pushMigrations(root, cluster.url('postgres'));
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** Runs `use` with a database of its own. */
export async function withTestDatabase(use, options) {
  const database = await startTestDatabase(options);
  try {
    return await use(database);
  } finally {
    await database.stop();
  }
}

async function makeSystemSchemas(cluster, storageDir) {
  const lite = new LiteService({
    databaseUrl: (role) => cluster.url(role),
    jwtSecret: 'a secret that signs nothing, since nobody is served',
    keys: { publishable: 'sb_publishable_unused', secret: 'sb_secret_unused' },
    schemas: ['public', 'stark'],
    storageDir,
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
