import type { PodSpec } from '@stark-o/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { Reconciler } from '../src/reconciler/reconciler.js';
import { FakeClock } from './support/fake-clock.js';
import { FakeNode, type FakeRun } from './support/fake-node.js';
import { memoryLog } from './support/log.js';
import { aPod } from './support/pods.js';

let clock: FakeClock;
let node: FakeNode;
let id: string;
let run: FakeRun;
let reconciler: Reconciler;

beforeEach(() => {
  clock = new FakeClock();
  node = new FakeNode(clock);
  reconciler = new Reconciler({
    clock,
    bundles: node.bundles,
    executor: node,
    ports: node,
    reports: node,
    log: memoryLog(),
  });
});

async function running(spec: PodSpec): Promise<void> {
  const pod = aPod({ spec: { ports: [{ name: 'http', strategy: 'random' }], ...spec } });
  id = pod.id;
  reconciler.apply([pod]);
  await clock.advance(0);
  run = node.alive(id)[0] as FakeRun;
  run.start();
  await clock.advance(0);
}

const httpGet = { path: '/healthz', port: 'http' };

describe('a readiness probe', () => {
  it('makes a pod ready after its first good answer, asked every ten seconds', async () => {
    node.answer = 503;
    await running({ readinessProbe: { httpGet } });
    expect(node.last(id)).toMatchObject({ status: 'running', ready: false });
    run.listener.ready();
    expect(node.last(id)).toMatchObject({ ready: false });
    node.answer = 204;
    await clock.advance(9_999);
    expect(node.last(id)).toMatchObject({ ready: false });
    await clock.advance(1);
    expect(node.last(id)).toMatchObject({ status: 'running', ready: true });
    expect(node.said(id)).toEqual(['transferring', 'starting', 'running', 'running']);
  });

  it('waits for its delay, and for as many answers in a row as it is told', async () => {
    await running({
      readinessProbe: { httpGet, initialDelaySeconds: 5, periodSeconds: 2, successThreshold: 3, failureThreshold: 2 },
    });
    await clock.advance(8_999);
    expect(node.last(id)).toMatchObject({ ready: false });
    await clock.advance(1);
    expect(node.last(id)).toMatchObject({ ready: true });
    node.answer = 404;
    await clock.advance(2_000);
    expect(node.last(id)).toMatchObject({ ready: true });
    node.answer = 200;
    await clock.advance(2_000);
    node.answer = new Error('nobody listens');
    await clock.advance(2_000);
    expect(node.last(id)).toMatchObject({ ready: true });
    await clock.advance(2_000);
    expect(node.last(id)).toMatchObject({
      status: 'running',
      ready: false,
      reason: 'NotReady',
      message: 'readiness probe failed: /healthz: nobody listens',
    });
    node.answer = 200;
    await clock.advance(6_000);
    expect(node.last(id)).toMatchObject({ status: 'running', ready: true });
    expect(node.last(id)?.reason).toBeUndefined();
    expect(node.runs).toHaveLength(1);
  });

  it('says what is wrong with a pod that never becomes ready, once', async () => {
    node.answer = 500;
    await running({ readinessProbe: { httpGet: { port: 'http' }, periodSeconds: 1 } });
    await clock.advance(60_000);
    expect(node.said(id)).toEqual(['transferring', 'starting', 'running', 'running(NotReady)']);
    expect(node.last(id)?.message).toBe('readiness probe failed: / answered 500');
  });
});

describe('a liveness probe', () => {
  it('ends a pod that fails three times in a row, and starts it again later', async () => {
    await running({ livenessProbe: { httpGet } });
    expect(node.last(id)).toMatchObject({ ready: true });
    node.answer = 500;
    await clock.advance(29_999);
    expect(run.stopAsked).toBe(false);
    await clock.advance(1);
    expect(run.stopAsked).toBe(true);
    expect(node.said(id).slice(2)).toEqual(['running', 'running(Unhealthy)', 'starting(CrashLoopBackOff)']);
    expect(node.last(id)?.message).toBe(
      'back-off 1 s after Unhealthy (exit code 0): liveness probe failed: /healthz answered 500',
    );
    node.answer = 200;
    await clock.advance(1_000);
    node.alive(id)[0]?.start();
    await clock.advance(60_000);
    expect(node.last(id)).toMatchObject({ status: 'running', ready: true, restarts: 1 });
    expect(node.violations).toEqual([]);
  });

  it('fails a pod that is not to be restarted, even when it ends neatly', async () => {
    node.answer = 500;
    await running({ livenessProbe: { httpGet, periodSeconds: 1, failureThreshold: 1 }, restartPolicy: 'OnFailure' });
    expect(node.last(id)).toMatchObject({ reason: 'CrashLoopBackOff' });
    await running({ livenessProbe: { httpGet, periodSeconds: 1, failureThreshold: 1 }, restartPolicy: 'Never' });
    expect(node.last(id)).toMatchObject({ status: 'failed', reason: 'Unhealthy', exit_code: 0 });
  });

  it('gives a pod that is being stopped no second reason', async () => {
    await running({
      livenessProbe: { httpGet, periodSeconds: 1, failureThreshold: 1 },
      terminationGracePeriodSeconds: 5,
    });
    node.stopsBy = 'force';
    reconciler.apply([{ ...run.pod, status: 'stopping', wanted: 'stopped' }]);
    node.answer = 500;
    await clock.advance(20_000);
    expect(node.last(id)).toMatchObject({ status: 'stopped', reason: 'Killed' });
    expect(node.said(id)).not.toContain('running(Unhealthy)');
    expect(clock.nextIn).toBeUndefined();
  });
});

describe('a startup probe', () => {
  it('holds the others back until it has succeeded', async () => {
    node.answer = 503;
    await running({
      startupProbe: { httpGet, periodSeconds: 5, failureThreshold: 10 },
      livenessProbe: { httpGet, periodSeconds: 1, failureThreshold: 1 },
    });
    await clock.advance(30_000);
    expect(run.stopAsked).toBe(false);
    expect(node.last(id)).toMatchObject({ status: 'running', ready: false });
    node.answer = 200;
    await clock.advance(5_000);
    expect(node.last(id)).toMatchObject({ ready: true });
    node.answer = 500;
    await clock.advance(1_000);
    expect(run.stopAsked).toBe(true);
  });

  it('ends a pod that never gets through it', async () => {
    node.answer = new Error('no answer within 1 s');
    await running({ startupProbe: { httpGet, periodSeconds: 2, failureThreshold: 2 }, restartPolicy: 'Never' });
    await clock.advance(2_000);
    expect(node.last(id)).toMatchObject({
      status: 'failed',
      reason: 'Unhealthy',
      message: 'startup probe failed: /healthz: no answer within 1 s',
    });
  });

  it('goes together with a pack that says itself when it is ready', async () => {
    await running({ startupProbe: { httpGet, initialDelaySeconds: 3 }, readinessProbe: { packReady: {} } });
    run.listener.ready();
    expect(node.last(id)).toMatchObject({ ready: false });
    await clock.advance(3_000);
    expect(node.last(id)).toMatchObject({ ready: true });
  });
});
