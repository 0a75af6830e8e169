import { backoffMs, jittered } from '@stark-o/core';
import type { Clock } from './clock.js';

/** 1 s, 2 s, 4 s … up to `longestMs`, each somewhere between half of it and all of it, so that agents do not march in step. */
export function jitteredBackoff(clock: Clock, failures: number, longestMs: number): number {
  return jittered(backoffMs(failures, { firstMs: 1_000, longestMs }), clock.random());
}

/** Around `ms`, at most a fifth off to either side. */
export function around(clock: Clock, ms: number): number {
  return ms * (0.8 + clock.random() * 0.4);
}
