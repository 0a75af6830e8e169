// The entry of a pod's process. It knows nothing but what the agent sends it: no credentials.
import { join } from 'node:path';
import type { WebSocketLikeConstructor } from '@supabase/supabase-js';
import { createContext } from './context.js';
import { FileStorage } from './file-storage.js';
import { harden } from './harden.js';
import { type FromRun, LOG_MARK, type LogRecord, type RunDescription, type ToRun } from './protocol.js';
import { supabaseOf } from './supabase.js';

const LONGEST_MESSAGE = 12_000;
const LONGEST_RECORD = 16_000;

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
  process.on('uncaughtException', (error) => fail('run', error));
  Object.assign(process.env, description.env);
  const pack = await load(description);
  if (pack === undefined) return;
  const context = createContext(description, {
    log: write,
    ready: () => tell({ type: 'ready' }),
    storage: new FileStorage(join(process.cwd(), '.storage')),
    supabase: supabaseOf(description.project, webSocket),
    signal: abort.signal,
  });
  await tell({ type: 'started' });
  try {
    await pack(context);
  } catch (error) {
    return fail('run', error);
  }
  leave(0);
}

/** Node.js 20 has none of its own. */
async function webSocket(): Promise<WebSocketLikeConstructor | undefined> {
  return globalThis.WebSocket === undefined
    ? ((await import('ws')).default as unknown as WebSocketLikeConstructor)
    : undefined;
}

async function load({ bundle, entry }: RunDescription): Promise<((context: unknown) => unknown) | undefined> {
  try {
    const module = (await import(bundle)) as Record<string, unknown>;
    const pack = module[entry];
    if (typeof pack === 'function') return pack as (context: unknown) => unknown;
    await fail('load', `the bundle's export "${entry}" is ${typeName(pack)}, not a function`, true);
  } catch (error) {
    await fail('load', error, error instanceof SyntaxError);
  }
  return undefined;
}

async function fail(phase: 'load' | 'run', error: unknown, permanent = false): Promise<void> {
  write({ level: 'error', message: textOf(error) });
  await tell({ type: 'failed', phase, message: headline(error), permanent });
  leave(1);
}

// A closed channel means that the agent is gone, and `disconnect` ends this process.
function tell(message: FromRun): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

function write(record: LogRecord): void {
  const message =
    record.message.length > LONGEST_MESSAGE ? `${record.message.slice(0, LONGEST_MESSAGE)}…` : record.message;
  let text: string;
  try {
    text = JSON.stringify({ ...record, message });
  } catch {
    text = JSON.stringify({ level: record.level, message, fields: { unserializable: true } });
  }
  if (text.length > LONGEST_RECORD) text = JSON.stringify({ level: record.level, message, fields: { omitted: true } });
  process.stdout.write(`${LOG_MARK}${text}\n`);
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}

function headline(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.split('\n', 1)[0]?.slice(0, 500) ?? '';
}

function typeName(value: unknown): string {
  if (value === undefined) return 'missing';
  return value === null ? 'null' : `of type ${typeof value}`;
}
