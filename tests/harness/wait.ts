import { setTimeout as sleep } from 'node:timers/promises';

const firstPauseMs = 50;
const longestPauseMs = 250;

/**
 * Asks again and again until the answer is neither undefined, null nor false; says what it waited for when it gives up. The pauses
 * grow, since what takes long is asked about for long; `everyMs` fixes them where the moment of the answer is what counts.
 */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T> | T,
  { deadlineMs = 20_000, everyMs }: { deadlineMs?: number; everyMs?: number } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + deadlineMs;
  let last: unknown;
  let pauseMs = everyMs ?? firstPauseMs;
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false) return answer as NonNullable<T>;
      last = answer;
    } catch (error) {
      last = error;
    }
    await sleep(pauseMs);
    if (everyMs === undefined) pauseMs = Math.min(pauseMs * 1.3, longestPauseMs);
  }
  throw new Error(`waited ${deadlineMs / 1000} s for ${what}; the last answer was ${String(last)}`);
}
