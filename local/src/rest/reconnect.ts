import { setTimeout as delay } from 'node:timers/promises';

const lostCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01', '57P02', '57P03']);

/** True when the database went away, not when it refused something. */
export function isLostConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') return lostCodes.has(code) || code.startsWith('08');
  return /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/.test(
    error.message,
  );
}

/** How long a request waits for a Postgres that is being restarted. */
const patienceMs = 4000;

/**
 * Runs `work` again when the connection was lost: reads at any point, writes only while `entered` was not called, since
 * after that nobody knows whether they took effect. A connection that broke is tried once more at once (the pool holds
 * dead sockets after a restart); a server that refuses is asked again until the patience is over.
 */
export async function withReconnect<T>(idempotent: boolean, work: (entered: () => void) => Promise<T>): Promise<T> {
  const deadline = performance.now() + patienceMs;
  let entered = false;
  let pause = 0;
  for (;;) {
    try {
      return await work(() => {
        entered = true;
      });
    } catch (error) {
      const mayRepeat = isLostConnection(error) && (idempotent || !entered) && performance.now() + pause < deadline;
      if (!mayRepeat) throw error;
      await delay(pause);
      pause = Math.min(pause + 50, 400);
      entered = false;
    }
  }
}
