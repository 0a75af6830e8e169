import type { WebSocketLikeConstructor } from '@supabase/supabase-js';
import { FileStorage } from './file-storage.js';
import { type FromRun, LOG_MARK, type RunDescription } from './protocol.js';
import { PackRun } from './run-pack.js';
import { type Library, supabaseOf } from './supabase.js';

/** Where on Node.js a pack finds itself: in a process of its own, or in a thread. */
export interface NodeWorld {
  tell(message: FromRun): Promise<void>;
  storageDir: string;
  signal: AbortSignal;
}

const leave = process.exit.bind(process);

/** Runs a pack on Node.js to its end. */
export async function runPack(description: RunDescription, { tell, storageDir, signal }: NodeWorld): Promise<void> {
  const packRun = new PackRun(description, {
    load: (bundle) => import(bundle) as Promise<Record<string, unknown>>,
    write: (record) => process.stdout.write(`${LOG_MARK}${record}\n`),
    tell,
    storage: new FileStorage(storageDir),
    supabase: supabaseOf(description.project, supabaseJs),
    signal,
    leave,
  });
  process.on('uncaughtException', (error) => packRun.fail('run', error));
  // Node.js would make an error of its own of a reason that is none.
  process.on('unhandledRejection', (reason) => packRun.fail('run', reason));
  Object.assign(process.env, description.env);
  await packRun.run();
}

/** Node.js 20 has no WebSocket of its own. */
async function supabaseJs(): Promise<Library> {
  const { createClient } = await import('@supabase/supabase-js');
  if (globalThis.WebSocket !== undefined) return { createClient };
  return { createClient, webSocket: (await import('ws')).default as unknown as WebSocketLikeConstructor };
}
