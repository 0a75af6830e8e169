import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshTopic, Service } from './support/service.js';
import { watchFor } from './support/wait.js';
import type { Vsn, WireChannel } from './support/wire.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterEach(() => service.closeSockets());
afterAll(() => service?.stop());

async function send(topic: string, event: string): Promise<void> {
  await service.sql`select realtime.send('{}', ${event}, ${topic})`;
}

async function joined(topic: string, replay: Record<string, unknown>, vsn: Vsn = '2.0.0'): Promise<WireChannel> {
  const socket = await service.socket({ vsn, apikey: service.keys.serviceJwt });
  return socket.join(topic, { private: true, broadcast: { replay, replication_ready: true } });
}

describe('§6 replay', () => {
  it('sends the stored rows after the reply, oldest first, with meta {replayed: true, id}', async () => {
    const topic = freshTopic();
    for (const event of ['a', 'b', 'c']) await send(topic, event);
    const channel = await joined(topic, { since: 0 });
    await channel.hear('c');
    const rows = await service.sql`select id, event from realtime.messages where topic = ${topic} order by inserted_at`;
    expect(channel.all('broadcast').map((frame) => frame.payload)).toEqual(
      rows.map(({ id, event }) => ({ type: 'broadcast', event, payload: { id }, meta: { replayed: true, id } })),
    );
    expect(channel.socket.frames[0]).toBe(channel.reply);
  });

  it('JSON rows are text frames with the join_ref of the channel and ref null', async () => {
    const topic = freshTopic();
    await send(topic, 'a');
    const channel = await joined(topic, { since: 0 });
    const frame = await channel.hear('a');
    expect(frame.binary).toBeUndefined();
    expect([frame.join_ref, frame.ref]).toEqual([channel.joinRef, null]);
  });

  it('reaches vsn 1 as text', async () => {
    const topic = freshTopic();
    await send(topic, 'a');
    const channel = await joined(topic, { since: 0 }, '1.0.0');
    expect((await channel.hear('a')).payload.meta).toEqual({ replayed: true, id: expect.any(String) });
  });

  it('limit keeps the newest rows', async () => {
    const topic = freshTopic();
    for (const event of ['a', 'b', 'c', 'd']) await send(topic, event);
    const channel = await joined(topic, { since: 0, limit: 2 });
    await channel.hear('d');
    expect(channel.heard()).toEqual(['c', 'd']);
  });

  it('without a limit 25 rows are sent', async () => {
    const topic = freshTopic();
    for (let n = 1; n <= 27; n += 1) await send(topic, `e${n}`);
    const channel = await joined(topic, { since: 0 });
    await channel.hear('e27');
    expect(channel.heard()).toEqual(Array.from({ length: 25 }, (_, n) => `e${n + 3}`));
  });

  it('since bounds inserted_at, in milliseconds', async () => {
    const topic = freshTopic();
    await send(topic, 'before');
    const [row] = await service.sql`
      select ceil(extract(epoch from (inserted_at at time zone 'utc')) * 1000)::float8 as at
      from realtime.messages where topic = ${topic}`;
    await watchFor(5);
    await send(topic, 'after');
    const channel = await joined(topic, { since: (row?.at as number) + 1 });
    await channel.hear('after');
    expect(channel.heard()).toEqual(['after']);
  });

  it('binary rows are kind 4 to vsn 2 with meta, and passed over for vsn 1', async () => {
    const topic = freshTopic();
    await service.sql`select realtime.send_binary('\\x0102'::bytea, 'raw', ${topic})`;
    await send(topic, 'text');
    const [recent, old] = [await joined(topic, { since: 0 }), await joined(topic, { since: 0 }, '1.0.0')];
    const frame = await recent.hear('raw');
    expect(frame.binary).toMatchObject({ kind: 4, encoding: 0 });
    expect(frame.payload.meta).toEqual({ replayed: true, id: expect.any(String) });
    await old.hear('text');
    expect(old.heard()).toEqual(['text']);
  });

  it('only private rows of that very topic are replayed', async () => {
    const topic = freshTopic();
    await service.sql`select realtime.send('{}', 'public', ${topic}, false)`;
    await send(`${topic}-other`, 'other');
    await send(topic, 'mine');
    const channel = await joined(topic, { since: 0 });
    await channel.hear('mine');
    expect(channel.heard()).toEqual(['mine']);
  });

  it('a replayed message is not delivered a second time', async () => {
    for (let round = 0; round < 5; round += 1) {
      const topic = freshTopic();
      const warm = await joined(topic, { since: 0 });
      await warm.system('Replication connection established', 10_000);
      await send(topic, 'once');
      const channel = await joined(topic, { since: 0 });
      await send(topic, 'marker');
      await channel.hear('marker');
      expect(channel.heard()).toEqual(['once', 'marker']);
    }
  });

  it('live messages after the replay carry no replayed flag', async () => {
    const topic = freshTopic();
    const channel = await joined(topic, { since: 0 });
    await channel.system('Replication connection established', 10_000);
    await send(topic, 'live');
    expect((await channel.hear('live')).payload.meta).toEqual({ id: expect.any(String) });
  });

  it('needs the right to read', async () => {
    const topic = freshTopic();
    await send(topic, 'a');
    const user = await service.user(topic, ['presence:read']);
    const socket = await service.socket();
    const reply = await socket.tryJoin(
      topic,
      { private: true, broadcast: { replay: { since: 0 } } },
      { access_token: user.token() },
    );
    expect(reply.payload.response.reason).toMatch(/^Unauthorized: /);
    await socket.settle();
    expect(socket.frames.some((frame) => frame.event === 'broadcast')).toBe(false);
  });
});
