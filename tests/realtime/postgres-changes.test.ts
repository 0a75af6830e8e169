import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshTopic, Service, TestUser } from './support/service.js';
import { until, watchFor } from './support/wait.js';
import type { Frame, Vsn, WireChannel } from './support/wire.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
  await service.sql.unsafe(`
    create table public.notes (id int primary key, owner uuid, body text, rank numeric, tags text[], secret text);
    alter table public.notes enable row level security;
    create policy "owners read their notes" on public.notes for select to authenticated using (owner = auth.uid());
    create table public.plain (id int primary key, body text, amount int);
    create table public.full_rows (id int primary key, body text);
    alter table public.full_rows replica identity full;
    create table public.keyless (body text);
    create table public.hidden (id int primary key);
    create table public.columns (id int primary key, shown text, kept_back text);
    grant select on public.notes, public.plain, public.full_rows, public.keyless to anon, authenticated, service_role;
    grant select (id, shown) on public.columns to anon;
    drop publication if exists supabase_realtime;
    create publication supabase_realtime for table
      public.notes, public.plain, public.full_rows, public.keyless, public.columns;
  `);
});
afterEach(async () => {
  service.closeSockets();
  await service.sql`truncate public.notes, public.plain, public.full_rows, public.keyless, public.columns`;
});
afterAll(() => service?.stop());

type Request = Record<string, unknown>;

async function join(requests: Request[], token?: string, vsn: Vsn = '2.0.0'): Promise<WireChannel> {
  const socket = await service.socket({ vsn });
  return socket.join(freshTopic(), { postgres_changes: requests }, token ? { access_token: token } : {});
}

async function subscribed(requests: Request[], token?: string, vsn: Vsn = '2.0.0'): Promise<WireChannel> {
  const channel = await join(requests, token, vsn);
  await channel.system('Subscribed to PostgreSQL', 10_000);
  return channel;
}

const plain = (event = '*', more: Request = {}) => ({ event, schema: 'public', table: 'plain', ...more });
const data = (frame: Frame) => frame.payload.data;
const change = (channel: WireChannel, test: (frame: Frame) => unknown = () => true) =>
  channel.next('postgres_changes', test, 8_000);
const bodies = (channel: WireChannel) =>
  channel.all('postgres_changes').map((frame) => data(frame).record?.body ?? data(frame).old_record?.id);

/** Inserts a last row and waits until the channel saw it, so that all before it has come. */
async function flush(channel: WireChannel): Promise<void> {
  await service.sql`insert into public.plain values (999999, 'end', 0)`;
  await change(channel, (frame) => data(frame).record?.body === 'end');
}

describe('§9 the join', () => {
  it('echoes each request in order with an integer id, the same for equal requests', async () => {
    const requests = [plain('INSERT'), plain('*', { filter: 'id=eq.1' }), plain('INSERT')];
    const channel = await join(requests);
    const echoed = channel.reply.payload.response.postgres_changes as (Request & { id: number })[];
    expect(echoed.map(({ id, ...request }) => request)).toEqual(requests);
    expect(echoed.every(({ id }) => Number.isInteger(id))).toBe(true);
    expect(echoed[0]?.id).toBe(echoed[2]?.id);
    expect(echoed[0]?.id).not.toBe(echoed[1]?.id);
  });

  it('is followed by system {extension: postgres_changes, status: ok, "Subscribed to PostgreSQL", channel}', async () => {
    const channel = await subscribed([plain()]);
    const system = channel.all('system')[0];
    expect(system?.payload).toEqual({
      extension: 'postgres_changes',
      status: 'ok',
      message: 'Subscribed to PostgreSQL',
      channel: channel.topic,
    });
    expect([system?.join_ref, system?.ref]).toEqual([channel.joinRef, null]);
  });

  const wrong: [name: string, request: Request, message: RegExp][] = [
    ['a filter that is none', plain('*', { filter: 'nonsense' }), /^Error parsing `filter` params: /],
    [
      'a table that does not exist',
      plain('*', { table: 'nowhere' }),
      /^Unable to subscribe to changes with given parameters/,
    ],
    [
      'a column that does not exist',
      plain('*', { filter: 'nowhere=eq.1' }),
      /^Unable to subscribe to changes with given parameters/,
    ],
    [
      'a value of the wrong type',
      plain('*', { filter: 'id=eq.text' }),
      /^Unable to subscribe to changes with given parameters/,
    ],
  ];
  it.each(wrong)(
    '%s is told by system with status error, and the channel stays open',
    async (_name, request, message) => {
      const channel = await join([request]);
      const system = await channel.next('system', () => true, 10_000);
      expect(system.payload).toMatchObject({ extension: 'postgres_changes', status: 'error', channel: channel.topic });
      expect(system.payload.message).toMatch(message);
      await channel.socket.settle();
      expect(channel.all('phx_close')).toEqual([]);
    },
  );
});

describe('§9 messages', () => {
  it('INSERT: ids of this channel, type, schema, table, commit_timestamp, columns, record, errors null', async () => {
    const channel = await subscribed([plain('INSERT')]);
    await service.sql`insert into public.plain values (1, 'a', 5)`;
    const frame = await change(channel);
    expect(frame.payload).toEqual({
      ids: [channel.reply.payload.response.postgres_changes[0].id],
      data: {
        type: 'INSERT',
        schema: 'public',
        table: 'plain',
        commit_timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        columns: [
          { name: 'id', type: 'int4' },
          { name: 'body', type: 'text' },
          { name: 'amount', type: 'int4' },
        ],
        record: { id: 1, body: 'a', amount: 5 },
        errors: null,
      },
    });
    expect([frame.join_ref, frame.ref]).toEqual([null, null]);
  });

  it('UPDATE: record and the key columns as old_record', async () => {
    await service.sql`insert into public.plain values (1, 'a', 5)`;
    const channel = await subscribed([plain('UPDATE')]);
    await service.sql`update public.plain set body = 'b'`;
    expect(data(await change(channel))).toMatchObject({
      type: 'UPDATE',
      record: { id: 1, body: 'b', amount: 5 },
      old_record: { id: 1 },
    });
  });

  it('DELETE: the key columns as old_record, no record', async () => {
    await service.sql`insert into public.plain values (1, 'a', 5)`;
    const channel = await subscribed([plain('DELETE')]);
    await service.sql`delete from public.plain`;
    const deleted = data(await change(channel));
    expect(deleted).toMatchObject({ type: 'DELETE', old_record: { id: 1 } });
    expect(deleted.record).toBeUndefined();
  });

  it('REPLICA IDENTITY FULL gives the whole old row', async () => {
    await service.sql`insert into public.full_rows values (1, 'a')`;
    const channel = await subscribed([{ event: '*', schema: 'public', table: 'full_rows' }]);
    await service.sql`update public.full_rows set body = 'b'`;
    const updated = await change(channel, (frame) => data(frame).type === 'UPDATE');
    expect(data(updated).old_record).toEqual({ id: 1, body: 'a' });
  });

  it('* hears all three; an event hears only its own', async () => {
    const all = await subscribed([plain('*')]);
    const inserts = await subscribed([plain('INSERT')]);
    await service.sql`insert into public.plain values (1, 'a', 1)`;
    await service.sql`update public.plain set body = 'b'`;
    await service.sql`delete from public.plain`;
    await flush(all);
    await flush2(inserts);
    expect(all.all('postgres_changes').map((frame) => data(frame).type)).toEqual([
      'INSERT',
      'UPDATE',
      'DELETE',
      'INSERT',
    ]);
    expect(inserts.all('postgres_changes').map((frame) => data(frame).type)).toEqual(['INSERT', 'INSERT']);
  });

  it('one message names every matching request of the channel', async () => {
    const channel = await subscribed([plain('*'), plain('INSERT'), plain('DELETE')]);
    const ids = channel.reply.payload.response.postgres_changes.map((entry: { id: number }) => entry.id);
    await service.sql`insert into public.plain values (1, 'a', 1)`;
    expect([...(await change(channel)).payload.ids].sort()).toEqual([ids[0], ids[1]].sort());
  });

  it('changes come in the order of commits', async () => {
    const channel = await subscribed([plain('INSERT')]);
    for (let n = 1; n <= 30; n += 1) await service.sql`insert into public.plain values (${n}, ${`b${n}`}, ${n})`;
    await flush(channel);
    expect(bodies(channel)).toEqual([...Array.from({ length: 30 }, (_, n) => `b${n + 1}`), 'end']);
  });

  it('schema-wide requests hear every published table, others hear nothing', async () => {
    const channel = await subscribed([{ event: '*', schema: 'public' }]);
    await service.sql`insert into public.hidden values (1)`;
    await service.sql`insert into public.full_rows values (1, 'a')`;
    await flush(channel);
    expect(channel.all('postgres_changes').map((frame) => data(frame).table)).toEqual(['full_rows', 'plain']);
  });

  it('a rolled back change is not told', async () => {
    const channel = await subscribed([plain('*')]);
    await service.sql
      .begin(async (tx) => {
        await tx`insert into public.plain values (1, 'undone', 1)`;
        throw new Error('undo');
      })
      .catch((error) => expect(error.message).toBe('undo'));
    await flush(channel);
    expect(bodies(channel)).toEqual(['end']);
  });

  it('a table without primary key is told with "Error 400: Bad Request, no primary key"', async () => {
    const channel = await subscribed([{ event: 'INSERT', schema: 'public', table: 'keyless' }]);
    await service.sql`insert into public.keyless values ('a')`;
    expect(data(await change(channel)).errors).toEqual(['Error 400: Bad Request, no primary key']);
  });

  it('columns the role may not select are left out', async () => {
    const channel = await subscribed([{ event: 'INSERT', schema: 'public', table: 'columns' }]);
    await service.sql`insert into public.columns values (1, 'shown', 'kept back')`;
    expect(data(await change(channel)).record).toEqual({ id: 1, shown: 'shown' });
  });

  it('reaches vsn 1', async () => {
    const channel = await subscribed([plain('INSERT')], undefined, '1.0.0');
    await service.sql`insert into public.plain values (1, 'a', 1)`;
    expect(data(await change(channel)).record.body).toBe('a');
  });

  it('a channel that left hears nothing more', async () => {
    const channel = await subscribed([plain('*')]);
    const witness = await subscribed([plain('*')]);
    await channel.ask('phx_leave', {});
    await flush(witness);
    await channel.socket.settle();
    expect(channel.all('postgres_changes')).toEqual([]);
  });
});

/** As flush, for a channel that hears inserts of a table another flush has used already. */
async function flush2(channel: WireChannel): Promise<void> {
  await change(channel, (frame) => data(frame).record?.body === 'end');
}

describe('§9 filters', () => {
  const filters: [filter: string, matching: number[]][] = [
    ['amount=eq.2', [2]],
    ['amount=neq.2', [1, 3]],
    ['amount=lt.2', [1]],
    ['amount=lte.2', [1, 2]],
    ['amount=gt.2', [3]],
    ['amount=gte.2', [2, 3]],
    ['amount=in.(1,3)', [1, 3]],
    ['body=eq.row 2', [2]],
    ['body=like.row%', [1, 2, 3]],
    ['body=ilike.ROW 1', [1]],
    ['body=match.^row [12]$', [1, 2]],
    ['body=is.null', [4]],
    ['body=not.is.null', [1, 2, 3]],
    ['amount=not.eq.2', [1, 3]],
    ['amount=gte.2,body=neq.row 3', [2]],
    ['body=in.("row 1","row, 3")', [1]],
  ];

  it('select the rows told to each subscriber', async () => {
    const socket = await service.socket();
    const channels: WireChannel[] = [];
    for (const [filter] of filters) {
      channels.push(
        await socket.join(freshTopic(), { postgres_changes: [plain('INSERT', { filter }), plain('DELETE')] }),
      );
    }
    for (const channel of channels) await channel.system('Subscribed to PostgreSQL', 10_000);
    await service.sql`insert into public.plain values (1, 'row 1', 1), (2, 'row 2', 2), (3, 'row 3', 3), (4, null, null)`;
    await service.sql`insert into public.plain values (9, 'last', 99)`;
    await service.sql`delete from public.plain where id = 9`;
    for (const [index, channel] of channels.entries()) {
      await change(channel, (frame) => data(frame).type === 'DELETE');
      const told = channel
        .all('postgres_changes')
        .filter((frame) => data(frame).type === 'INSERT' && data(frame).record.id !== 9)
        .map((frame) => data(frame).record.id);
      expect(told, filters[index]?.[0]).toEqual(filters[index]?.[1]);
    }
  });

  it('select names the columns sent; the primary key is always among them', async () => {
    const channel = await subscribed([plain('INSERT', { select: ['body'] })]);
    await service.sql`insert into public.plain values (1, 'a', 5)`;
    expect(data(await change(channel)).record).toEqual({ id: 1, body: 'a' });
  });
});

describe('§9 row level security', () => {
  const notes = (event = '*') => ({ event, schema: 'public', table: 'notes' });

  it('each subscriber is told of the rows it may see', async () => {
    const [alice, bob] = [new TestUser(service.sql), new TestUser(service.sql)];
    const [hers, his] = [await subscribed([notes()], alice.token()), await subscribed([notes()], bob.token())];
    await service.sql`insert into public.notes (id, owner, body) values (1, ${alice.id}, 'hers'), (2, ${bob.id}, 'his')`;
    await change(hers);
    await change(his);
    await watchFor(300);
    expect(bodies(hers)).toEqual(['hers']);
    expect(bodies(his)).toEqual(['his']);
  });

  it('anon without a policy is told nothing, service_role everything', async () => {
    const anon = await subscribed([notes(), plain()]);
    const all = await subscribed([notes()], service.keys.serviceJwt);
    await service.sql`insert into public.notes (id, owner, body) values (1, gen_random_uuid(), 'x')`;
    await change(all);
    await flush(anon);
    expect(bodies(anon)).toEqual(['end']);
  });

  it('a DELETE is not checked, and only the primary key is sent', async () => {
    await service.sql`alter table public.notes replica identity full`;
    await service.sql`insert into public.notes (id, owner, body) values (1, gen_random_uuid(), 'x')`;
    const channel = await subscribed([notes('DELETE')], new TestUser(service.sql).token());
    await service.sql`delete from public.notes`;
    expect(data(await change(channel)).old_record).toEqual({ id: 1 });
    await service.sql`alter table public.notes replica identity default`;
  });

  it('a new token is followed: changes are checked with the new claims and "Subscribed to PostgreSQL" comes again', async () => {
    const [alice, bob] = [new TestUser(service.sql), new TestUser(service.sql)];
    const channel = await subscribed([notes()], alice.token());
    channel.push('access_token', { access_token: bob.token() });
    await channel.next('system', () => channel.all('system').length === 2, 8_000);
    await service.sql`insert into public.notes (id, owner, body) values (1, ${alice.id}, 'alice'), (2, ${bob.id}, 'bob')`;
    await change(channel, (frame) => data(frame).record.body === 'bob');
    expect(bodies(channel)).toEqual(['bob']);
  });

  it('the flag private has no influence', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const socket = await service.socket();
    const channel = await socket.join(
      topic,
      { private: true, postgres_changes: [notes()] },
      { access_token: user.token() },
    );
    await channel.system('Subscribed to PostgreSQL', 10_000);
    await service.sql`insert into public.notes (id, owner, body) values (1, ${user.id}, 'mine')`;
    await change(channel);
  });

  it('realtime.subscription lists the subscribers with their claims, and forgets them', async () => {
    const user = new TestUser(service.sql);
    const channel = await subscribed([notes()], user.token());
    const rows = () => service.sql`select claims from realtime.subscription where claims ->> 'sub' = ${user.id}`;
    expect(await rows()).toHaveLength(1);
    channel.socket.terminate();
    await until('the subscription to be forgotten', async () => (await rows()).length === 0, 16_000, 250);
  });
});
