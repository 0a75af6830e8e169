import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Inbox, officialClient, subscribe } from './support/client.js';
import { freshTopic, Service } from './support/service.js';
import { until, watchFor, within } from './support/wait.js';
import type { Vsn } from './support/wire.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterEach(() => service.closeSockets());
afterAll(() => service?.stop());

describe.each<Vsn>(['1.0.0', '2.0.0'])('§4 leaving and closing, vsn %s', (vsn) => {
  it('phx_leave is answered with ok, then phx_close with the join_ref as ref', async () => {
    const channel = await (await service.socket({ vsn })).join(freshTopic());
    const reply = await channel.ask('phx_leave', {});
    const close = await channel.next('phx_close');
    expect(reply.payload).toEqual({ status: 'ok', response: {} });
    expect(close.ref).toBe(channel.joinRef);
    expect(close.payload).toEqual({});
    expect(close.join_ref).toBe(vsn === '2.0.0' ? channel.joinRef : undefined);
    expect(channel.socket.frames.indexOf(close)).toBeGreaterThan(channel.socket.frames.indexOf(reply));
  });

  it('after phx_leave the topic is unmatched and hears nothing', async () => {
    const topic = freshTopic();
    const left = await (await service.socket({ vsn })).join(topic);
    const stays = await (await service.socket({ vsn })).join(topic, { broadcast: { self: true } });
    await left.ask('phx_leave', {});
    stays.broadcast('after', {});
    await stays.hear('after');
    const reply = await left.ask('broadcast', { type: 'broadcast', event: 'e', payload: {} });
    expect(reply.payload.response).toEqual({ reason: 'unmatched topic' });
    expect(left.heard()).toEqual([]);
  });

  it('a topic that was left can be joined again', async () => {
    const socket = await service.socket({ vsn });
    const topic = freshTopic();
    await (await socket.join(topic)).ask('phx_leave', {});
    const again = await socket.join(topic, { broadcast: { self: true } });
    again.broadcast('back', {});
    await again.hear('back');
  });

  it('the server ends one channel with system {extension: system, status: error, message, channel}, then phx_close', async () => {
    const socket = await service.socket({ vsn });
    const channel = await socket.join(freshTopic());
    const other = await socket.join(freshTopic(), { broadcast: { self: true } });
    channel.push('access_token', { access_token: 'nonsense' });
    const system = await channel.next('system');
    const close = await channel.next('phx_close');
    expect(system.payload).toEqual({
      extension: 'system',
      status: 'error',
      message: 'The token provided is not a valid JWT',
      channel: channel.topic,
    });
    expect(socket.frames.indexOf(close)).toBeGreaterThan(socket.frames.indexOf(system));
    expect([close.join_ref, close.ref]).toEqual([vsn === '2.0.0' ? channel.joinRef : undefined, channel.joinRef]);
    other.broadcast('the socket lives on', {});
    await other.hear('the socket lives on');
  });

  it('the official client does not come back after phx_close', async () => {
    const client = officialClient(service, vsn, { heartbeatIntervalMs: 300 });
    try {
      const channel = client.channel(freshTopic());
      const subscription = subscribe(channel);
      await subscription.reaches('SUBSCRIBED');
      await client.realtime.setAuth('nonsense');
      await subscription.reaches('CLOSED');
      expect(client.getChannels()).toEqual([]);
      await until('the client to disconnect by itself', () => !client.realtime.isConnected(), 2_000);
      await watchFor(400);
      expect(subscription.statuses).toEqual(['SUBSCRIBED', 'CLOSED']);
    } finally {
      await client.removeAllChannels();
    }
  });
});

describe('§4 the end of a socket', () => {
  it('a drain tells each channel "Server requested disconnect" and closes with 1012', async () => {
    const socket = await service.socket();
    const first = await socket.join(freshTopic());
    const second = await socket.join(freshTopic());
    await service.use();
    expect((await within('the close', socket.closed)).code).toBe(1012);
    for (const channel of [first, second]) {
      expect(channel.all('system').map((frame) => frame.payload)).toEqual([
        { extension: 'system', status: 'ok', message: 'Server requested disconnect' },
      ]);
    }
  });

  it.each<Vsn>(['1.0.0', '2.0.0'])('the official client reconnects and rejoins after a drain, vsn %s', async (vsn) => {
    const client = officialClient(service, vsn);
    try {
      const inbox = new Inbox();
      const channel = client.channel(freshTopic(), { config: { broadcast: { self: true } } });
      channel.on('broadcast', { event: 'again' }, inbox.add);
      const subscription = subscribe(channel);
      await subscription.reaches('SUBSCRIBED');
      await service.use();
      await subscription.reaches('SUBSCRIBED', 2);
      expect(subscription.statuses).toContain('CHANNEL_ERROR');
      await channel.send({ type: 'broadcast', event: 'again', payload: { n: 2 } });
      await inbox.next('the broadcast after the reconnect');
    } finally {
      await client.removeAllChannels();
    }
  });

  it('a socket without channels stays open', async () => {
    const socket = await service.socket();
    const channel = await socket.join(freshTopic());
    await channel.ask('phx_leave', {});
    await watchFor(200);
    await socket.settle();
  });

  it('stats count sockets and channels, and forget those that went', async () => {
    await until('earlier sockets to be gone', () => service.server.stats().sockets === 0);
    const before = service.server.stats();
    const socket = await service.socket();
    await socket.join(freshTopic());
    await socket.join(freshTopic());
    expect(service.server.stats()).toMatchObject({ sockets: before.sockets + 1, channels: before.channels + 2 });
    socket.terminate();
    await until('the counts to fall', () => service.server.stats().channels === before.channels);
    expect(service.server.stats().sockets).toBe(before.sockets);
  });
});
