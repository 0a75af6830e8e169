import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const workdir = join(import.meta.dirname, '..', '..');

/** Starts a stack in a process of its own, so that what measures is not what is measured; settles when it is ready. `plan` is whose limits Realtime keeps. */
export async function startBenchStack(dataDir, { plan } = {}) {
  const started = performance.now();
  const child = fork(join(import.meta.dirname, 'stack-process.mjs'), [JSON.stringify({ workdir, dataDir, plan })], {
    env: { ...process.env, SUPABASE_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', LITE_TELEMETRY: '0' },
  });
  const [ready] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`The stack ended with ${code} before it was ready`);
    }),
  ]);
  const ms = performance.now() - started;
  const health = await fetch(`${ready.url}/rest/v1/`);
  if (health.status >= 500) throw new Error(`The stack says it is ready but REST answers ${health.status}`);
  return {
    ...ready,
    ms,
    pid: child.pid,
    /** The messages Realtime has counted so far, as Supabase bills them. */
    async messages() {
      child.send('count');
      const [answer] = await once(child, 'message');
      return answer.messages;
    },
    async stop() {
      const ended = once(child, 'exit');
      child.send('stop');
      const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await ended;
      clearTimeout(late);
    },
  };
}
