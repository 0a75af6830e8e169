import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { TestClient } from './support/client.js';
import { TestPostgres } from './support/postgres.js';
import { TestRealtime } from './support/realtime.js';
import { signToken } from './support/tokens.js';
import { waitFor } from './support/wait.js';

let postgres: TestPostgres;
let realtime: TestRealtime;

beforeAll(async () => {
  postgres = await TestPostgres.start();
  realtime = await TestRealtime.start(postgres);
  await postgres.sql(`
    create table public.tasks (
      id int primary key, owner text, title text, done boolean, price numeric(30, 10), tags text[], big text
    );
    alter table public.tasks enable row level security;
    create policy "owners see their tasks" on public.tasks for select to authenticated
      using (owner = (select auth.jwt() ->> 'sub'));
    create table public.open (id int, part int, name varchar(20), primary key (id, part));
    create table public.keyless (name text);
    alter table public.keyless replica identity full;
    create table public.full_rows (id int primary key, name text, big text);
    alter table public.full_rows replica identity full;
    create table public.partial (id int primary key, shown text, hidden text);
    grant select on public.tasks, public.open, public.keyless, public.full_rows to authenticated;
    grant select (id, shown) on public.partial to authenticated;
    alter publication supabase_realtime add table public.tasks, public.open, public.keyless, public.full_rows, public.partial`);
}, 60_000);

afterEach(async () => {
  await realtime.closeClients();
  await postgres.sql('truncate public.tasks, public.open, public.keyless, public.full_rows, public.partial');
});

afterAll(async () => {
  await realtime?.stop();
  await postgres?.stop();
});

type Request = Record<string, unknown>;

async function listen(requests: Request[], claims: Record<string, unknown> = {}): Promise<TestClient> {
  const client = await realtime.connect(claims);
  expect((await client.join('changes', { postgres_changes: requests })).status).toBe('ok');
  await client.next('to be subscribed', (message) => message.payload.message === 'Subscribed to PostgreSQL');
  return client;
}

const told = (client: TestClient) => client.events('postgres_changes').map((message) => message.payload.data);

async function nextChange(client: TestClient, count = 1) {
  await client.until(`${count} changes`, () => told(client).length >= count);
  return told(client)[count - 1];
}

it('tells inserts, updates and deletes with the values of their types', async () => {
  const client = await listen([{ event: '*', schema: 'public', table: 'open' }]);
  await postgres.sql(`insert into public.open values (1, 2, 'it''s')`);
  expect(await nextChange(client)).toEqual({
    schema: 'public',
    table: 'open',
    type: 'INSERT',
    commit_timestamp: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    columns: [
      { name: 'id', type: 'int4' },
      { name: 'part', type: 'int4' },
      { name: 'name', type: 'varchar' },
    ],
    record: { id: 1, part: 2, name: "it's" },
    errors: null,
  });
  await postgres.sql('update public.open set name = null');
  expect(await nextChange(client, 2)).toMatchObject({
    type: 'UPDATE',
    record: { id: 1, part: 2, name: null },
    old_record: { id: 1, part: 2 },
  });
  await postgres.sql('update public.open set part = 3');
  expect(await nextChange(client, 3)).toMatchObject({ record: { part: 3 }, old_record: { id: 1, part: 2 } });
  await postgres.sql('delete from public.open');
  const deleted = await nextChange(client, 4);
  expect(deleted).toMatchObject({ type: 'DELETE', old_record: { id: 1, part: 3 } });
  expect(deleted).not.toHaveProperty('record');
  const committed = Date.parse(deleted.commit_timestamp);
  expect(Math.abs(Date.now() - committed)).toBeLessThan(10_000);
});

it('keeps numbers, arrays and booleans exact', async () => {
  const client = await listen([{ event: 'INSERT', table: 'tasks', schema: 'public' }], { sub: 'ann' });
  await postgres.sql(
    `insert into public.tasks values (1, 'ann', '"quoted"\\', true, 12345678901234567.25, '{a,"b c"}')`,
  );
  const raw = await nextChange(client);
  expect(raw.record).toMatchObject({ title: '"quoted"\\', done: true, tags: ['a', 'b c'], big: null });
});

it('shows each user the rows that policies show', async () => {
  const [ann, bob] = [
    await listen([{ event: '*', schema: 'public', table: 'tasks' }], { sub: 'ann' }),
    await listen([{ event: '*', schema: 'public', table: 'tasks' }], { sub: 'bob' }),
  ];
  await postgres.sql(`insert into public.tasks (id, owner) values (1, 'ann'), (2, 'bob'), (3, 'ann')`);
  await Promise.all([nextChange(ann, 2), nextChange(bob)]);
  await postgres.sql('delete from public.tasks where id = 1');
  await Promise.all([nextChange(ann, 3), nextChange(bob, 2)]);
  expect(told(ann).map((change) => (change.record ?? change.old_record).id)).toEqual([1, 3, 1]);
  expect(told(bob).map((change) => (change.record ?? change.old_record).id)).toEqual([2, 1]);
});

it('sends values that were too large to log again only when the old row has them', async () => {
  const big = `(select string_agg(md5(n::text), '') from generate_series(1, 400) n)`;
  await postgres.sql(`
    insert into public.full_rows values (1, 'a', ${big});
    insert into public.tasks (id, owner, big) values (1, 'ann', ${big})`);
  const client = await listen(
    [
      { event: 'UPDATE', schema: 'public', table: 'full_rows' },
      { event: 'UPDATE', schema: 'public', table: 'tasks' },
    ],
    { sub: 'ann' },
  );
  await postgres.sql(`update public.full_rows set name = 'b'`);
  const full = await nextChange(client);
  expect(full.record).toMatchObject({ id: 1, name: 'b' });
  expect(full.record.big).toHaveLength(12_800);
  expect(full.old_record).toMatchObject({ id: 1, name: 'a' });
  await postgres.sql(`update public.tasks set title = 'b'`);
  const partial = await nextChange(client, 2);
  expect(partial.record.title).toBe('b');
  expect(partial.record).not.toHaveProperty('big');
});

it('tells tables without a key, and large rows, with an error', async () => {
  await realtime.closeClients();
  const client = await listen([{ event: '*', schema: 'public' }], { sub: 'ann' });
  await postgres.sql(`insert into public.keyless values ('x')`);
  expect((await nextChange(client)).errors).toEqual(['Error 400: Bad Request, no primary key']);
  await postgres.sql(`insert into public.full_rows values (1, 'small', repeat('x', 1100000))`);
  const large = await nextChange(client, 2);
  expect(large.errors).toEqual(['Error 413: Payload Too Large']);
  expect(large.record).toEqual({ id: 1, name: 'small' });
});

it('leaves out columns that the role may not select', async () => {
  const client = await listen([{ event: '*', schema: 'public', table: 'partial' }]);
  await postgres.sql(`insert into public.partial values (1, 'shown', 'hidden')`);
  const change = await nextChange(client);
  expect(change.record).toEqual({ id: 1, shown: 'shown' });
  expect(change.columns.map((column: { name: string }) => column.name)).toEqual(['id', 'shown']);
});

it('names every request that matches in one message', async () => {
  const client = await realtime.connect();
  const requests = [
    { event: '*', schema: 'public', table: 'open' },
    { event: 'INSERT', schema: 'public', table: 'open', filter: 'name=in.("a, b",c)' },
    { event: 'INSERT', schema: 'public', table: 'open', filter: 'id=gt.100' },
  ];
  const { response } = await client.join('changes', { postgres_changes: requests });
  const [all, listed] = (response.postgres_changes as { id: number }[]).map((entry) => entry.id);
  await client.next('to be subscribed', (message) => message.payload.message === 'Subscribed to PostgreSQL');
  await postgres.sql(`insert into public.open values (1, 1, 'a, b')`);
  const message = await client.next('the change', ({ event }) => event === 'postgres_changes');
  expect([...message.payload.ids].sort()).toEqual([all, listed].sort());
});

it('explains what cannot be subscribed to and leaves the channel open', async () => {
  const client = await realtime.connect();
  await client.join('changes', {
    postgres_changes: [{ event: '*', schema: 'public', table: 'partial', filter: 'hidden=eq.1' }],
  });
  const system = await client.next('the refusal', (message) => message.event === 'system');
  expect(system.payload).toMatchObject({ extension: 'postgres_changes', status: 'error', channel: 'changes' });
  expect(system.payload.message).toMatch(
    /^Unable to subscribe to changes with given parameters\. An exception happened .*invalid column for filter hidden$/,
  );
  await client.settle();
  expect(client.events('phx_close')).toEqual([]);
});

it('follows a new token and says so', async () => {
  const client = await listen([{ event: '*', schema: 'public', table: 'tasks' }], { sub: 'ann' });
  client.send('realtime:changes', 'access_token', { access_token: await signToken({ sub: 'bob' }) });
  await client.until('a second subscription', () => client.events('system').length === 2);
  await postgres.sql(`insert into public.tasks (id, owner) values (1, 'ann'), (2, 'bob')`);
  expect((await nextChange(client)).record.id).toBe(2);
});

it('subscribes again after a restart of Postgres, and forgets those who left', async () => {
  const client = await listen([{ event: '*', schema: 'public', table: 'open' }]);
  await postgres.restart();
  await client.until('a second subscription', () => client.events('system').length === 2, 10_000);
  await postgres.sql(`insert into public.open values (1, 1, 'after')`);
  expect((await nextChange(client)).record.name).toBe('after');
  await client.close();
  await waitFor(
    'no rows to be left',
    async () => (await postgres.sql('select from realtime.subscription')).length === 0,
  );
});
