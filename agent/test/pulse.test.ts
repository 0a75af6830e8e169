import { createStarkClient, type StarkClient } from '@stark-o/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type NodeUsage, RealtimePulse } from '../src/control-plane/pulse.js';
import { FakeClock } from './support/fake-clock.js';
import { FakeRealtime } from './support/fake-realtime.js';
import { memoryLog } from './support/log.js';
import { until } from './support/wait.js';

const FIRST = { node_id: 'n', incarnation: 1, secret: 's1' };
const SECOND = { node_id: 'n', incarnation: 2, secret: 's2' };

let server: FakeRealtime;
let client: StarkClient;
let clock: FakeClock;
let pulse: RealtimePulse;
let usage: NodeUsage;
let missed: string[];

beforeEach(async () => {
  server = new FakeRealtime();
  clock = new FakeClock();
  usage = { cpu: 100, memory: 10, pods: {} };
  missed = [];
  client = createStarkClient({
    url: await server.listen(),
    key: 'key',
    accessToken: async () => 'token',
    realtime: { transport: WebSocket as never, reconnectAfterMs: () => 20, timeout: 300 },
  });
  pulse = new RealtimePulse({
    client,
    clock,
    log: memoryLog([]),
    life: FIRST,
    intervalMs: 10_000,
    allocatable: { cpu: 1000, memory: 1000 },
    listener: { usage: () => usage, missed: (why) => missed.push(why) },
  });
});
afterEach(async () => {
  await pulse.close();
  await client.realtime.disconnect();
  await server.close();
});

const tracked = () => server.sent.filter(({ event }) => event === 'track').map(({ payload }) => payload);
const beats = () => server.sent.filter(({ event }) => event === 'heartbeat').map(({ payload }) => payload);

describe('the pulse', () => {
  it('is present once a join, and beats at once, where it may write and not read', async () => {
    await until('it to be felt', () => pulse.felt && beats().length === 1);
    expect(tracked()).toEqual([FIRST]);
    expect(beats()).toEqual([{ ...FIRST, usage }]);
    const joins = Object.fromEntries(server.joins.map(({ topic, payload }) => [topic, payload]));
    expect(joins['realtime:stark:presence']).toMatchObject({
      access_token: 'token',
      config: { private: true, presence: { key: '', enabled: false } },
    });
    expect(joins['realtime:stark:heartbeat']).toMatchObject({
      config: { private: true, presence: { enabled: true }, broadcast: { ack: true, self: false } },
    });
  });

  it('beats once an interval while nothing changes, and soon when usage moves', async () => {
    await until('the first beat', () => beats().length === 1);
    await clock.advance(8_000);
    usage = { cpu: 190, memory: 10, pods: {} };
    await clock.advance(2_500);
    await until('the next beat', () => beats().length === 2);
    usage = { cpu: 300, memory: 10, pods: { p: { cpu: 300, memory: 10, storage: 1 } } };
    await clock.advance(2_500);
    await until('a beat out of turn', () => beats().length === 3);
    expect(beats()[2]).toEqual({ ...FIRST, usage });
    expect(tracked()).toHaveLength(1);
  });

  it('is there again after its connection was cut', async () => {
    await until('it to be felt', () => pulse.felt);
    server.cutSockets();
    await until('it to be missed', () => missed.length >= 2 && !pulse.felt);
    await until('it to be felt again', () => pulse.felt && beats().length === 2);
    expect(tracked()).toEqual([FIRST, FIRST]);
  });

  it('goes on as another life of its node', async () => {
    await until('it to be felt', () => pulse.felt);
    pulse.beatAs(SECOND, 10_000);
    expect(pulse.felt).toBe(false);
    await until('it to be felt', () => pulse.felt && beats().length === 2);
    expect(tracked()).toEqual([FIRST, SECOND]);
    expect(beats()[1]).toEqual({ ...SECOND, usage });
  });

  it('beats by a new interval when it is told one', async () => {
    await until('the first beat', () => beats().length === 1);
    pulse.beatAs(FIRST, 1_000);
    await clock.advance(1_500);
    await until('the next beat', () => beats().length === 2);
  });

  it('says when it was not taken, and tries again', async () => {
    await until('it to be felt', () => pulse.felt && beats().length === 1);
    server.answer = 'error';
    pulse.beatAs(SECOND, 10_000);
    await until('both to be missed', () => missed.includes('presence: error') && missed.includes('heartbeat: error'));
    expect(pulse.felt).toBe(false);
    server.answer = 'ok';
    await clock.advance(10_000);
    await until('it to be felt', () => pulse.felt);
    expect(tracked()).toEqual([FIRST, SECOND, SECOND]);
  });
});
