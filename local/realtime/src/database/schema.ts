import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { createPartitions } from './partitions.js';

/** The SQL stands beside `src` and `dist`, so both find it at the same place. */
const directory = new URL('../../sql/', import.meta.url);

/** Any number, the same for all who install this schema. */
const INSTALL_LOCK = 7_259_113_204;

/**
 * Makes or completes schema `realtime`: roles, messages and its partitions, functions, publications. May be called
 * again and again, and by several at once.
 */
export async function applyRealtimeSchema(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'realtime_schema' });
  await client.connect();
  try {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(${INSTALL_LOCK})`);
    // The scripts say "if not exists" where nothing is to be done; nobody needs to read each of these notices.
    await client.query('set local client_min_messages = warning');
    for (const file of (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort()) {
      await client.query(await readFile(new URL(file, directory), 'utf8'));
    }
    await createPartitions(client, new Date());
    await client.query('commit');
  } finally {
    await client.end();
  }
}
