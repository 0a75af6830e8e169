import { beforeEach, describe, expect, it } from 'vitest';
import { BundleError, PortConflictError } from '../src/reconciler/adapters.js';
import type { WantedPod } from '../src/reconciler/pod.js';
import { Reconciler } from '../src/reconciler/reconciler.js';
import { FakeClock, settle } from './support/fake-clock.js';
import { FakeNode, type FakeRun } from './support/fake-node.js';
import { memoryLog } from './support/log.js';
import { aPod } from './support/pods.js';

let clock: FakeClock;
let node: FakeNode;
let reconciler: Reconciler;

function fresh(startsAtOnce?: number): void {
  clock = new FakeClock();
  node = new FakeNode(clock, startsAtOnce);
  reconciler = new Reconciler({
    clock,
    bundles: node.bundles,
    executor: node,
    ports: node,
    reports: node,
    log: memoryLog(),
  });
}
beforeEach(() => fresh());

async function apply(...pods: WantedPod[]): Promise<void> {
  reconciler.apply(pods);
  await settle();
}

async function running(pod: WantedPod): Promise<FakeRun> {
  await apply(pod);
  const run = node.alive(pod.id)[0] as FakeRun;
  run.start();
  return run;
}

describe('a wanted pod', () => {
  it('goes through transferring and starting to running', async () => {
    const pod = aPod({ spec: { ports: [{ name: 'http', strategy: 'random' }] } });
    await running(pod);
    expect(node.said(pod.id)).toEqual(['transferring', 'starting', 'running']);
    expect(node.last(pod.id)).toMatchObject({ ready: true, ports: { http: 40_000 }, restarts: 0 });
  });

  it('is started once, however often it is wanted', async () => {
    const pod = aPod();
    reconciler.apply([pod]);
    reconciler.apply([pod]);
    await running(pod);
    await apply(pod);
    expect(node.runs).toHaveLength(1);
  });

  it('that says itself when it is ready, is not before', async () => {
    const pod = aPod({ spec: { readinessProbe: { packReady: {} } } });
    const run = await running(pod);
    expect(node.last(pod.id)).toMatchObject({ status: 'running', ready: false });
    run.listener.ready();
    run.listener.ready();
    expect(node.said(pod.id)).toEqual(['transferring', 'starting', 'running', 'running']);
    expect(node.last(pod.id)).toMatchObject({ status: 'running', ready: true });
  });

  it('ends as succeeded or failed when it is not to be restarted, and stays ended', async () => {
    const good = aPod({ spec: { restartPolicy: 'Never' } });
    (await running(good)).exit();
    expect(node.last(good.id)).toMatchObject({ status: 'succeeded', reason: 'Completed', exit_code: 0, ready: false });
    const bad = aPod({ spec: { restartPolicy: 'Never' } });
    await apply(good, bad);
    node.alive(bad.id)[0]?.start();
    node.alive(bad.id)[0]?.exit({ exitCode: 3, reason: 'Error', message: 'Error: no' });
    expect(node.last(bad.id)).toMatchObject({ status: 'failed', reason: 'Error', exit_code: 3, message: 'Error: no' });
    await apply(good, bad);
    expect(node.runs).toHaveLength(2);
  });

  it('whose bundle is corrupt fails, and nothing of it is executed', async () => {
    node.bundleError = new BundleError('BundleCorrupt', 'wrong', false);
    const pod = aPod();
    await apply(pod);
    expect(node.said(pod.id)).toEqual(['transferring', 'failed(BundleCorrupt)']);
    expect(node.runs).toEqual([]);
  });

  it('whose bundle cannot be had yet waits and tries again', async () => {
    node.bundleError = new BundleError('BundleUnavailable', 'no network', true);
    const pod = aPod();
    await apply(pod);
    expect(node.last(pod.id)).toMatchObject({ status: 'transferring', reason: 'BundleUnavailable' });
    expect(clock.nextIn).toBe(1_000);
    await clock.advance(1_000);
    expect(clock.nextIn).toBe(2_000);
    node.bundleError = undefined;
    await clock.advance(2_000);
    expect(node.alive(pod.id)).toHaveLength(1);
    expect(node.last(pod.id)).toMatchObject({ status: 'starting', restarts: 0 });
  });

  it('whose port is taken waits for it without counting restarts', async () => {
    node.portError = new PortConflictError('port 80 is held by pod other');
    const pod = aPod({ spec: { ports: [{ name: 'http', strategy: 'fixed', port: 80 }] } });
    await apply(pod);
    expect(node.last(pod.id)).toMatchObject({ status: 'starting', reason: 'PortConflict', restarts: 0 });
    expect(node.last(pod.id)?.message).toContain('held by pod other');
    await clock.advance(20_000);
    expect(node.said(pod.id)).toEqual(['transferring', 'starting', 'starting(PortConflict)']);
    node.portError = undefined;
    await clock.advance(5_000);
    expect(node.alive(pod.id)).toHaveLength(1);
    expect(node.last(pod.id)).toMatchObject({
      status: 'starting',
      reason: 'PortReclaimed',
      message: 'port 80 ("http") is free again',
      restarts: 0,
    });
    node.alive(pod.id)[0]?.start();
    expect(node.last(pod.id)).toMatchObject({ status: 'running', ready: true, ports: { http: 80 } });
    expect(node.last(pod.id)?.reason).toBeUndefined();
  });

  it('whose port is taken waits for it also when it is to run only once', async () => {
    node.portError = new PortConflictError('port 80 is held by pod other');
    const pod = aPod({
      spec: { restartPolicy: 'Never', ports: [{ name: 'http', strategy: 'fixed', port: 80 }] },
    });
    await apply(pod);
    expect(node.last(pod.id)).toMatchObject({ status: 'starting', reason: 'PortConflict' });
    node.portError = undefined;
    await clock.advance(5_000);
    expect(node.alive(pod.id)).toHaveLength(1);
  });
});

describe('many pods at once', () => {
  const launched = () => node.runs.map(({ pod }) => pod.id);

  it('start in their order, so many at a time', async () => {
    fresh(2);
    const pods = [aPod(), aPod(), aPod(), aPod(), aPod()];
    const ids = pods.map(({ id }) => id);
    await apply(...pods);
    expect(launched()).toEqual(ids.slice(0, 2));
    node.runs[1]?.start();
    await settle();
    expect(launched()).toEqual(ids.slice(0, 3));
    node.runs[0]?.exit({ exitCode: 1, reason: 'Error' });
    await settle();
    expect(launched()).toEqual(ids.slice(0, 4));
    expect(node.said(ids[4] as string)).toEqual(['transferring']);
  });

  it('do not wait for one that is stuck', async () => {
    fresh(1);
    const [stuck, next] = [aPod(), aPod()];
    await apply(stuck, next);
    expect(launched()).toEqual([stuck.id]);
    await clock.advance(1_000);
    expect(launched()).toEqual([stuck.id, next.id]);
  });

  it('leave out those that are not wanted any more when it is their turn', async () => {
    fresh(1);
    const [first, gone, last] = [aPod(), aPod(), aPod()];
    await apply(first, gone, last);
    await apply(first, last);
    node.runs[0]?.start();
    await settle();
    expect(launched()).toEqual([first.id, last.id]);
  });
});

describe('a crashing pod', () => {
  it('is restarted ever later, and says so', async () => {
    const pod = aPod();
    await apply(pod);
    const waits: (number | undefined)[] = [];
    for (let n = 0; n < 11; n++) {
      node.alive(pod.id)[0]?.start();
      node.alive(pod.id)[0]?.exit({ exitCode: 1, reason: 'Error', message: 'Error: boom' });
      expect(node.last(pod.id)).toMatchObject({
        status: 'starting',
        reason: 'CrashLoopBackOff',
        restarts: n,
        exit_code: 1,
      });
      waits.push(clock.nextIn);
      await clock.advance(clock.nextIn ?? 0);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((seconds) => seconds * 1000));
    expect(node.last(pod.id)).toMatchObject({ status: 'starting', restarts: 11 });
  });

  it('is forgiven after ten healthy minutes', async () => {
    const pod = aPod();
    (await running(pod)).exit({ exitCode: 1, reason: 'Error' });
    await clock.advance(1_000);
    node.alive(pod.id)[0]?.start();
    await clock.advance(10 * 60_000);
    node.alive(pod.id)[0]?.exit({ exitCode: 1, reason: 'Error' });
    expect(clock.nextIn).toBe(1_000);
  });

  it('that is stopped while it waits stays stopped', async () => {
    const pod = aPod();
    (await running(pod)).exit({ exitCode: 1, reason: 'Error' });
    await apply({ ...pod, status: 'stopping', wanted: 'stopped' });
    expect(node.said(pod.id).at(-1)).toBe('stopped(Stopped)');
    await clock.advance(600_000);
    expect(node.runs).toHaveLength(1);
  });
});

describe('a pod that is wanted no more', () => {
  it('is stopped, reported, and forgotten with its data once Postgres knows', async () => {
    const pod = aPod();
    const run = await running(pod);
    await apply({ ...pod, status: 'stopping', wanted: 'stopped' });
    expect(run.stopAsked).toBe(true);
    await clock.advance(0);
    expect(node.said(pod.id).slice(-2)).toEqual(['stopping', 'stopped(Stopped)']);
    expect(node.discarded).toEqual([]);
    await apply();
    expect(node.discarded).toEqual([pod.id]);
    expect(reconciler.pods.size).toBe(0);
  });

  it('says when it had to be killed', async () => {
    node.stopsBy = 'force';
    const pod = aPod({ spec: { terminationGracePeriodSeconds: 3 } });
    await running(pod);
    await apply({ ...pod, status: 'stopping', wanted: 'stopped' });
    expect(clock.nextIn).toBe(3_000);
    await clock.advance(3_000);
    expect(node.last(pod.id)).toMatchObject({ status: 'stopped', reason: 'Killed', exit_code: 137 });
  });

  it('and was never known here is reported as stopped, so that it can go', async () => {
    const pod = aPod({ status: 'stopping', wanted: 'stopped' });
    await apply(pod);
    expect(node.said(pod.id)).toEqual(['stopped(Stopped)']);
    await apply(pod);
    expect(node.said(pod.id)).toEqual(['stopped(Stopped)', 'stopped(Stopped)']);
  });

  it('that is gone from the snapshot is stopped without a word', async () => {
    const pod = aPod();
    const run = await running(pod);
    const before = node.reports.length;
    await apply();
    expect(run.stopAsked).toBe(true);
    await clock.advance(0);
    expect(node.reports).toHaveLength(before);
    expect(node.discarded).toEqual([pod.id]);
  });

  it('is gone before anything new starts', async () => {
    node.stopsBy = 'force';
    const old = aPod();
    const next = aPod();
    await running(old);
    await apply(next);
    expect(node.alive(next.id)).toEqual([]);
    await clock.advance(30_000);
    expect(node.alive(old.id)).toEqual([]);
    expect(node.alive(next.id)).toHaveLength(1);
  });

  it('but comes back while it is being stopped runs again when the old run is gone', async () => {
    node.stopsBy = 'force';
    const pod = aPod();
    await running(pod);
    await apply();
    await apply(pod);
    expect(node.runs).toHaveLength(1);
    await clock.advance(30_000);
    expect(node.runs).toHaveLength(2);
    expect(node.alive(pod.id)).toHaveLength(1);
    expect(node.violations).toEqual([]);
  });
});

describe('after the agent was restarted', () => {
  it('a pod that was running is started again and counts a restart', async () => {
    const pod = aPod({ status: 'running', restarts: 2 });
    await running(pod);
    expect(node.said(pod.id)).toEqual(['starting(AgentRestarted)', 'starting', 'running']);
    expect(node.last(pod.id)).toMatchObject({ restarts: 3 });
  });

  it('one that must never run twice has failed', async () => {
    const pod = aPod({ status: 'running', spec: { restartPolicy: 'Never' } });
    await apply(pod);
    expect(node.said(pod.id)).toEqual(['failed(AgentRestarted)']);
    expect(node.runs).toEqual([]);
  });
});

describe('a disagreement with Postgres', () => {
  it('is repaired by saying it again, once nothing is under way', async () => {
    const pod = aPod();
    await running(pod);
    const stale = { ...pod, status: 'transferring' as const };
    node.pending.add(pod.id);
    await apply(stale);
    expect(node.said(pod.id)).toHaveLength(3);
    node.pending.clear();
    await apply(stale);
    expect(node.said(pod.id).at(-1)).toBe('running');
    expect(node.said(pod.id)).toHaveLength(4);
    await apply({ ...pod, status: 'running' });
    expect(node.said(pod.id)).toHaveLength(4);
  });
});

describe('closing', () => {
  it('stops everything, reports nothing, keeps the data, and starts nothing more', async () => {
    node.stopsBy = 'force';
    const runningPod = aPod({ spec: { terminationGracePeriodSeconds: 2 } });
    await running(runningPod);
    const crashed = aPod();
    await apply({ ...runningPod, status: 'running' }, crashed);
    node.alive(crashed.id)[0]?.exit({ exitCode: 1, reason: 'Error' });
    const before = node.reports.length;
    let closed = false;
    void reconciler.close().then(() => {
      closed = true;
    });
    await settle();
    expect(closed).toBe(false);
    await clock.advance(2_000);
    expect(closed).toBe(true);
    await apply(aPod());
    await clock.advance(600_000);
    expect(node.runs).toHaveLength(2);
    expect(node.reports).toHaveLength(before);
    expect(node.discarded).toEqual([]);
  });

  it('waits for a pod that is just claiming its ports', async () => {
    const pod = aPod();
    let open = () => {};
    node.gate = new Promise((resolve) => {
      open = resolve;
    });
    await apply(pod);
    const closing = reconciler.close();
    open();
    await closing;
    expect(node.runs).toEqual([]);
  });
});
