import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again and again until the answer is neither undefined, null nor false; says what it waited for when it gives up. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T> | T,
  { deadlineMs = 20_000, everyMs = 50 }: { deadlineMs?: number; everyMs?: number } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + deadlineMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false) return answer as NonNullable<T>;
      last = answer;
    } catch (error) {
      last = error;
    }
    await sleep(everyMs);
  }
  throw new Error(`waited ${deadlineMs / 1000} s for ${what}; the last answer was ${String(last)}`);
}
