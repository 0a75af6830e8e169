import { describe, expect, it } from 'vitest';
import { afterExit, retryDelayMs } from '../src/reconciler/restart-policy.js';

const clean = { exitCode: 0, reason: 'Completed' };
const crash = { exitCode: 1, reason: 'Error' };
const MINUTE = 60_000;

describe('afterExit', () => {
  it.each([
    ['Always', clean, 'restart'],
    ['Always', crash, 'restart'],
    ['OnFailure', clean, 'succeeded'],
    ['OnFailure', crash, 'restart'],
    ['Never', clean, 'succeeded'],
    ['Never', crash, 'failed'],
  ] as const)('%s after exit %o: %s', (policy, outcome, next) => {
    expect(afterExit(policy, outcome, 0, 0).next).toBe(next);
  });

  it('does not try again what cannot get better', () => {
    expect(afterExit('Always', { ...crash, permanent: true }, 0, 0)).toEqual({ next: 'failed' });
  });

  it('waits 1 s, 2 s, 4 s … and never longer than five minutes', () => {
    expect([0, 1, 2, 3, 8, 9, 50].map(retryDelayMs)).toEqual([1e3, 2e3, 4e3, 8e3, 256e3, 300e3, 300e3]);
  });

  it('starts counting anew after ten healthy minutes, and not a moment before', () => {
    expect(afterExit('Always', crash, 6, 10 * MINUTE - 1)).toMatchObject({ delayMs: 64_000, crashes: 7 });
    expect(afterExit('Always', crash, 6, 10 * MINUTE)).toMatchObject({ delayMs: 1_000, crashes: 1 });
  });
});
