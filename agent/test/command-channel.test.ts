import { createStarkClient, type StarkClient } from '@stark-o/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { RealtimeCommandChannel } from '../src/control-plane/command-channel.js';
import type { Clock } from '../src/ports/clock.js';
import { FakeRealtime } from './support/fake-realtime.js';
import { memoryLog } from './support/log.js';
import { until } from './support/wait.js';

let server: FakeRealtime;
let client: StarkClient;
let commandChannel: RealtimeCommandChannel;
let heard: string[];
let token: string;
const log = memoryLog();

// Ten times as fast as the real one.
const fastClock: Clock = {
  now: () => Date.now(),
  heard: () => {},
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms / 10);
    return () => clearTimeout(timer);
  },
  random: () => 0.5,
};

beforeEach(async () => {
  server = new FakeRealtime();
  token = 'first';
  heard = [];
  log.lines.length = 0;
  client = createStarkClient({
    url: await server.listen(),
    key: 'key',
    accessToken: async () => token,
    realtime: {
      transport: WebSocket,
      reconnectAfterMs: () => 50,
      heartbeatIntervalMs: 100,
    },
  });
  commandChannel = new RealtimeCommandChannel({
    client,
    topic: 'stark:node:1',
    clock: fastClock,
    log,
    listener: {
      notified: (why) => heard.push(why),
      joined: () => heard.push('joined'),
      followed: ({ pod_id, seconds }) => heard.push(`${pod_id} for ${seconds} s`),
    },
  });
});
afterEach(async () => {
  await commandChannel.close();
  await client.realtime.disconnect();
  await server.close();
});

describe('the command channel', () => {
  it('joins its private topic under the token and asks when sends will arrive', async () => {
    expect(await commandChannel.joined(20_000)).toBe(true);
    expect(server.joins).toHaveLength(1);
    expect(server.joins[0]).toMatchObject({
      topic: 'realtime:stark:node:1',
      payload: {
        access_token: 'first',
        config: { private: true, broadcast: { self: false, ack: false, replication_ready: true } },
      },
    });
    server.push('system', { extension: 'system', status: 'ok', message: 'Replication connection established' });
    await until('the second join signal', () => heard.join() === 'joined,joined');
  });

  it('notifies of each command and of nothing else', async () => {
    await commandChannel.joined(20_000);
    heard.length = 0;
    for (const event of ['pods.start', 'nonsense', 'pods.stop', 'sync']) {
      server.push('broadcast', { type: 'broadcast', event, payload: {} });
    }
    await until('three notifications', () => heard.length >= 3);
    expect(heard).toEqual(['pods.start', 'pods.stop', 'sync']);
  });

  it('says whose log is followed', async () => {
    await commandChannel.joined(20_000);
    heard.length = 0;
    server.push('broadcast', { type: 'broadcast', event: 'logs.follow', payload: { pod_id: 'p', seconds: 45 } });
    await until('the word', () => heard.length === 1);
    expect(heard).toEqual(['p for 45 s']);
  });

  it('comes back with a new channel when the server closes it', async () => {
    await commandChannel.joined(20_000);
    server.closeChannel('Token has expired 0 seconds ago');
    // The server has the join before the client has the answer to it.
    await until('a second join', () => server.joins.length === 2 && heard.length >= 3);
    expect(heard).toEqual(['joined', 'channel CLOSED', 'joined']);
    expect(log.lines.map(({ fields }) => fields)).toContainEqual({
      topic: 'stark:node:1',
      message: 'Token has expired 0 seconds ago',
    });
    server.closeChannel('again');
    await until('a third join', () => server.joins.length === 3);
  });

  it('comes back when its socket is cut, and says that something may have been missed', async () => {
    await commandChannel.joined(20_000);
    server.cutSockets();
    await until('a second join', () => heard.filter((why) => why === 'joined').length === 2);
    expect(heard).toContain('channel CHANNEL_ERROR');
  });

  it('goes on trying when it is refused', async () => {
    await commandChannel.joined(20_000);
    server.refuse = 'Unauthorized: You do not have permissions to read from this Channel topic: stark:node:1';
    server.cutSockets();
    await until('a refused join', () => server.joins.length >= 2);
    server.refuse = undefined;
    await until('an accepted join', () => heard.filter((why) => why === 'joined').length === 2);
  });

  it('hands a renewed token to the channel before anybody asks', async () => {
    await commandChannel.joined(20_000);
    token = 'second';
    await until('the new token', () => server.tokens.includes('second'));
    server.cutSockets();
    await until('a second join', () => server.joins.length === 2);
    expect(server.joins[1]?.payload.access_token).toBe('second');
  });

  it('that was closed stays closed', async () => {
    await commandChannel.joined(20_000);
    await commandChannel.close();
    heard.length = 0;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(server.joins).toHaveLength(1);
    expect(heard).toEqual([]);
  });
});
