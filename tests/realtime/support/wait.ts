import { setTimeout as delay } from 'node:timers/promises';

/** Resolves with the first truthy answer of `probe`; fails after `ms` and says what it waited for. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  ms = 5_000,
  everyMs = 25,
): Promise<Exclude<NonNullable<T>, false>> {
  const deadline = performance.now() + ms;
  for (;;) {
    const answer = await probe();
    if (answer) return answer as Exclude<NonNullable<T>, false>;
    if (performance.now() > deadline) throw new Error(`Waited ${ms} ms for ${what}`);
    await delay(everyMs);
  }
}

/** Fails when `promise` has not settled after `ms`; the error says what was waited for. */
export async function within<T>(what: string, promise: Promise<T>, ms = 5_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${ms} ms for ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A window in which something must not happen: absence has no signal to wait for. */
export async function watchFor(ms: number): Promise<void> {
  await delay(ms);
}
