import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pushMigrations } from '../../local/dist/migrations.js';
import { firstDifference } from '../../scripts/db/command-line.mjs';
import { dumpSchemas, goldenPath } from '../../scripts/db/dump.mjs';
import { prepareTap } from '../../scripts/db/tap.mjs';
import { root, startTestDatabase, type TestDatabase } from '../../scripts/db/test-database.mjs';
import { connect } from './sessions.js';

// The SQL of docs/hosted.md, as role postgres, in the order of the page.
const page = await readFile(join(root, 'docs', 'hosted.md'), 'utf8');
const blocks = [...page.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
const blockWith = (text: string) => blocks.find((block) => block.includes(text)) ?? '';

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareTap(database.url());
  client = await connect(database);
  await client.query(`
    begin;
    select tests.add_user('you', 'admin'), tests.add_user('joined', 'node'), tests.add_pack('open', 'you', 'public');
    select tests.sign_in('you');
    select stark.register_node('n1', 'node');
    select stark.node_sync(tests.node('n1'));
    select tests.make_pods('{"pack": "open", "name": "p1"}');
    select tests.sign_out();
    update stark.nodes set agent_id = tests.uid('joined') where name = 'n1';
    insert into stark.pod_logs (pod_id, seq, time, namespace, stream, message) values (tests.pod('p1'), 1, now(), 'default', 'stdout', 'hello');
    commit`);
}, 60_000);
afterAll(async () => {
  await client?.end();
  await database?.stop();
});

async function column(sql: string): Promise<unknown[]> {
  const { rows } = await client.query({ text: sql, rowMode: 'array' });
  return rows.map(([value]) => value as unknown);
}

describe('the SQL of docs/hosted.md', () => {
  it('is four blocks, each of which is run', () => {
    expect(blocks).toHaveLength(4);
  });

  it('puts both secrets into Vault', async () => {
    await client.query(blockWith('vault.create_secret'));
    expect(await column('select name from vault.secrets order by name')).toEqual(['project_url', 'secret_key']);
  });

  it('says that the database was restored', async () => {
    await client.query(blockWith('reset_after_restore'));
    expect(await column('select status_reason from stark.nodes')).toEqual(['DatabaseRestored']);
  });

  it('resets the schema: nothing of Stark is left but the bucket, and everything else is', async () => {
    await client.query(blockWith('drop schema'));
    expect(await column(`select nspname from pg_namespace where nspname like 'stark%'`)).toEqual([]);
    expect(await column(`select polname from pg_policy where polname ilike '%stark%'`)).toEqual([]);
    expect(await column(`select tgname from pg_trigger where tgname ilike '%stark%'`)).toEqual([]);
    expect(await column(`select jobname from cron.job`)).toEqual([]);
    expect(await column(`select email from auth.users`)).toEqual(['you@example.com']);
    expect(await column('select count(*)::integer from vault.secrets')).toEqual([2]);
    expect(await column('select id from storage.buckets')).toEqual(['packs']);
  });

  it('after which the migrations are pushed again, and make what they made', async () => {
    await client.query('drop schema tests cascade');
    await pushMigrations(root, database.url());
    expect(firstDifference(await dumpSchemas(database.url()), await readFile(goldenPath, 'utf8'))).toBeUndefined();
    const jobs = await column(`select count(*)::integer from cron.job where jobname like 'stark-%' and active`);
    expect(jobs).toEqual([5]);
  }, 60_000);

  it('makes an account that was there the admin', async () => {
    expect(await column('select stark.needs_setup()')).toEqual([true]);
    await client.query(blockWith('setup_admin'));
    expect(await column('select stark.needs_setup()')).toEqual([false]);
  });
});
