import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import type { WebSocketLikeConstructor } from '@supabase/supabase-js';
import { headline, isError } from '../shared/describe-value.js';
import { type FromRun, LOG_MARK, type RunDescription } from '../shared/protocol.js';
import { PackRun } from '../shared/run-pack.js';
import { type Library, supabaseOf } from '../shared/supabase.js';
import { FileStorage } from './file-storage.js';

/** Where on Node.js a pack finds itself: in a process of its own, or in a thread. */
export interface NodeWorld {
  tell(message: FromRun): Promise<void>;
  storageDir: string;
  signal: AbortSignal;
}

const CERTIFICATES = 'NODE_EXTRA_CA_CERTS';
const { exit, reallyExit } = process as typeof process & { reallyExit(code: number): never };
// As they were before the pack had a chance to replace them.
const write = process.stdout.write.bind(process.stdout);
const raise = process.emit.bind(process) as (event: string, ...values: unknown[]) => boolean;

/** Ends this process or thread, also when a listener of the pack throws on the way. */
function leave(code?: number): void {
  try {
    // An argument, even an undefined one, would stand over what the pack has set.
    if (code === undefined) exit.call(process);
    else exit.call(process, code);
  } finally {
    reallyExit.call(process, code ?? 1);
  }
}

/** Runs a pack on Node.js to its end. */
export async function runPack(description: RunDescription, { tell, storageDir, signal }: NodeWorld): Promise<void> {
  const packRun = new PackRun(description, {
    load: (bundle) => {
      // Without assets a place that is empty, and that the pod may look at.
      placeAssets(description.assets ?? join(dirname(storageDir), '.assets'));
      return import(bundle) as Promise<Record<string, unknown>>;
    },
    assets: () => description.assets,
    write: (record) => write(`${LOG_MARK}${record}\n`),
    inspect: (value) => inspect(value),
    tell,
    storage: new FileStorage(storageDir),
    supabase: supabaseOf(description.project, supabaseJs),
    signal,
    returned: tellBeforeExit,
    leave,
  });
  failUncaught((error) => void packRun.fail('run', error));
  // The file of certificates that this process was started with stands in place of the one that the pod named.
  const { [CERTIFICATES]: file } = process.env;
  delete process.env[CERTIFICATES];
  Object.assign(process.env, description.env);
  if (CERTIFICATES in description.env && file !== undefined) process.env[CERTIFICATES] = file;
  await packRun.run();
}

/** Tells the modules of a bundle where what they read is: the code that the bundler put before them asks here. */
function placeAssets(folder: string): void {
  const url = (name: string) => pathToFileURL(join(folder, name)).href;
  Object.defineProperty(globalThis, Symbol.for('stark.assets'), { value: { folder, url } });
}

/**
 * What Node.js does once nothing is left to do, which for a pod is when its pack has returned: who listens may still write out what it
 * holds. The run waits for promises that listeners give.
 */
async function tellBeforeExit(): Promise<void> {
  for (const listener of process.rawListeners('beforeExit')) await listener.call(process, process.exitCode ?? 0);
}

/** Hands over what nobody caught, and nothing that the pack has listeners of its own for: there, as in Node.js, those decide. */
function failUncaught(fail: (error: unknown) => void): void {
  let reason: { unwrapped: unknown } | undefined;
  let isTheirs = false;
  // Before any listener, since one that listens once is gone when it has heard.
  process.on('uncaughtExceptionMonitor', () => {
    isTheirs = process.listenerCount('uncaughtException') > 1;
  });
  process.on('uncaughtException', (error) => {
    if (!isTheirs) fail(reason === undefined ? error : reason.unwrapped);
  });
  process.on('unhandledRejection', (unwrapped) => {
    if (process.listenerCount('unhandledRejection') > 1) return;
    // Node.js makes an error of its own of a reason that is none. The pack is to hear that one, its log the reason itself.
    reason = { unwrapped };
    const error = isError(unwrapped) ? unwrapped : wrapped(unwrapped);
    raise('uncaughtExceptionMonitor', error, 'unhandledRejection');
    raise('uncaughtException', error, 'unhandledRejection');
    reason = undefined;
  });
}

function wrapped(reason: unknown): Error {
  const message = `This error originated either by throwing inside of an async function without a catch block, or by rejecting a promise which was not handled with .catch(). The promise rejected with the reason "${headline(reason, inspect)}".`;
  return Object.assign(new Error(message), { code: 'ERR_UNHANDLED_REJECTION' });
}

/**
 * Tells the pack that it should end: the signal of its context, and SIGTERM for packs that listen for that, as a supervisor of
 * processes would send it. Nobody else hears of it, since without a listener it would end the process.
 */
export function askToEnd(abort: AbortController): void {
  abort.abort();
  if (process.listenerCount('SIGTERM') > 0) raise('SIGTERM', 'SIGTERM', constants.signals.SIGTERM);
}

/** Node.js 20 has no WebSocket of its own. */
async function supabaseJs(): Promise<Library> {
  const { createClient } = await import('@supabase/supabase-js');
  if (globalThis.WebSocket !== undefined) return { createClient };
  return { createClient, webSocket: (await import('ws')).default as unknown as WebSocketLikeConstructor };
}
