import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { PostgresCluster } from './cluster.js';
import { sqlDirectory } from './extension-files.js';
import { withSession } from './session.js';

const PLATFORM_FILES = ['01-roles.sql', '02-schemas.sql', '03-extensions.sql', '04-guard.sql'];
const GRANT_FILES = ['10-system-grants.sql'];

/** What `bootstrapPlatform` and `bootstrapGrants` need of a cluster. */
export type Connectable = Pick<PostgresCluster, 'url'>;

/** Makes an empty database look like a new hosted project: roles, schemas, privileges, extensions. Repeatable. */
export async function bootstrapPlatform(cluster: Connectable): Promise<void> {
  await applyFiles(cluster, PLATFORM_FILES);
}

/** Gives the tables that Auth, Storage and Realtime made their owners, grants and the guard around them. Repeatable. */
export async function bootstrapGrants(cluster: Connectable): Promise<void> {
  await applyFiles(cluster, GRANT_FILES);
}

/** Runs SQL files as the superuser, each in one transaction. */
async function applyFiles(cluster: Connectable, names: string[]): Promise<void> {
  const { password } = new URL(cluster.url('postgres'));
  await withSession(cluster.url('supabase_admin'), async (session) => {
    for (const name of names) {
      const text = await readFile(path.join(sqlDirectory, name), 'utf8');
      await session.query('begin');
      try {
        await session.query(`select set_config('stark.role_password', $1, true)`, [password]);
        await session.query(text);
      } catch (cause) {
        const { message, where } = cause as { message: string; where?: string };
        throw new Error(`${name}: ${message}${where ? ` (${where})` : ''}`, { cause });
      }
      await session.query('commit');
    }
  });
}
