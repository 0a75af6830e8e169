import { applyRealtimeSchema, createRealtimeServer, type RealtimeServer } from '@stark-o/realtime';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './support/gateway.js';
import { TestPostgres } from './support/postgres.js';
import { JWT_SECRET, roleToken } from './support/tokens.js';
import { WireSocket } from './support/wire.js';

let database: TestPostgres;
let server: RealtimeServer;
let sql: postgres.Sql;
let gateway: TestGateway;

const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
const partition = (offset: number) => `messages_${day(offset).replaceAll('-', '_')}`;

beforeAll(async () => {
  database = await TestPostgres.start({ roles: false });
  sql = database.sql();
  await applyRealtimeSchema(database.url());
  for (const offset of [-6, -3]) {
    await sql.unsafe(`create table if not exists realtime.${partition(offset)} partition of realtime.messages
      for values from ('${day(offset)}') to ('${day(offset + 1)}')`);
  }
  server = createRealtimeServer({ databaseUrl: database.url(), jwtSecret: JWT_SECRET });
  await server.start();
  // Partitions are kept by the first join after a start, and by a janitor every four hours.
  const anonJwt = roleToken('anon');
  gateway = await startGateway({ publishable: '-', secret: '-', anonJwt, serviceJwt: roleToken('service_role') });
  gateway.use(server);
  const socket = await WireSocket.open(gateway.url, { apikey: anonJwt });
  await socket.join('first');
  socket.terminate();
});
afterAll(async () => {
  await server?.stop();
  await gateway?.close();
  await database?.stop();
});

describe('§6 the schema on a bare Postgres', () => {
  it('makes the roles it needs', async () => {
    const roles = ['anon', 'authenticated', 'service_role', 'authenticator', 'supabase_realtime_admin'];
    const found = await sql`select rolname from pg_roles where rolname in ${sql(roles)}`;
    expect(found.map((row) => row.rolname).sort()).toEqual(roles.sort());
  });

  it('can be applied again without a change', async () => {
    const dump = () => sql`
      select attrelid::regclass::text as rel, attname, atttypid::regtype::text as type, attnotnull
      from pg_attribute where attrelid in (select oid from pg_class where relnamespace = 'realtime'::regnamespace)
      and attnum > 0 order by 1, 2`;
    const before = await dump();
    await applyRealtimeSchema(database.url());
    expect([...(await dump())]).toEqual([...before]);
  });

  it('can be applied by two at once', async () => {
    await Promise.all([applyRealtimeSchema(database.url()), applyRealtimeSchema(database.url())]);
  });
});

describe('§6 table realtime.messages', () => {
  it('has these columns in this order', async () => {
    const columns = await sql`
      select column_name, data_type, is_nullable, column_default from information_schema.columns
      where table_schema = 'realtime' and table_name = 'messages' order by ordinal_position`;
    expect(columns.map((c) => [c.column_name, c.data_type, c.is_nullable, c.column_default])).toEqual([
      ['topic', 'text', 'NO', null],
      ['extension', 'text', 'NO', null],
      ['payload', 'jsonb', 'YES', null],
      ['event', 'text', 'YES', null],
      ['private', 'boolean', 'YES', 'false'],
      ['updated_at', 'timestamp without time zone', 'NO', 'now()'],
      ['inserted_at', 'timestamp without time zone', 'NO', 'now()'],
      ['id', 'uuid', 'NO', 'gen_random_uuid()'],
      ['binary_payload', 'bytea', 'YES', null],
    ]);
  });

  it('primary key (id, inserted_at), partitioned by range of inserted_at', async () => {
    const [row] = await sql`
      select pg_get_constraintdef(oid) as key, pg_get_partkeydef('realtime.messages'::regclass) as parted
      from pg_constraint where conrelid = 'realtime.messages'::regclass and contype = 'p'`;
    expect(row).toEqual({ key: 'PRIMARY KEY (id, inserted_at)', parted: 'RANGE (inserted_at)' });
  });

  it('refuses a row with both payloads', async () => {
    await expect(
      sql`insert into realtime.messages (topic, extension, payload, binary_payload) values ('t', 'broadcast', '{}', '\\x00')`,
    ).rejects.toMatchObject({ code: '23514' });
  });

  it('has a partial index (inserted_at desc, topic) of private broadcasts', async () => {
    const indexes = await sql`
      select indexdef from pg_indexes where schemaname = 'realtime' and tablename = 'messages'`;
    const wanted = indexes.filter(({ indexdef }) => /\(inserted_at DESC, topic\) WHERE/.test(indexdef));
    expect(wanted).toHaveLength(1);
    expect(wanted[0]?.indexdef).toContain("extension = 'broadcast'");
    expect(wanted[0]?.indexdef).toMatch(/private/);
  });

  it('row level security is on and not forced; the owner is supabase_realtime_admin', async () => {
    const [row] = await sql`
      select relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner) as owner
      from pg_class where oid = 'realtime.messages'::regclass`;
    expect(row).toEqual({ relrowsecurity: true, relforcerowsecurity: false, owner: 'supabase_realtime_admin' });
  });

  it.each(['anon', 'authenticated', 'service_role'])(
    '%s may select, insert and update, not delete or truncate',
    async (role) => {
      const [row] = await sql`
      select ${sql.unsafe(
        ['select', 'insert', 'update', 'delete', 'truncate']
          .map((right) => `has_table_privilege('${role}', 'realtime.messages', '${right}') as "${right}"`)
          .join(', '),
      )}`;
      expect(row).toEqual({ select: true, insert: true, update: true, delete: false, truncate: false });
    },
  );
});

describe('§6 partitions', () => {
  it('one a UTC day from yesterday to three days ahead', async () => {
    const rows = await sql`
      select relname, pg_get_expr(relpartbound, oid) as bound from pg_class
      where oid in (select inhrelid from pg_inherits where inhparent = 'realtime.messages'::regclass)`;
    const bounds = new Map(rows.map((row) => [row.relname, row.bound]));
    for (const offset of [-1, 0, 1, 2, 3]) {
      expect(bounds.get(partition(offset))).toBe(
        `FOR VALUES FROM ('${day(offset)} 00:00:00') TO ('${day(offset + 1)} 00:00:00')`,
      );
    }
    expect(bounds.has(partition(5))).toBe(false);
  });

  it('days before now − 72 h are dropped, later ones kept', async () => {
    const [row] = await sql`
      select to_regclass(${`realtime.${partition(-6)}`}) as old, to_regclass(${`realtime.${partition(-3)}`}) as recent`;
    expect(row?.old).toBeNull();
    expect(row?.recent).not.toBeNull();
  });

  it('a row of any of those days finds its place', async () => {
    for (const offset of [-1, 0, 1, 2, 3]) {
      await sql`insert into realtime.messages (topic, extension, inserted_at) values ('t', 'broadcast', ${day(offset)})`;
    }
    await sql`delete from realtime.messages where topic = 't'`;
  });
});

describe('§6 functions', () => {
  it('have these signatures', async () => {
    const rows = await sql`
      select proname, pg_get_function_arguments(oid) as arguments, pg_get_function_result(oid) as result,
        prosecdef, provolatile
      from pg_proc where pronamespace = 'realtime'::regnamespace
        and proname in ('send', 'send_binary', 'broadcast_changes', 'topic') order by proname`;
    expect([...rows]).toEqual([
      {
        proname: 'broadcast_changes',
        arguments:
          "topic_name text, event_name text, operation text, table_name text, table_schema text, new record, old record, level text DEFAULT 'ROW'::text",
        result: 'void',
        prosecdef: false,
        provolatile: 'v',
      },
      {
        proname: 'send',
        arguments: 'payload jsonb, event text, topic text, private boolean DEFAULT true',
        result: 'void',
        prosecdef: false,
        provolatile: 'v',
      },
      {
        proname: 'send_binary',
        arguments: 'payload bytea, event text, topic text, private boolean DEFAULT true',
        result: 'void',
        prosecdef: false,
        provolatile: 'v',
      },
      { proname: 'topic', arguments: '', result: 'text', prosecdef: false, provolatile: 's' },
    ]);
  });

  it.each(['anon', 'authenticated', 'service_role'])(
    '%s has usage on the schema and may execute them',
    async (role) => {
      const rows = await sql`
      select has_schema_privilege(${role}, 'realtime', 'usage') and has_function_privilege(${role}, oid, 'execute') as may
      from pg_proc where pronamespace = 'realtime'::regnamespace
        and proname in ('send', 'send_binary', 'broadcast_changes', 'topic')`;
      expect(rows.map((row) => row.may)).toEqual([true, true, true, true]);
    },
  );

  it('topic() is null when nothing is set', async () => {
    const [row] = await sql`select realtime.topic(), set_config('realtime.topic', '', true)`;
    expect(row?.topic).toBeNull();
  });
});

describe('§6 the feed', () => {
  it('publication supabase_realtime_messages_publication holds realtime.messages', async () => {
    const rows = await sql`
      select schemaname, tablename from pg_publication_tables
      where pubname = 'supabase_realtime_messages_publication'`;
    const published = rows.map((row) => `${row.schemaname}.${row.tablename}`);
    expect(published.length).toBeGreaterThan(0);
    expect(published.every((name) => name.startsWith('realtime.messages'))).toBe(true);
  });

  it('no replication slot outlives the server', async () => {
    const [row] = await sql`select count(*)::int as permanent from pg_replication_slots where not temporary`;
    expect(row?.permanent).toBe(0);
  });
});
