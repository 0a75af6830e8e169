import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PostgresCluster } from '../../local/dist/postgres/cluster.js';
import { prepareTap } from '../../scripts/db/tap.mjs';
import { startClusterIn } from '../../scripts/db/test-cluster.mjs';
import { startTestDatabase } from '../../scripts/db/test-database.mjs';

// A restore as hosted projects do it: the files of an earlier backup are recovered, and Postgres begins a new timeline. What the
// functions then do to agents and readers stands in supabase/tests/31-restore; here it is shown that they notice.

const nodeId = `tests.node('n1')`;

/** What a row says that a session reads as one user. */
async function ask<T>(client: pg.Client, sql: string): Promise<T> {
  const { rows } = await client.query(`select (${sql}) as answer`);
  return rows[0]?.answer as T;
}

async function as<T>(client: pg.Client, user: string, sql: string): Promise<T> {
  await client.query('begin');
  try {
    await client.query('select tests.sign_in($1)', [user]);
    const answer = await ask<T>(client, sql);
    await client.query('commit');
    return answer;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

const codeOf = (error: unknown) => (JSON.parse((error as Error).message) as { code: string }).code;

let folder: string;
let restored: PostgresCluster | undefined;
let client: pg.Client;
/** What happened after the backup, in the time that the restore takes back. */
const lost = { incarnation: 0, cursor: 0, pod: '', database: '' };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stark-restore-'));
  const backup = join(folder, 'backup');
  const database = await startTestDatabase();
  const open = async (url: string) => {
    const session = new pg.Client(url);
    await session.connect();
    return session;
  };
  try {
    await prepareTap(database.url());
    let session = await open(database.url());
    await session.query(`select tests.add_user('ada', 'admin'), tests.add_user('nod', 'node')`);
    await session.query(`select tests.add_pack('open', 'ada', 'public')`);
    await as(session, 'nod', `stark.register_node('n1', 'node')`);
    await as(session, 'nod', `stark.node_sync(${nodeId})`);
    await as(session, 'ada', `tests.make_pods('{"pack": "open", "name": "kept", "spec": {"nodeName": "n1"}}')`);
    await session.end();
    // Postgres wants its files with the owner and the modes that they had.
    await database.pause(async (dataDir) => void (await promisify(execFile)('cp', ['-a', dataDir, backup])));

    session = await open(database.url());
    for (let times = 0; times < 2; times++) await as(session, 'nod', `stark.node_sync(${nodeId})`);
    await as(session, 'ada', `tests.make_pods('{"pack": "open", "name": "lost", "spec": {"nodeName": "n1"}}')`);
    lost.pod = await ask(session, `tests.pod('lost')`);
    lost.incarnation = Number(await ask(session, `select incarnation from stark.nodes`));
    lost.cursor = Number(await ask(session, 'select max(seq) from stark.events'));
    lost.database = await ask(session, 'select id from stark_internal.database_identity');
    await session.end();
  } finally {
    await database.stop();
  }
  await writeFile(join(backup, 'recovery.signal'), '');
  await appendFile(join(backup, 'postgresql.auto.conf'), `restore_command = 'false'\n`);
  restored = await startClusterIn(backup);
  client = await open(restored.url('postgres'));
}, 120_000);

afterAll(async () => {
  await client?.end();
  await restored?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a database restored to an earlier time', () => {
  it('writes another timeline, which role postgres may see', async () => {
    expect(await ask(client, 'select timeline from stark_internal.current_server()')).toBe(2);
    expect(await ask(client, 'select timeline from stark_internal.database_identity')).toBe(1);
  });

  it('has an agent that is ahead of it connect anew, and gives no number twice', async () => {
    expect(lost.incarnation).toBe(3);
    const refused = as(client, 'nod', `stark.node_sync(${nodeId}, ${lost.incarnation})`);
    await expect(refused.catch(codeOf)).resolves.toBe('STALE_INCARNATION');
    const sync = await as<{ incarnation: number; pods: { name: string }[] }>(
      client,
      'nod',
      `stark.node_sync(${nodeId})`,
    );
    expect(sync.incarnation).toBe(10_002);
    expect(sync.pods.map(({ name }) => name)).toEqual(['kept']);
    const [answer] = await as<{ accepted: boolean; code: string }[]>(
      client,
      'nod',
      `stark.report_pods(${nodeId}, 10002, '[{"pod_id": "${lost.pod}", "status": "running"}]')`,
    );
    expect(answer).toMatchObject({ accepted: false, code: 'POD_NOT_FOUND' });
  });

  it('gives a reader that was ahead of it every event of the new time', async () => {
    const news = `select count(*)::integer from stark.events where seq > ${lost.cursor} and kind = 'node'`;
    expect(await ask(client, news)).toBeGreaterThan(0);
    const reused = `select count(*)::integer from stark.events where seq <= ${lost.cursor} and time > (select since from stark_internal.database_identity)`;
    expect(await ask(client, reused)).toBe(0);
  });

  it('has another name than the one it was', async () => {
    expect(await ask(client, 'select id from stark_internal.database_identity')).not.toBe(lost.database);
  });
});
