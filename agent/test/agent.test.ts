import { type LiveLogLines, StarkError } from '@stark-o/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { Agent, type AgentOptions } from '../src/agent.js';
import type { LogLine } from '../src/logs/log-line.js';
import { LogPipeline } from '../src/logs/log-pipeline.js';
import type { PodReport, WantedPod } from '../src/reconciler/pod.js';
import { FakeClock, settle } from './support/fake-clock.js';
import { FakeControlPlane, UNREACHABLE } from './support/fake-control-plane.js';
import { FakeNode } from './support/fake-node.js';
import { type LoggedLine, memoryLog } from './support/log.js';
import { MemoryOutbox } from './support/memory-outbox.js';
import { aPod } from './support/pods.js';

let clock: FakeClock;
let plane: FakeControlPlane;
let node: FakeNode;
let reports: MemoryOutbox<PodReport>;
let logOutbox: MemoryOutbox<LogLine>;
let logs: LogPipeline;
let logged: LoggedLine[];
let agent: Agent;

beforeEach(() => {
  clock = new FakeClock();
  plane = new FakeControlPlane();
  node = new FakeNode(clock);
  reports = new MemoryOutbox((report) => report.pod_id);
  logOutbox = new MemoryOutbox((line) => line.pod_id);
  logged = [];
  logs = new LogPipeline({ outbox: logOutbox, clock, log: memoryLog(logged) });
  agent = anAgent();
});

function anAgent(more: Partial<AgentOptions> = {}): Agent {
  return new Agent({
    node: { name: 'fake', runtime: 'node', labels: {}, taints: [], allocatable: {}, capabilities: {} },
    controlPlane: plane,
    executor: node,
    bundles: node.bundles,
    ports: node,
    reports,
    logs,
    clock,
    log: memoryLog(logged),
    syncEveryMs: 60_000,
    ...more,
  });
}

async function started(): Promise<void> {
  await agent.start();
  await settle();
  plane.calls.length = 0;
}

/** Lets the agent's loops come to rest without moving time on noticeably. */
async function rest(): Promise<void> {
  for (let n = 0; n < 5; n++) await clock.advance(0);
}

describe('an agent', () => {
  it('signs in, registers, connects anew, and reports in batches', async () => {
    const pods = [aPod(), aPod(), aPod()];
    for (const pod of pods) plane.ledger.place(pod);
    await agent.start();
    await rest();
    expect(plane.calls.slice(0, 3)).toEqual(['signIn', 'register', 'sync null']);
    expect(plane.calls.filter((call) => call.startsWith('report')).length).toBeLessThanOrEqual(3);
    for (const run of node.runs) run.start();
    await rest();
    expect([...plane.ledger.pods.values()].map(({ status }) => status)).toEqual(['running', 'running', 'running']);
  });

  it('delivers what an earlier life left under the incarnation of that life, before it connects', async () => {
    const pod = aPod({ status: 'running', spec: { restartPolicy: 'Never' } });
    plane.ledger.place(pod);
    plane.incarnation = 4;
    const observed_at = new Date().toISOString();
    reports.add(4, [{ pod_id: pod.id, status: 'succeeded', exit_code: 0, restarts: 0, ready: false, observed_at }]);
    await agent.start();
    expect(plane.calls).toEqual(['signIn', 'register', 'report 4: succeeded', 'sync null']);
    expect(agent.incarnation).toBe(5);
    expect(node.runs).toEqual([]);
    expect(plane.ledger.pods.get(pod.id)?.status).toBe('succeeded');
  });

  it('drops what an earlier life left when somebody else was this node since', async () => {
    plane.incarnation = 9;
    reports.add(4, [{ pod_id: 'x', status: 'running', restarts: 0, ready: true, observed_at: '' }]);
    await agent.start();
    expect(reports.size).toBe(0);
    expect(logged.some(({ message }) => message === 'dropped reports that the control plane refuses')).toBe(true);
  });

  it('fails what is no pod, and runs the others', async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(2_500)}1${'}'.repeat(2_500)}`);
    const [good, bad, running] = [aPod(), aPod({ spec: { config: deep } }), aPod()];
    plane.ledger.place(good);
    plane.ledger.place(bad);
    plane.ledger.place(running);
    const snapshot = plane.ledger.snapshot.bind(plane.ledger);
    plane.ledger.snapshot = () => [...snapshot(), null as never, aPod({ id: '../../escaped' }), { id: 5 } as never];
    await agent.start();
    await rest();
    expect(node.runs.map(({ pod }) => pod.id)).toEqual([good.id, running.id]);
    expect(plane.ledger.pods.get(bad.id)).toMatchObject({ status: 'failed' });
    expect(logged.filter(({ message }) => message === 'the control plane sent a pod that is none').length).toBe(4);
    // One that was well and is so no longer is stopped.
    plane.ledger.snapshot = () =>
      snapshot().map((pod) => (pod.id === running.id ? { ...pod, labels: 5 as never } : pod));
    agent.sync('test');
    await rest();
    expect(node.alive(running.id)).toEqual([]);
    expect(node.alive(good.id).length).toBe(1);
  });

  it('starts although it cannot clean up', async () => {
    const pod = aPod();
    plane.ledger.place(pod);
    node.sweep = () => Promise.reject(new Error('ENAMETOOLONG'));
    await agent.start();
    await rest();
    expect(node.runs.map(({ pod: { id } }) => id)).toEqual([pod.id]);
    expect(logged.map(({ message }) => message)).toContain('could not remove what earlier pods left');
  });

  it('tells in one call that a pod came and runs, unless that takes longer than a moment', async () => {
    const [quick, slow] = [aPod(), aPod()];
    await started();
    plane.ledger.place(quick);
    plane.commands?.notified('pods.start');
    await rest();
    node.runs[0]?.start();
    await rest();
    expect(plane.calls).toEqual(['sync 1', 'report 1: transferring starting running']);
    await clock.advance(1_000);
    plane.ledger.place(slow);
    plane.commands?.notified('pods.start');
    await clock.advance(199);
    expect(plane.calls.slice(2)).toEqual(['sync 1']);
    await clock.advance(1);
    expect(plane.calls.slice(3)).toEqual(['report 1: transferring starting']);
  });

  it('asks again when a command comes, and once for many', async () => {
    await started();
    for (let n = 0; n < 50; n++) plane.commands?.notified('pods.start');
    await rest();
    expect(plane.calls).toEqual(['sync 1', 'sync 1']);
  });

  it('learns with every answer what time it is in the cluster', async () => {
    const askedAt = clock.now();
    await agent.start();
    await clock.advance(75_000);
    const time = Date.parse('2026-01-01T01:00:00Z');
    expect(clock.heardTimes).toMatchObject([{ time, askedAt }, { time }]);
    expect(clock.heardTimes[1]?.askedAt).toBeGreaterThan(askedAt);
  });

  it('asks on every join and about once a minute', async () => {
    await started();
    plane.commands?.joined();
    await rest();
    expect(plane.calls).toEqual(['sync 1']);
    await clock.advance(73_000);
    expect(plane.calls).toEqual(['sync 1', 'sync 1']);
  });

  it('gives signs of life under the credential it has, as often as it is told', async () => {
    await started();
    plane.heartbeat = { interval: 5, timeout: 10 };
    plane.commands?.notified('sync');
    await rest();
    plane.incarnation += 1;
    plane.commands?.notified('sync');
    await rest();
    const credential = (incarnation: number) => ({ node_id: 'node-1', incarnation, secret: `secret ${incarnation}` });
    expect(plane.heartbeats).toEqual([
      { credential: credential(1), intervalMs: 15_000 },
      { credential: credential(1), intervalMs: 5_000 },
      { credential: credential(3), intervalMs: 5_000 },
    ]);
    expect(plane.liveness?.listener.usage()).toEqual({ cpu: 0, memory: 0, pods: {} });
  });

  it('asks so often that it is not given up while Realtime does not take its heartbeats', async () => {
    await started();
    plane.liveness?.listener.undelivered('presence: channel CLOSED');
    plane.isDelivering = false;
    await rest();
    await clock.advance(60_000);
    expect(plane.calls.length).toBeGreaterThanOrEqual(60 / 18);
    plane.isDelivering = true;
    await clock.advance(18_000);
    plane.calls.length = 0;
    await clock.advance(48_000);
    expect(plane.calls.length).toBeLessThanOrEqual(1);
  });

  it('keeps its pods and its reports while the control plane is away, and catches up', async () => {
    const pod = aPod();
    plane.ledger.place(pod);
    await started();
    node.alive(pod.id)[0]?.start();
    await rest();
    plane.failure = UNREACHABLE;
    node.alive(pod.id)[0]?.exit({ exitCode: 1, reason: 'Error' });
    logs.add(pod.id, { stream: 'stdout', message: 'alone' });
    await clock.advance(60 * 60_000);
    node.alive(pod.id)[0]?.start();
    expect(node.alive(pod.id)).toHaveLength(1);
    expect(plane.ledger.pods.get(pod.id)).toMatchObject({ status: 'running', restarts: 0 });
    const perHour = plane.calls.length;
    expect(perHour).toBeLessThan(600);
    plane.failure = undefined;
    await clock.advance(40_000);
    expect(plane.ledger.pods.get(pod.id)).toMatchObject({ status: 'running', restarts: 1 });
    expect(plane.lines.map(({ message }) => message)).toEqual(['alone']);
    expect(reports.size + logOutbox.size).toBe(0);
  });

  describe('says in its log', () => {
    const said = () =>
      logged.filter(({ level }) => level !== 'debug').map(({ level, message }) => `${level}: ${message}`);

    it('one line for each step of a pod that a person cares about', async () => {
      const pod = aPod();
      await started();
      plane.ledger.place(pod);
      plane.commands?.notified('pods.start');
      await rest();
      node.runs[0]?.start();
      await rest();
      expect(said()).toEqual([`info: pod ${pod.name} runs ${pod.pack}@${pod.version}`]);
      node.runs[0]?.exit({ exitCode: 1, reason: 'Error', message: 'boom' });
      await rest();
      expect(said().slice(1)).toEqual([expect.stringMatching(/^warn: pod .* is starting \(CrashLoopBackOff\).*boom$/)]);
    });

    it('once that the cluster is away, and once that it is back', async () => {
      await started();
      plane.failure = new StarkError('cannot reach it', { code: 'UNREACHABLE' });
      for (let n = 0; n < 4; n++) {
        plane.commands?.notified('sync');
        await clock.advance(10_000);
      }
      plane.failure = undefined;
      await clock.advance(60_000);
      expect(said()).toEqual([
        'warn: cannot reach the cluster, trying again; pods go on: cannot reach it',
        expect.stringMatching(/^info: back: the cluster answers again after \d+ s; pods went on$/),
      ]);
    });

    it('that its session is over, and not that the cluster is away', async () => {
      await started();
      plane.failure = new StarkError('the session has ended', { code: 'NOT_SIGNED_IN', status: 401 });
      plane.commands?.notified('sync');
      await clock.advance(120_000);
      expect(said().slice(0, 2)).toEqual([
        'warn: the cluster refuses this node, trying again; pods go on: the session has ended',
        'error: this node is not wanted any more; its pods are stopped: the session has ended',
      ]);
    });

    it('that Realtime is away for long, and back, but nothing of channels that come and go', async () => {
      await started();
      plane.isDelivering = false;
      plane.commands?.notified('sync');
      await clock.advance(5_000);
      expect(said()).toEqual([]);
      await clock.advance(60_000);
      expect(said()).toEqual([expect.stringMatching(/^warn: Realtime is not reachable: .*stark doctor/)]);
      plane.isDelivering = true;
      await clock.advance(60_000);
      expect(said().slice(1)).toEqual([expect.stringMatching(/^info: Realtime is back after \d+ s$/)]);
    });
  });

  it('tries at once when the channel is back, whatever its back-off', async () => {
    const pod = aPod();
    plane.ledger.place(pod);
    await started();
    plane.failure = UNREACHABLE;
    node.alive(pod.id)[0]?.start();
    await clock.advance(10 * 60_000);
    plane.failure = undefined;
    plane.commands?.joined();
    await rest();
    expect(plane.ledger.pods.get(pod.id)?.status).toBe('running');
  });

  it('loses one bad report and not its neighbours', async () => {
    const pods = [aPod(), aPod(), aPod()];
    for (const pod of pods) plane.ledger.place(pod);
    await started();
    plane.poison = 'poison';
    pods.forEach((pod, n) => {
      node
        .alive(pod.id)[0]
        ?.exit({ exitCode: 1, reason: 'Error', message: n === 1 ? 'poison' : 'plain', permanent: true });
    });
    await rest();
    expect(pods.map((pod) => plane.ledger.pods.get(pod.id)?.status)).toEqual(['failed', 'starting', 'failed']);
    expect(reports.size).toBe(0);
  });

  it('that was overtaken connects anew, keeps what is still its and stops the rest', async () => {
    const kept = aPod();
    const taken = aPod();
    plane.ledger.place(kept);
    plane.ledger.place(taken);
    await started();
    for (const run of node.runs) run.start();
    await rest();
    plane.incarnation = 7;
    plane.ledger.evict(taken.id);
    plane.commands?.notified('sync');
    await rest();
    expect(agent.incarnation).toBe(8);
    expect(node.alive(kept.id)).toHaveLength(1);
    expect(node.alive(taken.id)).toEqual([]);
    expect(node.runs).toHaveLength(2);
  });

  it('does not fight for its name: each takeover is answered later', async () => {
    await started();
    const answered: number[] = [];
    for (let n = 0; n < 6; n++) {
      plane.incarnation += 1;
      const before = clock.now();
      plane.commands?.notified('sync');
      for (let ms = 0; agent.incarnation !== plane.incarnation && ms < 100_000; ms += 100) await clock.advance(100);
      answered.push(clock.now() - before);
    }
    expect(answered[0]).toBeLessThan(200);
    expect(answered.at(-1)).toBeGreaterThan(10_000);
  });

  it('that cannot connect anew at once does not take that for more takeovers', async () => {
    await started();
    plane.incarnation += 1;
    plane.claimed = new StarkError('busy', { code: 'CLUSTER_BUSY', status: 503 });
    const before = clock.now();
    plane.commands?.notified('sync');
    const tries = () => plane.calls.filter((call) => call === 'register').length;
    for (let ms = 0; tries() < 4 && ms < 100_000; ms += 100) await clock.advance(100);
    // The back-off alone: one, two and four seconds, and a fifth more at most.
    expect(clock.now() - before).toBeLessThan(9_000);
    plane.claimed = undefined;
    await clock.advance(10_000);
    expect(agent.incarnation).toBe(plane.incarnation);
  });

  it('sends reports made before a takeover under its new incarnation', async () => {
    const pod = aPod();
    plane.ledger.place(pod);
    await started();
    plane.incarnation = 5;
    node.alive(pod.id)[0]?.start();
    await rest();
    expect(agent.incarnation).toBe(6);
    await clock.advance(5_000);
    expect(plane.ledger.pods.get(pod.id)?.status).toBe('running');
  });

  it('that is not wanted any more stops its pods and ends', async () => {
    const pod = aPod();
    plane.ledger.place(pod);
    await started();
    plane.failure = new StarkError('no such node', { code: 'NODE_NOT_FOUND', status: 404 });
    plane.commands?.notified('sync');
    await clock.advance(30_000);
    expect(await agent.ended).toMatchObject({ reason: 'refused', error: { code: 'NODE_NOT_FOUND' } });
    expect(node.alive(pod.id)).toEqual([]);
    expect(plane.calls.some((call) => call.startsWith('disconnect'))).toBe(false);
  });

  it.each([
    [401, 'NOT_SIGNED_IN'],
    [403, 'FORBIDDEN'],
  ])('that is refused again and again ends (%i)', async (status, code) => {
    const pod = aPod();
    plane.ledger.place(pod);
    await started();
    plane.failure = new StarkError('no', { code, status });
    plane.commands?.notified('sync');
    await clock.advance(30_000);
    expect(await agent.ended).toMatchObject({ reason: 'refused', error: { code } });
    expect(plane.calls.filter((call) => call === 'sync 1')).toHaveLength(3);
    expect(node.alive(pod.id)).toEqual([]);
  });

  it.each([
    [5_000, 5_000],
    [60_000, 15_000],
  ])(
    'asked to beat every %i ms beats every %i ms: more often than the cluster asks, never more rarely',
    async (asked, beats) => {
      agent = anAgent({ heartbeatEveryMs: asked });
      await started();
      plane.commands?.notified('sync');
      await settle();
      expect(plane.heartbeats.map(({ intervalMs }) => intervalMs)).toEqual(Array(plane.heartbeats.length).fill(beats));
      expect(plane.heartbeats.length).toBeGreaterThan(1);
    },
  );

  it('goes on after a refusal that was none', async () => {
    await started();
    for (let round = 0; round < 3; round++) {
      plane.failure = new StarkError('a proxy', { code: 'FORBIDDEN', status: 403 });
      plane.commands?.notified('sync');
      await settle();
      plane.failure = undefined;
      await clock.advance(5_000);
    }
    expect(logged.some(({ message }) => message.includes('not wanted'))).toBe(false);
  });

  it('keeps what it reports, and its pods, while the cluster is busy', async () => {
    const pod = aPod();
    plane.ledger.place(pod);
    await started();
    plane.failure = new StarkError('the cluster is busy', { code: 'CLUSTER_BUSY', status: 503 });
    node.alive(pod.id)[0]?.start();
    await clock.advance(30_000);
    expect(agent.stopping).toBe(false);
    expect(reports.size).toBeGreaterThan(0);
    plane.failure = undefined;
    await clock.advance(60_000);
    expect(reports.size).toBe(0);
    expect(plane.ledger.pods.get(pod.id)?.status).toBe('running');
  });

  it('asks whether it is still wanted when a report is refused, and keeps the report', async () => {
    const pod = aPod();
    plane.ledger.place(pod);
    await started();
    const before = plane.calls.length;
    plane.failure = new StarkError('no', { code: 'FORBIDDEN', status: 403 });
    node.alive(pod.id)[0]?.start();
    await clock.advance(30_000);
    expect(plane.calls.slice(before)).toContain('sync 1');
    expect(await agent.ended).toMatchObject({ reason: 'refused' });
    expect(reports.size).toBeGreaterThan(0);
  });

  it('whose name was taken by another installation ends and says so', async () => {
    await started();
    plane.claimed = new StarkError('another agent is connected', { code: 'NODE_CONNECTED', status: 409 });
    plane.incarnation = 7;
    plane.commands?.notified('sync');
    await clock.advance(5_000);
    expect(await agent.ended).toMatchObject({ reason: 'refused', error: { code: 'NODE_CONNECTED' } });
    expect(plane.incarnation).toBe(7);
  });

  it('stops in order: pods, what is left to tell, goodbye', async () => {
    const pod = aPod();
    plane.ledger.place(pod);
    await started();
    node.alive(pod.id)[0]?.start();
    logs.add(pod.id, { stream: 'stdout', message: 'last words' });
    const stopping = agent.stop();
    await clock.advance(1_000);
    await stopping;
    expect(node.alive(pod.id)).toEqual([]);
    expect(plane.calls.at(-1)).toBe('disconnect 1');
    expect(plane.calls).toContain('report 1: running');
    expect(plane.lines.map(({ message }) => message)).toEqual(['last words']);
    expect(plane.closed).toBe(true);
    expect(await agent.ended).toEqual({ reason: 'stopped' });
  });

  it('stops within seconds although nobody answers', async () => {
    await started();
    reports.add(1, [{ pod_id: 'x', status: 'running', restarts: 0, ready: true, observed_at: '' }]);
    plane.failure = UNREACHABLE;
    const stopping = agent.stop();
    await clock.advance(6_000);
    await stopping;
    expect(reports.size).toBe(1);
  });
});

describe('the first connection', () => {
  it('is tried for a while', async () => {
    plane.failure = UNREACHABLE;
    const starting = agent.start();
    await clock.advance(5_000);
    plane.failure = undefined;
    await clock.advance(10_000);
    await starting;
    expect(agent.incarnation).toBe(1);
  });

  it('is given up after half a minute', async () => {
    plane.failure = UNREACHABLE;
    const starting = agent.start().catch((error: unknown) => error);
    await clock.advance(60_000);
    expect(await starting).toBe(UNREACHABLE);
  });

  it.each([
    [401, 'INVALID_CREDENTIALS'],
    [403, 'FORBIDDEN'],
    [409, 'NODE_NAME_TAKEN'],
  ])('is not tried again after a refusal (%i)', async (status, code) => {
    plane.failure = new StarkError('no', { code, status });
    await expect(agent.start()).rejects.toMatchObject({ code });
    expect(plane.calls).toEqual(['signIn']);
  });

  it('does not need Realtime', async () => {
    plane.joinsAtOnce = false;
    await agent.start();
    expect(logged.some(({ message }) => message.startsWith('Realtime is not reachable yet'))).toBe(true);
  });
});

describe('an agent whose pod is followed', () => {
  const say = (podId: string, message: string) => logs.add(podId, { stream: 'stdout', message });
  const told = () =>
    plane.messages.flatMap(({ payload }) => (payload as LiveLogLines).lines.map(({ message }) => message));
  let pod: WantedPod;
  beforeEach(async () => {
    pod = aPod();
    plane.ledger.place(pod);
    await started();
    await rest();
    node.runs[0]?.start();
    await clock.advance(1_000);
  });

  it('tells of lines after they are stored, as long as somebody follows', async () => {
    say(pod.id, 'unheard');
    await clock.advance(1_000);
    expect(plane.messages).toEqual([]);
    plane.commands?.followed({ pod_id: pod.id, seconds: 45 });
    await clock.advance(300);
    expect(plane.messages).toMatchObject([
      { topic: `stark:pod:${pod.id}`, event: 'lines', payload: { previous_seq: logs.lastSeq(pod.id), lines: [] } },
    ]);
    plane.calls.length = 0;
    say(pod.id, 'heard');
    await clock.advance(100);
    expect(plane.calls).toEqual(['logs 1: 1', 'broadcast 1']);
    expect(plane.messages[1]?.payload).toMatchObject({
      previous_seq: logs.lastSeq(pod.id) - 1,
      lines: [{ message: 'heard', run: 0 }],
    });
    await clock.advance(45_000);
    say(pod.id, 'unheard again');
    await clock.advance(1_000);
    expect(told()).toEqual(['heard']);
  });

  it('tells nothing of pods that are not here, and nothing that is not stored', async () => {
    plane.commands?.followed({ pod_id: 'somebody else’s', seconds: 45 });
    plane.commands?.followed({ pod_id: pod.id, seconds: -1 });
    plane.commands?.followed({});
    plane.commands?.followed({ pod_id: { toString: 1 }, seconds: { valueOf: 1 } });
    await clock.advance(1_000);
    expect(plane.messages).toEqual([]);
    plane.commands?.followed({ pod_id: pod.id, seconds: 45 });
    plane.failure = UNREACHABLE;
    say(pod.id, 'kept');
    await clock.advance(5_000);
    expect(told()).toEqual([]);
    plane.failure = undefined;
    await clock.advance(35_000);
    expect(told()).toEqual(['kept']);
  });

  it('reports the end after the last lines, and tells its followers before', async () => {
    plane.commands?.followed({ pod_id: pod.id, seconds: 45 });
    await clock.advance(1_000);
    plane.calls.length = 0;
    plane.ledger.stop(pod.id);
    say(pod.id, 'last words');
    plane.commands?.notified('pods.stop');
    await clock.advance(300);
    const last = plane.calls.slice(-3);
    expect(last).toEqual(['logs 1: 1', 'broadcast 1', expect.stringMatching(/^report 1: .*stopped$/)]);
    expect(plane.messages.at(-1)?.payload).toMatchObject({ ending: true, lines: [{ message: 'last words' }] });
  });

  it('does not hold back an end for lines that cannot be delivered', async () => {
    const append = plane.appendLogs.bind(plane);
    plane.appendLogs = () => new Promise(() => {});
    say(pod.id, 'stuck');
    node.runs[0]?.exit({ exitCode: 1, reason: 'Error', permanent: true });
    await clock.advance(1_900);
    expect(plane.ledger.pods.get(pod.id)?.status).toBe('running');
    await clock.advance(200);
    expect(plane.ledger.pods.get(pod.id)?.status).toBe('failed');
    plane.appendLogs = append;
  });
});
