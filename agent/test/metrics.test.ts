import { isMetricName } from '@stark-o/core/model';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { usageOfNode } from '../src/control-plane/node-usage.js';
import { isMetrics, METRICS_OF_A_POD, type Metrics, PackMetrics } from '../src/pod/shared/metrics.js';

const names = ['queue', 'Q', 'a_b-1', 'x'.repeat(63)];
const noNames = ['', '1a', 'a b', 'a.b', 'cpu', 'memory', 'x'.repeat(64), '\0', 'ä'];

describe('ctx.metric', () => {
  let told: Metrics[];
  let metrics: PackMetrics;
  beforeEach(() => {
    vi.useFakeTimers();
    told = [];
    metrics = new PackMetrics((values) => told.push(values));
  });
  afterEach(() => void vi.useRealTimers());

  it('tells all numbers at once, the last of each, and a change once a second at most', () => {
    for (let i = 0; i < 100; i++) metrics.set('queue', i);
    metrics.set('latency', 0.25);
    vi.advanceTimersByTime(1);
    metrics.set('queue', 100);
    vi.advanceTimersByTime(500);
    expect(told).toEqual([{ queue: 99, latency: 0.25 }]);
    vi.advanceTimersByTime(500);
    metrics.set('queue', 100);
    vi.advanceTimersByTime(60_000);
    expect(told.slice(1)).toEqual([{ queue: 100, latency: 0.25 }]);
  });

  it('refuses what is no name, no number, and one too many', () => {
    for (const name of [...noNames, 5, null]) expect(() => metrics.set(name as string, 1)).toThrow(TypeError);
    for (const value of [-1, 1e16, Number.NaN, Number.POSITIVE_INFINITY, '5', null, undefined, 5n])
      expect(() => metrics.set('queue', value as number)).toThrow(TypeError);
    for (let i = 0; i < METRICS_OF_A_POD; i++) metrics.set(`n${i}`, i);
    expect(() => metrics.set('more', 1)).toThrow(RangeError);
    metrics.set('n0', 5);
  });
});

describe('what a pod tells', () => {
  it('is numbers by name', () => {
    for (const name of names) expect([isMetrics({ [name]: 0 }), isMetricName(name)]).toEqual([true, true]);
    for (const name of noNames) expect([isMetrics({ [name]: 0 }), isMetricName(name)]).toEqual([false, false]);
    for (const no of [null, 5, [], { a: '1' }, { a: -1 }, { a: Number.NaN }, { a: {} }])
      expect(isMetrics(no)).toBe(false);
  });

  it('goes with what its node uses, as much as a heartbeat carries', () => {
    const usage = new Map([
      ['a', { cpu: 10, memory: 20, storage: 1, metrics: { queue: 5 } }],
      ['b', { cpu: 1, memory: 2 }],
      ['c', { metrics: { queue: 6 } }],
    ]);
    expect(usageOfNode(usage)).toEqual({ cpu: 11, memory: 22, pods: Object.fromEntries(usage) });
    const metrics = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${'n'.repeat(62)}${i}`, 1e15]));
    const many = new Map(Array.from({ length: 500 }, (_, i) => [`${i}`, { cpu: 1, memory: 1, storage: 1, metrics }]));
    const { cpu, pods } = usageOfNode(many);
    expect(cpu).toBe(500);
    const told = Object.values(pods).filter((pod) => pod.metrics !== undefined);
    expect(told.length).toBeGreaterThan(5);
    expect(JSON.stringify(told.map((pod) => pod.metrics)).length).toBeLessThan(12_000);
  });
});
