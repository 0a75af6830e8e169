import { createConnection } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RealtimeOptions } from '../src/options.js';
import { FakeClock } from './support/clock.js';
import { TestPostgres } from './support/postgres.js';
import { TestRealtime } from './support/realtime.js';
import { signToken } from './support/tokens.js';
import { waitFor } from './support/wait.js';

let postgres: TestPostgres;
let realtime: TestRealtime | null = null;

beforeAll(async () => {
  postgres = await TestPostgres.start();
}, 60_000);

afterEach(async () => {
  await realtime?.closeClients();
  await realtime?.stop();
  realtime = null;
});

afterAll(() => postgres?.stop());

async function start(options: Partial<RealtimeOptions> = {}): Promise<TestRealtime> {
  realtime = await TestRealtime.start(postgres, options);
  return realtime;
}

const warned = (text: string) => realtime?.log.some((line) => line.level === 'warn' && line.message.includes(text));

describe('limits', () => {
  it('of connections count sockets that joined', async () => {
    const server = await start({ limits: { connections: 1 } });
    const [first, second] = [await server.connect(), await server.connect()];
    await first.join('a');
    expect((await second.join('a')).response.reason).toBe('ConnectionRateLimitReached: Too many connected users');
    await expect(server.connect()).rejects.toThrow('refused with 429');
    expect((await first.join('b')).status).toBe('ok');
    await first.close();
    await waitFor('the place to be free', () => server.server.stats().users === 0);
    expect((await second.join('a')).status).toBe('ok');
    expect(warned('ConnectionRateLimitReached')).toBe(true);
  });

  it('of channels end with the hundred of a socket', async () => {
    const server = await start({ limits: { channelsPerConnection: 2 } });
    const client = await server.connect();
    for (const topic of ['a', 'b', 'b']) expect((await client.join(topic)).status).toBe('ok');
    expect((await client.join('c')).response.reason).toBe('ChannelRateLimitReached: Too many channels');
    expect(warned('ChannelRateLimitReached')).toBe(true);
  });

  it('of joins close the socket with 1001, and refuse new ones', async () => {
    const clock = new FakeClock(Date.now());
    const server = await start({ clock, channelErrorBackoffMs: 0, limits: { joinsPerSecond: 1 } });
    const client = await server.connect();
    for (let n = 0; n < 11; n++) await client.join(`t${n}`);
    clock.advance(5_000);
    const answer = client.join('more');
    const ticking = setInterval(() => clock.advance(0), 5);
    expect((await answer).response.reason).toBe('ClientJoinRateLimitReached: Too many joins per second');
    await client.until('the end', () => client.closed !== null);
    clearInterval(ticking);
    expect(client.closed).toEqual({ code: 1001 });
    expect(warned('ClientJoinRateLimitReached')).toBe(true);
  });

  it('of messages count deliveries, end the channels of listeners and drop database broadcasts', async () => {
    const clock = new FakeClock(Date.now());
    const server = await start({ clock, limits: { messagesPerSecond: 10 } });
    const [sender, ...listeners] = [await server.connect(), await server.connect(), await server.connect()];
    for (const client of [sender, ...listeners]) await client?.join('a');
    for (let n = 0; n < 40; n++) sender?.pushBroadcast('a', 'e', {});
    await listeners[0]?.until('all', () => listeners[0]?.events('broadcast').length === 40);
    clock.advance(5_000);
    // 40 sends and 80 deliveries in two buckets.
    expect(server.server.stats()).toMatchObject({ messagesPerSecond: 12, messages: { broadcast: 120, presence: 0 } });
    await postgres.sql(`select realtime.send('{}', 'dropped', 'a', false)`);
    await waitFor('the drop', () => warned('dropped a database broadcast') === true);
    expect((await server.post('/api/broadcast/a/events/e', '{}')).status).toBe(429);

    sender?.pushBroadcast('a', 'last', {});
    for (const client of listeners) {
      await client.next('the end', (message) => message.event === 'phx_close');
      expect(client.messages.slice(-3).map((message) => message.payload.event ?? message.payload.message)).toEqual([
        'last',
        'Too many messages per second',
        undefined,
      ]);
    }
    await sender?.settle();
    expect(sender?.events('phx_close')).toEqual([]);
    expect(warned('MessagePerSecondRateLimitReached')).toBe(true);
  });

  it('of payload drop, or tell who asked for an answer', async () => {
    const server = await start({ limits: { broadcastPayloadKb: 1 } });
    const [asking, silent, listener] = [await server.connect(), await server.connect(), await server.connect()];
    await asking.join('a', { broadcast: { ack: true } });
    for (const client of [silent, listener]) await client.join('a');
    const large = { x: 'x'.repeat(1_500) };
    const ref = asking.pushBroadcast('a', 'large', large);
    const answer = await asking.next('the answer', (message) => message.ref === ref);
    expect(answer.payload).toEqual({ status: 'error', response: 'payload_size_exceeded' });
    silent.pushBroadcast('a', 'large', large);
    silent.send('realtime:a', 'broadcast', { type: 'broadcast', event: 'large', payload: large }, '1');
    silent.pushBroadcast('a', 'small', {});
    await listener.next('the small one', (message) => message.event === 'broadcast');
    expect(listener.events('broadcast').map((message) => message.payload.event)).toEqual(['small']);
    expect(warned('payload_size_exceeded')).toBe(true);
  });
});

it('cuts off a client that does not read, and nobody else', async () => {
  const server = await start({ limits: { messagesPerSecond: 1_000_000 }, maxBufferedBytes: 4_000_000 });
  const token = await signToken();
  const [sender, witness] = [await server.connect(), await server.connect()];
  for (const client of [sender, witness]) await client.join('a');
  const raw = createConnection(server.port, '127.0.0.1');
  raw.write(
    `GET /socket/websocket?apikey=${token}&vsn=2.0.0 HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
      'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  const join = Buffer.from(JSON.stringify(['1', '1', 'realtime:a', 'phx_join', { config: {} }]));
  raw.write(Buffer.concat([Buffer.from([0x81, 0x80 | join.length, 0, 0, 0, 0]), join]));
  await waitFor('the raw client to join', () => server.server.stats().channels === 3);
  raw.pause();
  const body = { x: 'x'.repeat(500_000) };
  for (let n = 1; server.server.stats().sockets === 3; n++) {
    if (n > 200) throw new Error('100 MB were kept for a client that does not read');
    sender.pushBroadcast('a', 'e', body);
    await witness.until(`broadcast ${n}`, () => witness.events('broadcast').length === n);
  }
  await sender.settle();
  await witness.settle();
  expect(warned('reads too slowly')).toBe(true);
  raw.destroy();
});

it('ends the feed 11 minutes after the last user went, and begins it for the next', async () => {
  const clock = new FakeClock(Date.now());
  const server = await start({ clock });
  const client = await server.connect();
  await client.join('a');
  expect(server.server.stats().replicationReady).toBe(true);
  await client.close();
  await waitFor('the user to be gone', () => server.server.stats().users === 0);
  clock.advance(11 * 60_000 - 1);
  expect(server.server.stats().replicationReady).toBe(true);
  clock.advance(1);
  await waitFor('the feed to end', () => !server.server.stats().replicationReady);
  const next = await server.connect();
  await next.join('a');
  await waitFor('the feed to begin', () => server.server.stats().replicationReady);
});

it('says when database sends will reach a channel', async () => {
  const server = await start();
  const client = await server.connect();
  await client.join('a', { broadcast: { replication_ready: true } });
  const system = await client.next('the news', (message) => message.event === 'system');
  expect(system.payload).toEqual({
    extension: 'system',
    status: 'ok',
    message: 'Replication connection established',
    channel: 'a',
  });
});

it('refuses joins while there is no Postgres, and takes them again when it is back', async () => {
  const server = await start();
  const client = await server.connect();
  expect((await client.join('a')).status).toBe('ok');
  await postgres.shutDown();
  const refused = await client.join('b');
  expect(refused.response.reason).toBe(
    'UnableToConnectToProject: Realtime was unable to connect to the project database',
  );
  expect((await client.ask('realtime:a', 'presence', { event: 'untrack' }, '1')).status).toBe('ok');
  await postgres.startAgain();
  server.server.databaseRestarted();
  expect((await client.join('b')).status).toBe('ok');
  await waitFor('replication to be ready', () => server.server.stats().replicationReady);
}, 30_000);

it('says goodbye to everyone when it stops', async () => {
  const server = await start();
  const client = await server.connect();
  await client.join('a');
  await server.server.stop();
  await client.until('the end', () => client.closed !== null);
  expect(client.closed).toEqual({ code: 1012 });
  expect(client.events('system')[0]?.payload).toEqual({
    extension: 'system',
    status: 'ok',
    message: 'Server requested disconnect',
  });
  // Postgres drops them when it sees that the connection has gone.
  await vi.waitFor(
    async () => expect(await postgres.sql(`select slot_name from pg_replication_slots`)).toEqual([]),
    10_000,
  );
});

it('tells a private channel apart by what it may do: send without hearing', async () => {
  const server = await start();
  await postgres.sql(`
    create policy "hear presence" on realtime.messages for select to authenticated
      using (extension = 'presence' or (select auth.jwt() ->> 'ear') = 'yes');
    create policy "speak" on realtime.messages for insert to authenticated with check (extension = 'broadcast')`);
  const [mouth, ear] = [await server.connect(), await server.connect({ ear: 'yes' })];
  expect((await mouth.join('a', { private: true })).status).toBe('error');
  for (const client of [mouth, ear]) {
    expect(
      (await client.join('a', { private: true, presence: { enabled: true }, broadcast: { self: true } })).status,
    ).toBe('ok');
  }
  mouth.pushBroadcast('a', 'usage', {});
  await ear.next('the broadcast', (message) => message.event === 'broadcast');
  await mouth.settle();
  expect(mouth.events('broadcast')).toEqual([]);
});
