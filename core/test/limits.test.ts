import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CALL_LIMITS, cutPodRequests, type PodRequest } from '../src/index.js';

const { pods, podEntries, podBytes } = CALL_LIMITS;
const replicasOf = (requests: readonly PodRequest[]) => requests.reduce((sum, { replicas = 1 }) => sum + replicas, 0);

describe('requests for pods', () => {
  it('are one call when they are few', () => {
    const requests = [{ pack: 'a', replicas: pods - 1 }, { pack: 'b' }];
    expect(cutPodRequests(requests)).toEqual([requests]);
  });

  it('of many entries are several calls', () => {
    const requests = Array.from({ length: 2 * podEntries + 1 }, (_, i) => ({ pack: `p${i}` }));
    expect(cutPodRequests(requests).map(({ length }) => length)).toEqual([podEntries, podEntries, 1]);
  });

  it('ask for the same in each call, in calls that the database takes, and never for the last pod alone', () => {
    const request = fc.record({
      replicas: fc.integer({ min: 1, max: 1_000 }),
      text: fc
        .tuple(fc.constantFrom('x', 'é', '"', '\n', ','), fc.integer({ min: 0, max: 20_000 }))
        .map(([letter, length]) => letter.repeat(length)),
    });
    const check = fc.property(fc.array(request, { minLength: 1, maxLength: 5 }), (wanted) => {
      const requests = wanted.map(({ replicas, text }, i) => ({
        pack: 'a',
        name: `n${i}`,
        replicas,
        spec: { config: { text } },
      }));
      const sizes = new Map<unknown, number>(
        requests.map((entry) => [entry.spec, Buffer.byteLength(JSON.stringify(entry))]),
      );
      const calls = cutPodRequests(requests);
      for (const call of calls) {
        expect(replicasOf(call)).toBeLessThanOrEqual(pods);
        expect(call.length).toBeLessThanOrEqual(podEntries);
        const bytes = call.map((entry) => (entry.replicas ?? 1) * (sizes.get(entry.spec) ?? 0));
        expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(podBytes);
      }
      for (const { name, spec, replicas } of requests) {
        const parts = calls.flat().filter((entry) => entry.name === name);
        expect(replicasOf(parts)).toBe(replicas);
        if (replicas > 1) for (const part of parts) expect(part.replicas).toBeGreaterThan(1);
        for (const part of parts) expect(part.spec).toBe(spec);
      }
    });
    fc.assert(check, { numRuns: 50 });
  });
});
