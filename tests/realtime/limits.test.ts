import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fastClock } from './support/fast-clock.js';
import { freshTopic, Service } from './support/service.js';
import { until, watchFor, within } from './support/wait.js';
import { type Frame, refusedUpgrade, type WireChannel } from './support/wire.js';

/** One bucket of the rate windows is 5 s of the server's clock: a quarter of a second of ours. */
const SPEED = 20;
const BUCKET_MS = 5_000 / SPEED;

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterEach(() => service.closeSockets());
afterAll(() => service?.stop());

const use = (limits: Record<string, number>) => service.use({ limits, clock: fastClock(SPEED) });

async function expectShutdown(channel: WireChannel, message: string, ms = 8_000) {
  const system = await channel.system(message, ms);
  expect(system.payload).toEqual({ extension: 'system', status: 'error', message, channel: channel.topic });
  await channel.next('phx_close');
}

function http(messages: unknown[]): Promise<Response> {
  return fetch(`${service.gateway.url}/realtime/v1/api/broadcast`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${service.keys.anonJwt}` },
    body: JSON.stringify({ messages }),
  });
}

describe('§10 concurrent connections', () => {
  it('over the limit an upgrade is answered with 429 and a join with ConnectionRateLimitReached', async () => {
    await use({ connections: 2 });
    const sockets = [await service.socket(), await service.socket(), await service.socket()];
    await sockets[0]?.join(freshTopic());
    await sockets[1]?.join(freshTopic());
    const reply = await sockets[2]?.tryJoin(freshTopic());
    expect(reply?.payload).toEqual({
      status: 'error',
      response: { reason: 'ConnectionRateLimitReached: Too many connected users' },
    });
    const refusal = await refusedUpgrade(service.gateway.url, { apikey: service.keys.anonJwt });
    expect([refusal.status, JSON.parse(refusal.body)]).toEqual([429, { error: 'Too many connected users' }]);

    sockets[0]?.terminate();
    await until('a place to be free', async () => (await sockets[2]?.tryJoin(freshTopic()))?.payload.status === 'ok');
  });
});

describe('§10 joins', () => {
  it('over the limit a join is refused, the socket closed with 1001, an upgrade answered with 429, until it falls', async () => {
    await use({ joinsPerSecond: 1, channelsPerConnection: 10_000 });
    const socket = await service.socket();
    const reply = await until<Frame | false>('a refused join', async () => {
      const answer = await socket.tryJoin(freshTopic());
      return answer.payload.status === 'error' && answer;
    });
    expect(reply).toMatchObject({
      payload: { response: { reason: 'ClientJoinRateLimitReached: Too many joins per second' } },
    });
    expect((await within('the close', socket.closed)).code).toBe(1001);
    const refusal = await refusedUpgrade(service.gateway.url, { apikey: service.keys.anonJwt });
    expect([refusal.status, JSON.parse(refusal.body)]).toEqual([429, { error: 'Too many joins per second' }]);
    await until('joins to be taken again', () => service.socket().catch(() => undefined), 12_000, 200);
  });

  it('a burst passes: rates are averages', async () => {
    await service.use({ limits: { joinsPerSecond: 3 } });
    const socket = await service.socket();
    for (let n = 0; n < 30; n += 1) await socket.join(freshTopic());
  });

  it('a socket holds 100 channels; the next join is refused with ChannelRateLimitReached; a leave makes room', async () => {
    await service.use();
    const socket = await service.socket();
    const first = await socket.join(freshTopic());
    for (let n = 2; n <= 100; n += 1) await socket.join(freshTopic());
    const reply = await socket.tryJoin(freshTopic());
    expect(reply.payload).toEqual({
      status: 'error',
      response: { reason: 'ChannelRateLimitReached: Too many channels' },
    });
    await first.ask('phx_leave', {});
    await socket.join(freshTopic());
  });

  it('a project that allows private channels only refuses public ones with PrivateOnly', async () => {
    await service.use({ privateOnly: true });
    const reply = await (await service.socket()).tryJoin(freshTopic());
    expect(reply.payload.response.reason).toBe('PrivateOnly: This project only allows private channels');
    const trusted = await service.socket({ apikey: service.keys.serviceJwt });
    await trusted.join(freshTopic(), { private: true });
  });
});

describe('§10 messages per second', () => {
  it('over the limit a channel is shut down with "Too many messages per second"', async () => {
    await use({ messagesPerSecond: 2 });
    const channel = await (await service.socket()).join(freshTopic(), { broadcast: { self: true } });
    const flood = setInterval(() => channel.broadcast('e', {}), 5);
    try {
      await expectShutdown(channel, 'Too many messages per second');
    } finally {
      clearInterval(flood);
    }
  });

  it('each delivery to each subscriber counts', async () => {
    // One message in 100 ms is 0.5 a second on the server's clock; with 25 receivers it is 13.
    await use({ messagesPerSecond: 6 });
    const run = async (receivers: number, forMs: number): Promise<string[]> => {
      const topic = freshTopic();
      const sender = await (await service.socket()).join(topic);
      const channels = [sender];
      for (let n = 0; n < receivers; n += 1) channels.push(await (await service.socket()).join(topic));
      const drip = setInterval(() => sender.broadcast('e', {}), 100);
      await watchFor(forMs);
      clearInterval(drip);
      await Promise.all(channels.map((channel) => channel.socket.settle()));
      return channels.flatMap((channel) => channel.all('system').map((frame) => frame.payload.message));
    };
    expect(await run(0, 4 * BUCKET_MS)).toEqual([]);
    expect(new Set(await run(25, 8 * BUCKET_MS))).toEqual(new Set(['Too many messages per second']));
  });

  it('over the limit HTTP is answered with 429', async () => {
    await use({ messagesPerSecond: 2 });
    const topic = freshTopic();
    // Many at once: by a clock that runs so fast, forty a second one by one would be few, and a busy machine manages fewer.
    const response = await until<Response | undefined>('a 429', async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => http([{ topic, event: 'e', payload: {} }])));
      return answers.find(({ status }) => status === 429);
    });
    const { message } = (await response.json()) as { message: string };
    expect([
      'Too many requests',
      'You have exceeded your rate limit',
      'Too many messages to broadcast, please reduce the batch size',
    ]).toContain(message);
  });

  it('a batch larger than the limit is answered with 429 and sent in no part', async () => {
    await service.use({ limits: { messagesPerSecond: 10 } });
    const listener = await (await service.socket()).join(freshTopic());
    const messages = Array.from({ length: 11 }, () => ({ topic: listener.topic, event: 'batch', payload: {} }));
    const response = await http(messages);
    expect(response.status).toBe(429);
    expect(await response.json()).toEqual({
      message: 'Too many messages to broadcast, please reduce the batch size',
    });
    await http([{ topic: listener.topic, event: 'marker', payload: {} }]);
    await listener.hear('marker');
    expect(listener.heard()).toEqual(['marker']);
  });

  it('over the limit sends of the database are dropped, and delivered again when it is over', async () => {
    await use({ messagesPerSecond: 2 });
    const socket = await service.socket({ apikey: service.keys.serviceJwt });
    const channel = await socket.join(freshTopic(), { private: true, broadcast: { replication_ready: true } });
    await channel.system('Replication connection established', 10_000);
    await service.sql`select realtime.send('{}', 'burst', ${channel.topic}) from generate_series(1, 60)`;
    await channel.hear('burst');
    await watchFor(2 * BUCKET_MS);
    await service.sql`select realtime.send('{}', 'dropped', ${channel.topic})`;
    await until(
      'sends to be delivered again',
      async () => {
        await service.sql`select realtime.send('{}', 'again', ${channel.topic})`;
        await socket.settle(); // on the fast clock a socket that is silent for three seconds is closed
        return channel.heard().includes('again');
      },
      10_000,
      2 * BUCKET_MS,
    );
    expect(channel.heard()).not.toContain('dropped');
    expect(channel.all('phx_close')).toEqual([]);
  });

  it('heartbeats count nothing', async () => {
    await use({ messagesPerSecond: 2 });
    const socket = await service.socket();
    const channel = await socket.join(freshTopic(), { broadcast: { ack: true } });
    const beats = setInterval(() => socket.send('phoenix', 'heartbeat', {}), 5);
    await watchFor(3 * BUCKET_MS);
    clearInterval(beats);
    expect((await channel.ask('broadcast', { type: 'broadcast', event: 'e', payload: {} })).payload.status).toBe('ok');
  });
});

describe('§10 presence', () => {
  it('over the messages limit the caller’s channel is shut down with "Too many presence messages per second"', async () => {
    await use({ presenceMessagesPerSecond: 1, presenceCallsPerWindow: 100_000 });
    const channel = await (await service.socket()).join(freshTopic(), { presence: { enabled: true, key: 'a' } });
    let n = 0;
    const flood = setInterval(() => {
      n += 1;
      channel.push('presence', { type: 'presence', event: 'track', payload: { n } });
    }, 5);
    try {
      await expectShutdown(channel, 'Too many presence messages per second');
    } finally {
      clearInterval(flood);
    }
  });

  it('five calls are allowed again after 30 s', async () => {
    await use({});
    const channel = await (await service.socket()).join(freshTopic(), { presence: { enabled: true, key: 'a' } });
    for (let n = 1; n <= 5; n += 1) await channel.track({ n });
    await watchFor(31_000 / SPEED);
    for (let n = 6; n <= 10; n += 1) expect((await channel.track({ n })).payload.status).toBe('ok');
    channel.push('presence', { type: 'presence', event: 'track', payload: { n: 11 } });
    await channel.system('Client presence rate limit exceeded');
  });
});

describe('§10 payloads by plan', () => {
  it('free: 256 KB over socket, HTTP and database', async () => {
    await service.use({ plan: 'free' });
    const topic = freshTopic();
    const socket = await service.socket({ apikey: service.keys.serviceJwt });
    const channel = await socket.join(topic, { broadcast: { ack: true, replication_ready: true } });
    const payload = (size: number) => ({ fill: 'x'.repeat(size) });
    const ask = async (size: number) =>
      (await channel.ask('broadcast', { type: 'broadcast', event: 'e', payload: payload(size) })).payload;
    expect(await ask(254_000)).toEqual({ status: 'ok', response: {} });
    expect(await ask(257_000)).toEqual({ status: 'error', response: 'payload_size_exceeded' });
    expect((await http([{ topic, event: 'http', payload: payload(257_000) }])).status).toBe(422);
    await channel.system('Replication connection established', 10_000);
    await service.sql`select realtime.send(jsonb_build_object('fill', repeat('x', 257000)), 'too large', ${topic}, false)`;
    await service.sql`select realtime.send('{}', 'marker', ${topic}, false)`;
    await channel.hear('marker');
    expect(channel.heard()).toEqual(['marker']);
  });

  it.each(['pro', 'team', 'self-hosted'] as const)('%s: 3,000 KB', async (plan) => {
    await service.use({ plan });
    const channel = await (await service.socket()).join(freshTopic(), { broadcast: { ack: true } });
    const ask = async (size: number) =>
      (await channel.ask('broadcast', { type: 'broadcast', event: 'e', payload: { fill: 'x'.repeat(size) } })).payload;
    expect((await ask(2_990_000)).status).toBe('ok');
    expect((await ask(3_010_000)).response).toBe('payload_size_exceeded');
  });
});

describe('§1 idle timeout', () => {
  it('60 s without a frame close the socket with 1000; any frame begins them anew', async () => {
    await service.use({ clock: fastClock(SPEED) });
    const [silent, talks] = [await service.socket(), await service.socket()];
    const started = performance.now();
    const chatter = setInterval(() => talks.send('phoenix', 'heartbeat', {}), 1_000);
    try {
      const { code, at } = await within('the close of the silent socket', silent.closed, 6_000);
      expect(code).toBe(1000);
      expect(at - started).toBeGreaterThanOrEqual(60_000 / SPEED - 50);
      await watchFor(1_000);
      await talks.settle();
    } finally {
      clearInterval(chatter);
    }
  });
});
