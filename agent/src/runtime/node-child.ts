// The entry of a pod's process. It knows nothing but what the agent sends it: no credentials.
import { join } from 'node:path';
import type { WebSocketLikeConstructor } from '@supabase/supabase-js';
import { FileStorage } from './file-storage.js';
import { harden } from './harden.js';
import { type FromRun, LOG_MARK, type RunDescription, type ToRun } from './protocol.js';
import { PackRun } from './run-pack.js';
import { type Library, supabaseOf } from './supabase.js';

const { die } = harden();
const leave = process.exit.bind(process);
const abort = new AbortController();

// Else what was printed last is lost when the pack calls process.exit.
for (const stream of [process.stdout, process.stderr]) {
  (stream as unknown as { _handle?: { setBlocking?(on: boolean): void } })._handle?.setBlocking?.(true);
}

// Without its agent nobody reports, stops or limits this process.
process.on('disconnect', die);
process.on('SIGTERM', () => abort.abort());
process.on('message', (message: ToRun) => {
  if (message.type === 'init') void run(message.run);
  else if (message.type === 'stop') abort.abort();
});

async function run(description: RunDescription): Promise<void> {
  const packRun = new PackRun(description, {
    load: (bundle) => import(bundle) as Promise<Record<string, unknown>>,
    write: (record) => process.stdout.write(`${LOG_MARK}${record}\n`),
    tell,
    storage: new FileStorage(join(process.cwd(), '.storage')),
    supabase: supabaseOf(description.project, supabaseJs),
    signal: abort.signal,
    leave,
  });
  process.on('uncaughtException', (error) => packRun.fail('run', error));
  Object.assign(process.env, description.env);
  await packRun.run();
}

/** Node.js 20 has no WebSocket of its own. */
async function supabaseJs(): Promise<Library> {
  const { createClient } = await import('@supabase/supabase-js');
  if (globalThis.WebSocket !== undefined) return { createClient };
  return { createClient, webSocket: (await import('ws')).default as unknown as WebSocketLikeConstructor };
}

// A closed channel means that the agent is gone, and `disconnect` ends this process.
function tell(message: FromRun): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}
