import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { App, setExperimental } from '@supabase/lite';
import { createPostgresConnection } from '@supabase/lite/postgres';
import pino from 'pino';
import postgres, { type Sql } from 'postgres';
import { copyPrepared } from '../../scripts/db/prepared-folder.mjs';
import { bootstrapGrants, bootstrapPlatform } from '../src/postgres/bootstrap.js';
import { PostgresCluster } from '../src/postgres/cluster.js';

export const log = pino({ level: process.env.LOG_LEVEL ?? 'silent' });

/** A folder for one test file that the account of the server can enter. */
export async function temporaryDirectory(): Promise<{ directory: string; remove: () => Promise<void> }> {
  const directory = await mkdtemp(path.join(tmpdir(), 'stark-pg-'));
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}

export interface TestCluster {
  cluster: PostgresCluster;
  /** A pool of connections as this role, ended with the cluster. */
  as(role: string): Sql;
  stop(): Promise<void>;
}

/** A running cluster without fsync, with what a new project has; `system` adds the tables of Auth and Storage. */
export async function startTestCluster(options: { system?: boolean } = {}): Promise<TestCluster> {
  const { directory, remove } = await temporaryDirectory();
  const clusterIn = (dataDir: string) => new PostgresCluster({ dataDir, port: 0, durable: false, log });
  const dataDir = path.join(directory, 'pg');
  await copyPrepared('initdb', dataDir, async (folder) => void (await clusterIn(folder).initialise()));
  const cluster = clusterIn(dataDir);
  const pools = new Map<string, Sql>();
  const test: TestCluster = {
    cluster,
    as(role) {
      let pool = pools.get(role);
      if (pool === undefined) {
        pool = postgres(cluster.url(role), { max: 4, onnotice: () => {} });
        pools.set(role, pool);
      }
      return pool;
    },
    async stop() {
      await Promise.all([...pools.values()].map((pool) => pool.end({ timeout: 2 })));
      await cluster.stop();
      await remove();
    },
  };
  await cluster.initialise();
  await cluster.start();
  await bootstrapPlatform(cluster);
  if (options.system) {
    await makeSystemSchemas(cluster);
    await bootstrapGrants(cluster);
  }
  return test;
}

/** The tables of Auth and Storage, made by the library that serves them in the stack. */
export async function makeSystemSchemas(cluster: PostgresCluster): Promise<void> {
  const connection = createPostgresConnection({
    url: cluster.url('supabase_admin'),
    postgresOptions: { onnotice: () => {} },
  });
  setExperimental('storage', true);
  const app = new App({ connection, storage: { enabled: true } });
  // Only its presence counts here: without one the library leaves the tables of Storage out.
  app._storageAdapter = {} as NonNullable<typeof app._storageAdapter>;
  await app.ensureSystemSchema();
  await connection.driver.end();
}

/** Settles once the question has an answer; names what it waited for when the deadline passes. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | null | false>,
  deadlineMs = 25_000,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await delay(25);
  }
}
