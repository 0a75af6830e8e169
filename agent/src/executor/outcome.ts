import type { FromRun } from '../pod/shared/protocol.js';
import type { ExitOutcome } from '../reconciler/pod.js';

/** What a run's own end means, when nobody ended it: by its exit code, and by what it said went wrong. */
export function outcomeOf(
  exitCode: number,
  started: boolean,
  failure?: Extract<FromRun, { type: 'failed' }>,
): ExitOutcome {
  if (exitCode === 0) return { exitCode, reason: 'Completed' };
  return {
    exitCode,
    reason: failure?.phase === 'load' || !started ? 'StartFailed' : 'Error',
    ...(failure !== undefined && { message: failure.message }),
    ...(failure?.permanent && { permanent: true }),
  };
}

/** What is said of a run that did not end in time. */
export function graceOver(graceMs: number): string {
  return `it did not end within its grace period of ${graceMs / 1000} s`;
}
