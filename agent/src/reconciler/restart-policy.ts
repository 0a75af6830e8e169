import { backoffMs } from '@stark-o/core';
import type { ExitOutcome, RestartPolicy } from './pod.js';

const RESTART_DELAYS = { firstMs: 1_000, longestMs: 5 * 60_000 };
/** A run that lasted this long was healthy: the next crash starts counting anew. */
const HEALTHY_AFTER_MS = 10 * 60_000;

export type AfterExit =
  | { next: 'succeeded' }
  | { next: 'failed' }
  | { next: 'restart'; delayMs: number; crashes: number };

/**
 * What follows the end of a run, with Kubernetes' meaning of the three policies.
 * `crashes` is the number of ends in a row before this one, `ranForMs` how long this run lasted.
 */
export function afterExit(policy: RestartPolicy, outcome: ExitOutcome, crashes: number, ranForMs: number): AfterExit {
  // Ended for its health, it may still have closed down neatly.
  const clean = outcome.exitCode === 0 && outcome.reason !== 'Unhealthy';
  if (outcome.permanent) return { next: 'failed' };
  if (policy === 'Never' || (policy === 'OnFailure' && clean)) return { next: clean ? 'succeeded' : 'failed' };
  const before = ranForMs >= HEALTHY_AFTER_MS ? 0 : crashes;
  return { next: 'restart', delayMs: retryDelayMs(before), crashes: before + 1 };
}

/** 1 s, 2 s, 4 s … 5 min. */
export function retryDelayMs(failures: number): number {
  return backoffMs(failures, RESTART_DELAYS);
}
