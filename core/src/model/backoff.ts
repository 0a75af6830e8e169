export interface BackoffTimes {
  firstMs: number;
  longestMs: number;
}

/** How long to wait after so many failures in a row, 0 being the first: doubled with each, never longer than the longest. */
export function backoffMs(failures: number, { firstMs, longestMs }: BackoffTimes): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(Math.max(0, failures), 20));
}

/** Somewhere between half of a waiting time and all of it, so that many who failed together do not come back together. */
export function jittered(ms: number, random = Math.random()): number {
  return ms * (0.5 + random / 2);
}
