import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const SCRIPT = join(import.meta.dirname, 'script.mjs');

/** Milliseconds from the call to "ready", for each of so many forks that are asked for at once. */
export async function bareForks(count) {
  const started = performance.now();
  const children = Array.from({ length: count }, () => fork(SCRIPT));
  const times = await Promise.all(
    children.map(async (child) => {
      await once(child, 'message');
      return performance.now() - started;
    }),
  );
  await Promise.all(
    children.map((child) => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      return ended;
    }),
  );
  return times;
}
