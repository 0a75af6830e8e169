import { createStarkClient, type StarkClient } from '@stark-o/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { RealtimeLivenessReporter } from '../src/control-plane/liveness-reporter.js';
import type { NodeUsage } from '../src/control-plane/node-usage.js';
import { FakeClock } from './support/fake-clock.js';
import { FakeRealtime } from './support/fake-realtime.js';
import { memoryLog } from './support/log.js';
import { until } from './support/wait.js';

const FIRST = { node_id: 'n', incarnation: 1, secret: 's1' };
const SECOND = { node_id: 'n', incarnation: 2, secret: 's2' };

let server: FakeRealtime;
let client: StarkClient;
let clock: FakeClock;
let reporter: RealtimeLivenessReporter;
let usage: NodeUsage;
let undelivered: string[];

beforeEach(async () => {
  server = new FakeRealtime();
  clock = new FakeClock();
  usage = { cpu: 100, memory: 10, pods: {} };
  undelivered = [];
  client = createStarkClient({
    url: await server.listen(),
    key: 'key',
    accessToken: async () => 'token',
    realtime: { transport: WebSocket, reconnectAfterMs: () => 20, timeout: 300 },
  });
  reporter = new RealtimeLivenessReporter({
    client,
    clock,
    log: memoryLog([]),
    credential: FIRST,
    intervalMs: 10_000,
    allocatable: { cpu: 1000, memory: 1000 },
    listener: { usage: () => usage, undelivered: (why) => undelivered.push(why) },
  });
});
afterEach(async () => {
  await reporter.close();
  await client.realtime.disconnect();
  await server.close();
});

const tracked = () => server.sent.filter(({ event }) => event === 'track').map(({ payload }) => payload);
const heartbeats = () => server.sent.filter(({ event }) => event === 'heartbeat').map(({ payload }) => payload);

describe('the liveness reporter', () => {
  it('is present once a join, and sends a heartbeat at once, where it may write and not read', async () => {
    await until('it to be delivering', () => reporter.isDelivering && heartbeats().length === 1);
    expect(tracked()).toEqual([FIRST]);
    expect(heartbeats()).toEqual([{ ...FIRST, usage }]);
    const joins = Object.fromEntries(server.joins.map(({ topic, payload }) => [topic, payload]));
    expect(joins['realtime:stark:presence']).toMatchObject({
      access_token: 'token',
      config: { private: true, presence: { key: '', enabled: false } },
    });
    expect(joins['realtime:stark:heartbeat']).toMatchObject({
      config: { private: true, presence: { enabled: true }, broadcast: { ack: true, self: false } },
    });
  });

  it('sends heartbeats once an interval while nothing changes, and soon when usage moves', async () => {
    await until('the first heartbeat', () => heartbeats().length === 1);
    await clock.advance(8_000);
    usage = { cpu: 190, memory: 10, pods: {} };
    await clock.advance(2_500);
    await until('the next heartbeat', () => heartbeats().length === 2);
    usage = { cpu: 300, memory: 10, pods: { p: { cpu: 300, memory: 10, storage: 1 } } };
    await clock.advance(2_500);
    await until('a heartbeat out of turn', () => heartbeats().length === 3);
    expect(heartbeats()[2]).toEqual({ ...FIRST, usage });
    expect(tracked()).toHaveLength(1);
  });

  it('is there again after its connection was cut', async () => {
    await until('it to be delivering', () => reporter.isDelivering);
    server.cutSockets();
    await until('it to be missed', () => undelivered.length >= 2 && !reporter.isDelivering);
    await until('it to be delivering again', () => reporter.isDelivering && heartbeats().length === 2);
    expect(tracked()).toEqual([FIRST, FIRST]);
  });

  it('goes on under another credential of its node', async () => {
    await until('it to be delivering', () => reporter.isDelivering);
    reporter.reportAs(SECOND, 10_000);
    expect(reporter.isDelivering).toBe(false);
    await until('it to be delivering', () => reporter.isDelivering && heartbeats().length === 2);
    expect(tracked()).toEqual([FIRST, SECOND]);
    expect(heartbeats()[1]).toEqual({ ...SECOND, usage });
  });

  it('sends heartbeats by a new interval when it is told one', async () => {
    await until('the first heartbeat', () => heartbeats().length === 1);
    reporter.reportAs(FIRST, 1_000);
    await clock.advance(1_500);
    await until('the next heartbeat', () => heartbeats().length === 2);
  });

  it('says when it was not taken, and tries again', async () => {
    await until('it to be delivering', () => reporter.isDelivering && heartbeats().length === 1);
    server.answer = 'error';
    reporter.reportAs(SECOND, 10_000);
    await until(
      'both to be missed',
      () => undelivered.includes('presence: error') && undelivered.includes('heartbeat: error'),
    );
    expect(reporter.isDelivering).toBe(false);
    server.answer = 'ok';
    await clock.advance(10_000);
    await until('it to be delivering', () => reporter.isDelivering);
    expect(tracked()).toEqual([FIRST, SECOND, SECOND]);
  });
});
