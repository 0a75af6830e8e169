import { describe, expect, it } from 'vitest';
import { limitsOf, mostOf } from '../src/executor/pod-limits.js';
import { podProblem } from '../src/reconciler/pod-problem.js';
import { aPod } from './support/pods.js';

const levels = (count: number) => JSON.parse(`${'{"a":'.repeat(count)}1${'}'.repeat(count)}`);

describe('a pod that the control plane sends', () => {
  it.each([
    {},
    { labels: { a: 'b' }, entry: 'main', owner: null, restarts: 3, wanted: 'stopped' as const },
    {
      spec: {
        isolation: 'worker' as const,
        resources: { requests: { cpu: 1.5, memory: 0 }, limits: { memory: 1e9 } },
        ports: [{ name: 'http', strategy: 'random' as const }],
        config: levels(32),
        env: { A: 'b' },
        readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
        terminationGracePeriodSeconds: 0,
      },
    },
  ])('is one: %j', (changes) => {
    expect(podProblem(aPod(changes))).toBeUndefined();
  });

  it('is one with what is null, which is what is not given', () => {
    const spec = {
      resources: { requests: null, limits: null },
      env: null,
      ports: null,
      restartPolicy: null,
      config: null,
    };
    const pod = { ...aPod(), spec };
    expect(podProblem(pod)).toBeUndefined();
    expect(limitsOf(pod as never, { memory: 100, storage: 100 })).toEqual({ memoryMb: 100, storageMb: 100 });
  });

  it.each([
    ['no object', null, 'it is no object'],
    ['a list', [], 'it is no object'],
    ['a path as id', { ...aPod(), id: '../../../home' }, 'its id is no UUID'],
    ['a longer id', { ...aPod(), id: `${aPod().id}/..` }, 'its id is no UUID'],
    ['an id of two lines', { ...aPod(), id: `${aPod().id}\n` }, 'its id is no UUID'],
    ['no spec', { ...aPod(), spec: null }, 'its spec is not what a pod has there'],
    ['an unknown status', { ...aPod(), status: 'lost' }, 'its status is not'],
    ['no hash', { ...aPod(), bundle: { ...aPod().bundle, sha256: '../x' } }, 'its bundle is not'],
    ['a size below nothing', { ...aPod(), bundle: { ...aPod().bundle, size_bytes: -1 } }, 'its bundle is not'],
    ['restarts that are text', { ...aPod(), restarts: '3' }, 'its restarts is not'],
    ['labels that are no text', { ...aPod(), labels: { a: 1 } }, 'its labels is not'],
    ['an environment of numbers', { ...aPod(), spec: { env: { A: 1 } } }, 'its spec.env is not'],
    ['memory as text', { ...aPod(), spec: { resources: { limits: { memory: '1Gi' } } } }, 'its spec.resources is not'],
    [
      'a grace of text',
      { ...aPod(), spec: { terminationGracePeriodSeconds: 'x' } },
      'its spec.terminationGracePeriodSeconds is',
    ],
    ['a port that is none', { ...aPod(), spec: { ports: [{ name: 'a', port: 70_000 }] } }, 'its spec.ports is not'],
    ['a probe of nothing', { ...aPod(), spec: { livenessProbe: { httpGet: 5 } } }, 'its spec.livenessProbe is not'],
    ['2,500 levels', { ...aPod(), spec: { config: levels(2_500) } }, 'it is nested more than 64 levels deep'],
    ['200,000 levels', { ...aPod(), spec: { config: levels(200_000) } }, 'it is nested more than 64 levels deep'],
  ])('is none: %s', (_what, pod, problem) => {
    expect(podProblem(pod)).toContain(problem);
  });
});

describe('the limits of a pod', () => {
  const node = { cpu: 1_000, memory: 1_024, storage: 2_048, pods: 10 };
  it.each([
    [{}, 1_024, 1_024],
    [{ requests: { memory: 0, storage: 0 } }, 1_024, 1_024],
    [{ limits: { memory: 0, storage: 0 } }, 1_024, 1_024],
    [{ limits: { memory: 1e9, storage: 1e9 } }, 1_024, 2_048],
    [{ limits: { memory: Number.MAX_VALUE } }, 1_024, 1_024],
    [{ requests: { memory: 1e9 } }, 1_024, 1_024],
    [{ requests: { memory: 64, storage: 32 } }, 64, 32],
    [{ requests: { memory: 64 }, limits: { memory: 128 } }, 128, 1_024],
    [{ limits: { memory: 0.5 } }, 1, 1_024],
    [{ limits: { memory: -5, storage: Number.NaN } }, 1_024, 1_024],
  ])('%j are %d MB of memory and %d MB of disk', (resources, memoryMb, storageMb) => {
    expect(limitsOf(aPod({ spec: { resources } }), node)).toEqual({ memoryMb, storageMb });
  });

  it('are never none, whatever the node offers', () => {
    for (const offer of [{}, { memory: 0, storage: 0 }, { memory: Number.NaN, storage: -1 }]) {
      const { memoryMb, storageMb } = limitsOf(aPod(), offer);
      expect(memoryMb).toBeGreaterThan(0);
      expect(memoryMb).toBeLessThan(100);
      expect(storageMb).toBe(1_024);
      expect(mostOf(offer).memoryMb).toBe(memoryMb);
    }
  });
});
