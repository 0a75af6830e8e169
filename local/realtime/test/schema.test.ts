import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPartitions, dropOldPartitions } from '../src/database/partitions.js';
import { applyRealtimeSchema } from '../src/database/schema.js';
import { TestPostgres } from './support/postgres.js';

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await TestPostgres.start();
  await Promise.all([applyRealtimeSchema(postgres.url), applyRealtimeSchema(postgres.url)]);
}, 60_000);

afterAll(() => postgres?.stop());

const day = (offset: number) =>
  new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '_');

async function partitions(): Promise<string[]> {
  const rows = await postgres.sql<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'realtime.messages'::regclass order by 1`,
  );
  return rows.map((row) => row.name);
}

/** Runs as one of the client roles, in one transaction; warnings are collected. */
async function asRole(role: string, ...statements: string[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: postgres.url });
  const warnings: string[] = [];
  client.on('notice', (notice) => warnings.push(notice.message ?? ''));
  await client.connect();
  try {
    await client.query(`begin; set local role ${role}`);
    for (const statement of statements) await client.query(statement);
    await client.query('commit');
  } finally {
    await client.end();
  }
  return warnings;
}

const messages = (topic: string) =>
  postgres.sql<Record<string, unknown>>('select * from realtime.messages where topic = $1', [topic]);

it('may be applied again and again, and keeps what is there', async () => {
  await postgres.sql(`select realtime.send('{}', 'e', 'kept')`);
  await applyRealtimeSchema(postgres.url);
  expect(await messages('kept')).toHaveLength(1);
  expect(await partitions()).toEqual([-1, 0, 1, 2, 3].map((offset) => `realtime.messages_${day(offset)}`));
});

it('has the columns of the real table in their order, and its owner', async () => {
  const columns = await postgres.sql(`
    select column_name as name, data_type as type, is_nullable = 'NO' as required from information_schema.columns
     where table_schema = 'realtime' and table_name = 'messages' order by ordinal_position`);
  expect(columns.map((column) => `${column.name} ${column.type}${column.required ? ' not null' : ''}`)).toEqual([
    'topic text not null',
    'extension text not null',
    'payload jsonb',
    'event text',
    'private boolean',
    'updated_at timestamp without time zone not null',
    'inserted_at timestamp without time zone not null',
    'id uuid not null',
    'binary_payload bytea',
  ]);
  const [table] = await postgres.sql(`
    select pg_get_userbyid(relowner) as owner, relrowsecurity as secured, relforcerowsecurity as forced
      from pg_class where oid = 'realtime.messages'::regclass`);
  expect(table).toEqual({ owner: 'supabase_realtime_admin', secured: true, forced: false });
});

it('lets postgres write policies', async () => {
  await asRole('postgres', 'create policy "by postgres" on realtime.messages for select to anon using (false)');
});

describe('realtime.send', () => {
  it('adds an id unless the payload has one', async () => {
    await asRole(
      'service_role',
      `select realtime.send('{"n": 1}', 'e', 'ids')`,
      `select realtime.send('{"id": "mine"}', 'e', 'ids', false)`,
    );
    const [first, second] = await messages('ids');
    expect(first).toMatchObject({
      payload: { n: 1, id: first?.id },
      private: true,
      extension: 'broadcast',
      event: 'e',
      binary_payload: null,
    });
    expect(second).toMatchObject({ payload: { id: 'mine' }, private: false });
  });

  it.each([
    ['an array', `select realtime.send('[]', 'e', 'swallowed')`],
    ['a role without the right', `select realtime.send('{}', 'e', 'swallowed')`],
  ])('of %s only warns', async (name, statement) => {
    const warnings = await asRole(name === 'an array' ? 'service_role' : 'authenticated', statement);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^WarnSendingBroadcastMessage: /);
    expect(await messages('swallowed')).toEqual([]);
  });

  it('sets the topic for the rest of the transaction', async () => {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query('begin');
    await client.query(`select realtime.send('{}', 'e', 'topical')`);
    expect((await client.query('select realtime.topic()')).rows).toEqual([{ topic: 'topical' }]);
    await client.query('rollback');
    expect((await client.query('select realtime.topic()')).rows).toEqual([{ topic: null }]);
    await client.end();
  });

  it('sends bytes as bytes', async () => {
    await asRole('service_role', `select realtime.send_binary('\\x00ff', 'e', 'bytes')`);
    expect((await messages('bytes'))[0]).toMatchObject({ payload: null, binary_payload: Buffer.from([0, 255]) });
  });
});

describe('realtime.broadcast_changes', () => {
  it('tells a row trigger, and fails for statements', async () => {
    await postgres.sql(`
      create table public.things (id int primary key, name text);
      create function public.tell() returns trigger language plpgsql as $$ begin
        perform realtime.broadcast_changes('things:' || coalesce(new.id, old.id), tg_op, tg_op, tg_table_name, tg_table_schema, new, old, tg_level);
        return null;
      end $$;
      create trigger tell after insert or update or delete on public.things for each row execute function public.tell()`);
    await postgres.sql(
      `insert into public.things values (1, 'a'); update public.things set name = 'b'; delete from public.things`,
    );
    const rows = await messages('things:1');
    const id = expect.any(String);
    expect(rows.map((row) => row.payload)).toEqual([
      { id, operation: 'INSERT', schema: 'public', table: 'things', record: { id: 1, name: 'a' }, old_record: null },
      {
        id,
        operation: 'UPDATE',
        schema: 'public',
        table: 'things',
        record: { id: 1, name: 'b' },
        old_record: { id: 1, name: 'a' },
      },
      { id, operation: 'DELETE', schema: 'public', table: 'things', record: null, old_record: { id: 1, name: 'b' } },
    ]);
    const call = (operation: string, level: string) =>
      postgres.sql(`do $$ declare r public.things; begin
        perform realtime.broadcast_changes('t', 'e', '${operation}', 'things', 'public', r, r, '${level}'); end $$`);
    await expect(call('INSERT', 'STATEMENT')).rejects.toThrow(
      'Failed to process the row: function can only be triggered for each row',
    );
    await expect(call('TRUNCATE', 'ROW')).rejects.toThrow('Unexpected operation type: TRUNCATE');
  });
});

it('partitions are made ahead and dropped after 72 hours', async () => {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  const now = new Date(Date.now() + 10 * 86_400_000);
  await createPartitions(client, now);
  await createPartitions(client, now);
  expect(await partitions()).toContain(`realtime.messages_${day(13)}`);
  const dropped = await dropOldPartitions(client, now);
  expect(dropped.sort()).toEqual([-1, 0, 1, 2, 3].map((offset) => `messages_${day(offset)}`));
  expect(await partitions()).toEqual([9, 10, 11, 12, 13].map((offset) => `realtime.messages_${day(offset)}`));
  await client.end();
});
