import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestPostgres } from './support/postgres.js';
import { TestRealtime } from './support/realtime.js';
import { waitFor } from './support/wait.js';

let postgres: TestPostgres;
let realtime: TestRealtime;

beforeAll(async () => {
  postgres = await TestPostgres.start();
  realtime = await TestRealtime.start(postgres);
  await postgres.sql(`
    create policy "members read their room" on realtime.messages for select to authenticated
      using (realtime.topic() = 'room:' || (select auth.jwt() ->> 'room') and extension = 'broadcast');
    create policy "members write to their room" on realtime.messages for insert to authenticated
      with check (realtime.topic() = 'room:' || (select auth.jwt() ->> 'room') and extension = 'broadcast')`);
}, 60_000);

afterEach(() => realtime.closeClients());

afterAll(async () => {
  await realtime?.stop();
  await postgres?.stop();
});

describe('from a socket', () => {
  it('goes to everyone on the topic but the sender', async () => {
    const [alice, bob] = [await realtime.connect(), await realtime.connect()];
    for (const client of [alice, bob]) expect((await client.join('lobby')).status).toBe('ok');
    alice.pushBroadcast('lobby', 'hello', { n: 1 });

    const heard = await bob.next('the broadcast', (message) => message.event === 'broadcast');
    expect(heard).toMatchObject({ joinRef: null, ref: null, topic: 'realtime:lobby' });
    expect(heard.payload).toEqual({ type: 'broadcast', event: 'hello', payload: { n: 1 } });
    expect(heard.binary).toMatchObject({ kind: 4, encoding: 1 });
    await alice.settle();
    expect(alice.events('broadcast')).toEqual([]);
  });

  it('goes to the sender too, and is acknowledged, when the join asked for it', async () => {
    const alice = await realtime.connect();
    await alice.join('lobby', { broadcast: { self: true, ack: true } });
    const ref = alice.pushBroadcast('lobby', 'hello', {});
    const reply = await alice.next('the answer', (message) => message.event === 'phx_reply' && message.ref === ref);
    expect(reply).toMatchObject({ joinRef: '1', payload: { status: 'ok', response: {} } });
    await alice.next('the own broadcast', (message) => message.event === 'broadcast');
  });

  it('reaches vsn 1 as text, without raw bytes', async () => {
    const [one, two] = [await realtime.connect({}, '1.0.0'), await realtime.connect()];
    for (const client of [one, two]) await client.join('lobby');
    two.pushBroadcast('lobby', 'bytes', Buffer.from([1, 2, 3]));
    two.pushBroadcast('lobby', 'json', { n: 1 });
    const heard = await one.next('the JSON one', (message) => message.event === 'broadcast');
    expect(heard).toEqual({
      joinRef: null,
      ref: null,
      topic: 'realtime:lobby',
      event: 'broadcast',
      payload: { type: 'broadcast', event: 'json', payload: { n: 1 } },
    });

    one.send('realtime:lobby', 'broadcast', { type: 'broadcast', event: 'text', payload: { n: 2 }, extra: true });
    const text = await two.next('the text', (message) => message.payload.event === 'text');
    expect(text.payload).toEqual({ type: 'broadcast', event: 'text', payload: { n: 2 }, extra: true });
    expect(text.binary).toBeUndefined();
  });

  it('passes text on untouched', async () => {
    const [one, two] = [await realtime.connect({}, '1.0.0'), await realtime.connect()];
    for (const client of [one, two]) await client.join('lobby');
    const frames: string[] = [];
    one.ws.on('message', (data) => frames.push(String(data)));
    two.ws.send('["1","9","realtime:lobby","broadcast",{"n":12345678901234567890,"f":1.0}]');
    await one.next('the broadcast', (message) => message.event === 'broadcast');
    expect(frames.at(-1)).toContain('"payload":{"n":12345678901234567890,"f":1.0}');
  });

  it('keeps public and private topics of one name apart', async () => {
    const [open, secret] = [await realtime.connect({ room: 'a' }), await realtime.connect({ room: 'a' })];
    await open.join('room:a');
    expect(await secret.join('room:a', { private: true })).toMatchObject({ status: 'ok' });
    secret.pushBroadcast('room:a', 'secret', {});
    open.pushBroadcast('room:a', 'open', {});
    await Promise.all([open.settle(), secret.settle()]);
    expect(open.events('broadcast')).toEqual([]);
    expect(secret.events('broadcast')).toEqual([]);
  });

  it('is dropped without an answer when the policies forbid it', async () => {
    await postgres.sql(`create policy "all read the board" on realtime.messages for select to authenticated
      using (realtime.topic() = 'board')`);
    const [writer, reader] = [await realtime.connect(), await realtime.connect()];
    for (const client of [writer, reader]) {
      expect((await client.join('board', { private: true, broadcast: { ack: true } })).status).toBe('ok');
    }
    const ref = writer.pushBroadcast('board', 'graffiti', {});
    await writer.ask('realtime:board', 'presence', { event: 'untrack' }, '1');
    expect(writer.messages.some((message) => message.ref === ref)).toBe(false);
    expect(reader.events('broadcast')).toEqual([]);
  });
});

describe('from the database', () => {
  it('reaches a private topic when the transaction commits', async () => {
    const [two, one] = [await realtime.connect({ room: 'a' }), await realtime.connect({ room: 'a' }, '1.0.0')];
    for (const client of [one, two]) await client.join('room:a', { private: true });
    await postgres.sql(`select realtime.send('{"n": 1}', 'tick', 'room:a')`);

    const heard = await two.next('the broadcast', (message) => message.event === 'broadcast');
    expect(heard.binary).toMatchObject({ kind: 4, encoding: 1 });
    const { id } = heard.payload.meta;
    expect(heard.payload).toEqual({ type: 'broadcast', event: 'tick', payload: { n: 1, id }, meta: { id } });
    const text = await one.next('the same as text', (message) => message.event === 'broadcast');
    expect(text.payload).toEqual({ type: 'broadcast', event: 'tick', payload: { n: 1, id }, meta: { id } });
  });

  it('keeps the order of transactions and within them', async () => {
    const client = await realtime.connect({ room: 'order' });
    await client.join('room:order', { private: true });
    for (const start of [0, 50]) {
      await postgres.sql(`select realtime.send(jsonb_build_object('n', n), 'tick', 'room:order')
        from generate_series(${start}, ${start + 49}) n`);
    }
    await client.until('100 broadcasts', () => client.events('broadcast').length === 100);
    expect(client.events('broadcast').map((message) => message.payload.payload.n)).toEqual(
      Array.from({ length: 100 }, (_, n) => n),
    );
  });

  it('survives a restart of Postgres', async () => {
    const client = await realtime.connect({ room: 'a' });
    await client.join('room:a', { private: true });
    await postgres.restart();
    await waitFor('replication to be ready again', () => realtime.server.stats().replicationReady);
    await postgres.sql(`select realtime.send('{"after": "restart"}', 'tick', 'room:a')`);
    await client.next('the broadcast', (message) => message.payload.payload?.after === 'restart');
  }, 20_000);
});
