import type { SupabaseClient } from '@supabase/supabase-js';
import { createClient } from '@supabase/supabase-js';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { Inbox, officialClient, subscribe } from './support/client.js';
import { freshTopic, Service, TestUser } from './support/service.js';
import { seconds } from './support/tokens.js';
import { until } from './support/wait.js';
import type { Vsn } from './support/wire.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
  await service.sql.unsafe(`
    create table public.items (id int primary key, name text, price numeric, tags text[], made timestamptz);
    grant select on public.items to anon, authenticated;
    drop publication if exists supabase_realtime;
    create publication supabase_realtime for table public.items;`);
});
afterAll(() => service?.stop());

type Message = { type: string; event: string; payload: Record<string, unknown>; meta?: Record<string, unknown> };

describe.each<Vsn>(['1.0.0', '2.0.0'])('the official client, vsn %s', (vsn) => {
  const clients: SupabaseClient[] = [];
  const client = (options = {}) => {
    const made = officialClient(service, vsn, options);
    clients.push(made);
    return made;
  };
  const signedIn = async (user: TestUser) => {
    const made = client();
    await made.realtime.setAuth(user.token());
    return made;
  };
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((made) => made.removeAllChannels()));
    service.closeSockets();
  });

  it('§1 connects with an sb_publishable key and keeps its heartbeat', async () => {
    const beats: string[] = [];
    const made = client({ heartbeatIntervalMs: 200, heartbeatCallback: (status: string) => beats.push(status) });
    await subscribe(made.channel(freshTopic())).reaches('SUBSCRIBED');
    await until('three answered heartbeats', () => beats.filter((status) => status === 'ok').length >= 3);
    expect(beats.filter((status) => status === 'timeout' || status === 'error')).toEqual([]);
  });

  it('§3 a refused join is CHANNEL_ERROR with the reason as message', async () => {
    const topic = freshTopic();
    const subscription = subscribe(client().channel(topic, { config: { private: true } }));
    await subscription.reaches('CHANNEL_ERROR');
    expect(subscription.errors[0]).toBe(
      `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}`,
    );
  });

  it('§3 a refused join is tried again and succeeds once the right is there', async () => {
    const topic = freshTopic();
    const user = await service.user(topic);
    const subscription = subscribe((await signedIn(user)).channel(topic, { config: { private: true } }));
    await subscription.reaches('CHANNEL_ERROR');
    await user.grant(topic, 'broadcast:read');
    await subscription.reaches('SUBSCRIBED');
  });

  it('§4 unsubscribe resolves ok and reports CLOSED', async () => {
    const subscription = subscribe(client().channel(freshTopic()));
    await subscription.reaches('SUBSCRIBED');
    expect(await subscription.channel.unsubscribe()).toBe('ok');
    expect(subscription.statuses).toEqual(['SUBSCRIBED', 'CLOSED']);
  });

  it('§6 broadcasts reach another client, and with self the sender', async () => {
    const topic = freshTopic();
    const [mine, theirs] = [new Inbox<Message>(), new Inbox<Message>()];
    const sender = client().channel(topic, { config: { broadcast: { self: true } } });
    const receiver = client().channel(topic);
    sender.on('broadcast', { event: 'e' }, mine.add as never);
    receiver.on('broadcast', { event: '*' }, theirs.add as never);
    await subscribe(sender).reaches('SUBSCRIBED');
    await subscribe(receiver).reaches('SUBSCRIBED');
    expect(await sender.send({ type: 'broadcast', event: 'e', payload: { n: 1 } })).toBe('ok');
    for (const inbox of [mine, theirs]) {
      expect(await inbox.next('the broadcast')).toEqual({ type: 'broadcast', event: 'e', payload: { n: 1 } });
    }
  });

  it('§6 ack resolves ok; too large resolves error; without permission times out', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const made = await signedIn(user);
    const open = made.channel(freshTopic(), { config: { broadcast: { ack: true } } });
    const mute = made.channel(topic, { config: { private: true, broadcast: { ack: true } } });
    await subscribe(open).reaches('SUBSCRIBED');
    await subscribe(mute).reaches('SUBSCRIBED');
    const message = (fill: number) => ({ type: 'broadcast' as const, event: 'e', payload: { fill: 'x'.repeat(fill) } });
    expect(await open.send(message(1))).toBe('ok');
    expect(await open.send(message(3_100_000))).toBe('error');
    expect(await mute.send(message(1), { timeout: 500 })).toBe('timed out');
  });

  it('§6 httpSend reaches subscribers; private without permission rejects with Unauthorized', async () => {
    const topic = freshTopic();
    const inbox = new Inbox<Message>();
    const receiver = client().channel(topic);
    receiver.on('broadcast', { event: 'e' }, inbox.add as never);
    await subscribe(receiver).reaches('SUBSCRIBED');
    const sender = client();
    expect(await sender.channel(topic).httpSend('e', { n: 1 })).toEqual({ success: true });
    expect((await inbox.next('the broadcast')).payload).toEqual({ n: 1 });
    const forbidden = sender.channel(`${topic}-private`, { config: { private: true } });
    await expect(forbidden.httpSend('e', {})).rejects.toThrow('Unauthorized');
  });

  it('§6 send before joining falls back to HTTP', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const topic = freshTopic();
    const inbox = new Inbox<Message>();
    const receiver = client().channel(topic);
    receiver.on('broadcast', { event: 'e' }, inbox.add as never);
    await subscribe(receiver).reaches('SUBSCRIBED');
    expect(
      await client()
        .channel(topic)
        .send({ type: 'broadcast', event: 'e', payload: { n: 1 } }),
    ).toBe('ok');
    expect((await inbox.next('the broadcast')).payload).toEqual({ n: 1 });
    warn.mockRestore();
  });

  it('§6 realtime.send arrives as {type, event, payload, meta: {id}}', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const [inbox, system] = [new Inbox<Message>(), new Inbox<{ message: string }>()];
    const channel = (await signedIn(user)).channel(topic, {
      config: { private: true, broadcast: { replication_ready: true } },
    });
    channel.on('broadcast', { event: 'e' }, inbox.add as never).on('system', {}, system.add);
    await subscribe(channel).reaches('SUBSCRIBED');
    await system.next('the feed', ({ message }) => message === 'Replication connection established', 10_000);
    await service.sql`select realtime.send('{"n": 1}', 'e', ${topic})`;
    const message = await inbox.next('the message');
    const id = message.meta?.id;
    expect(message).toEqual({ type: 'broadcast', event: 'e', payload: { n: 1, id }, meta: { id } });
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('§6 replay arrives with meta.replayed', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const since = Date.now() - 60_000;
    await service.sql`select realtime.send('{"n": 1}', 'e', ${topic})`;
    const inbox = new Inbox<Message>();
    const channel = (await signedIn(user)).channel(topic, {
      config: { private: true, broadcast: { replay: { since, limit: 10 } } },
    });
    channel.on('broadcast', { event: 'e' }, inbox.add as never);
    await subscribe(channel).reaches('SUBSCRIBED');
    expect((await inbox.next('the replayed message')).meta).toMatchObject({ replayed: true });
  });

  it('§5 setAuth with a token that lost the right closes the channel', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const made = await signedIn(user);
    const system = new Inbox<{ message: string }>();
    const channel = made.channel(topic, { config: { private: true } });
    channel.on('system', {}, system.add);
    const subscription = subscribe(channel);
    await subscription.reaches('SUBSCRIBED');
    await user.revoke(topic, 'broadcast:read');
    await made.realtime.setAuth(user.token());
    await subscription.reaches('CLOSED');
    expect(system.messages.map(({ message }) => message)).toEqual([
      `You do not have permissions to read from this Channel topic: ${topic}`,
    ]);
  });

  it('§5 callback mode refreshes in time; manual mode closes at expiry', async () => {
    const user = new TestUser(service.sql);
    const [refreshed, manual] = [freshTopic(), freshTopic()];
    await user.grant(refreshed, 'broadcast:read');
    await user.grant(manual, 'broadcast:read');
    const make = (heartbeatIntervalMs: number) => {
      const made = createClient(service.gateway.url, service.keys.publishable, {
        accessToken: async () => user.token({ exp: seconds(3) }),
        realtime: { transport: WebSocket as never, vsn, heartbeatIntervalMs, timeout: 3_000 },
      });
      clients.push(made);
      return made;
    };
    const withCallback = make(700);
    await withCallback.realtime.setAuth();
    const living = subscribe(withCallback.channel(refreshed, { config: { private: true } }));
    const byHand = make(10_000);
    await byHand.realtime.setAuth(user.token({ exp: seconds(3) }));
    const dying = subscribe(byHand.channel(manual, { config: { private: true } }));
    await living.reaches('SUBSCRIBED');
    await dying.reaches('SUBSCRIBED');
    await dying.reaches('CLOSED', 1, 6_000);
    expect(living.statuses).toEqual(['SUBSCRIBED']);
  });

  it('§8 presence: sync, join and leave, with presence_ref', async () => {
    const topic = freshTopic();
    const make = (key: string) => client().channel(topic, { config: { presence: { key } } });
    const [a, b] = [make('a'), make('b')];
    const events = new Inbox<{ event: string; key?: string }>();
    for (const event of ['sync', 'join', 'leave'] as const) b.on('presence', { event } as never, events.add as never);
    await subscribe(b).reaches('SUBSCRIBED');
    a.on('presence', { event: 'sync' }, () => {});
    await subscribe(a).reaches('SUBSCRIBED');
    expect(await a.track({ at: 'desk' })).toBe('ok');
    await events.next('the join of a', (event) => event.event === 'join' && event.key === 'a');
    await until('the state', () => b.presenceState().a);
    expect(b.presenceState()).toEqual({ a: [{ at: 'desk', presence_ref: expect.any(String) }] });
    expect(await a.untrack()).toBe('ok');
    await events.next('the leave of a', (event) => event.event === 'leave' && event.key === 'a');
    expect(b.presenceState()).toEqual({});
  });

  it('§8 after a reconnect the client has to track again', async () => {
    const topic = freshTopic();
    const watcher = client().channel(topic, { config: { presence: { key: 'watcher' } } });
    watcher.on('presence', { event: 'sync' }, () => {});
    const made = client();
    const tracked = made.channel(topic, { config: { presence: { key: 'tracked' } } });
    tracked.on('presence', { event: 'sync' }, () => {});
    await subscribe(watcher).reaches('SUBSCRIBED');
    const subscription = subscribe(tracked);
    await subscription.reaches('SUBSCRIBED');
    await tracked.track({ n: 1 });
    await until('the member to be seen', () => watcher.presenceState().tracked);
    const { socketAdapter } = made.realtime as unknown as { socketAdapter: { getSocket(): { conn: WebSocket } } };
    socketAdapter.getSocket().conn.terminate();
    await until('the member to be gone', () => !watcher.presenceState().tracked, 1_000);
    await subscription.reaches('SUBSCRIBED', 2);
    expect(watcher.presenceState().tracked).toBeUndefined();
    await tracked.track({ n: 2 });
    await until('the member to be back', () => watcher.presenceState().tracked);
  });

  it('§9 postgres_changes arrive with converted values', async () => {
    const id = vsn === '1.0.0' ? 1 : 2;
    const [changes, system] = [new Inbox<Record<string, unknown>>(), new Inbox<{ message: string }>()];
    const channel = client().channel(freshTopic());
    channel
      .on('postgres_changes', { event: '*', schema: 'public', table: 'items', filter: `id=eq.${id}` }, changes.add)
      .on('system', {}, system.add);
    await subscribe(channel).reaches('SUBSCRIBED');
    await system.next('the subscription', ({ message }) => message === 'Subscribed to PostgreSQL', 10_000);
    await service.sql`insert into public.items values (${id}, 'x', 1.5, '{a,b}', '2026-01-01T00:00:00Z')`;
    const inserted = await changes.next('the insert', () => true, 8_000);
    expect(inserted).toMatchObject({
      eventType: 'INSERT',
      schema: 'public',
      table: 'items',
      new: { id, name: 'x', price: 1.5, tags: ['a', 'b'] },
      old: {},
      errors: null,
    });
    await service.sql`update public.items set name = 'y' where id = ${id}`;
    expect(await changes.next('the update', (change) => change.eventType === 'UPDATE')).toMatchObject({
      new: { id, name: 'y' },
      old: { id },
    });
    await service.sql`delete from public.items where id = ${id}`;
    expect(await changes.next('the delete', (change) => change.eventType === 'DELETE')).toMatchObject({
      new: {},
      old: { id },
    });
  });

  it('many channels on one socket keep their messages apart', async () => {
    const made = client();
    const inboxes = Array.from({ length: 20 }, () => new Inbox<Message>());
    const channels = inboxes.map((inbox) => {
      const channel = made.channel(freshTopic(), { config: { broadcast: { self: true } } });
      channel.on('broadcast', { event: '*' }, inbox.add as never);
      return channel;
    });
    await Promise.all(channels.map((channel) => subscribe(channel).reaches('SUBSCRIBED')));
    await Promise.all(channels.map((channel, n) => channel.send({ type: 'broadcast', event: `e${n}`, payload: {} })));
    for (const [n, inbox] of inboxes.entries()) {
      await inbox.next(`the message of channel ${n}`, (message) => message.event === `e${n}`);
      expect(inbox.messages).toHaveLength(1);
    }
  });
});

describe('the official client, vsn 2.0.0 only', () => {
  it('§6 an ArrayBuffer arrives as an ArrayBuffer', async () => {
    const topic = freshTopic();
    const inbox = new Inbox<{ payload: ArrayBuffer }>();
    const [a, b] = [officialClient(service, '2.0.0'), officialClient(service, '2.0.0')];
    try {
      const receiver = b.channel(topic);
      receiver.on('broadcast', { event: 'raw' }, inbox.add as never);
      await subscribe(receiver).reaches('SUBSCRIBED');
      const sender = a.channel(topic);
      await subscribe(sender).reaches('SUBSCRIBED');
      await sender.send({ type: 'broadcast', event: 'raw', payload: new Uint8Array([0, 127, 255]).buffer });
      expect([...new Uint8Array((await inbox.next('the bytes')).payload)]).toEqual([0, 127, 255]);
      await b.channel(topic).httpSend('raw', new Uint8Array([9]).buffer);
      await inbox.next('the bytes over HTTP', (message) => message.payload.byteLength === 1);
    } finally {
      await a.removeAllChannels();
      await b.removeAllChannels();
    }
  });
});
