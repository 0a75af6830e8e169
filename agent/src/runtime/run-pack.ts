import type { PackStorage } from '@stark-o/core';
import type { SupabaseClient } from '@supabase/supabase-js';
import { createContext } from './context.js';
import { recordText } from './log-record.js';
import type { FromRun, RunDescription } from './protocol.js';

/** The world a run finds itself in: a process, a thread, a worker of a browser. */
export interface RunHost {
  load(bundle: string): Promise<Record<string, unknown>>;
  /** Takes one record of the pod's log, as text. */
  write(record: string): void;
  /** Resolves when the message is on its way. */
  tell(message: FromRun): Promise<void>;
  storage: PackStorage;
  supabase(): Promise<SupabaseClient>;
  signal: AbortSignal;
  /** Ends the run. */
  leave(exitCode: number): void;
}

/** One run of a pack from its loading to its end; the same in every runtime. */
export class PackRun {
  constructor(
    private readonly description: RunDescription,
    private readonly host: RunHost,
  ) {}

  async run(): Promise<void> {
    const { description, host } = this;
    const pack = await this.#load();
    if (pack === undefined) return;
    const context = createContext(description, {
      log: (record) => host.write(recordText(record)),
      ready: () => void host.tell({ type: 'ready' }),
      storage: host.storage,
      supabase: () => host.supabase(),
      signal: host.signal,
    });
    await host.tell({ type: 'started' });
    try {
      await pack(context);
    } catch (error) {
      return this.fail('run', error);
    }
    host.leave(0);
  }

  /** Ends the run because of an error that nobody caught. */
  async fail(phase: 'load' | 'run', error: unknown, permanent = false): Promise<void> {
    this.host.write(recordText({ level: 'error', message: textOf(error) }));
    await this.host.tell({ type: 'failed', phase, message: headline(error), permanent });
    this.host.leave(1);
  }

  async #load(): Promise<((context: unknown) => unknown) | undefined> {
    const { bundle, entry } = this.description;
    try {
      const module = await this.host.load(bundle);
      const pack = module[entry];
      if (typeof pack === 'function') return pack as (context: unknown) => unknown;
      await this.fail('load', `the bundle's export "${entry}" is ${typeName(pack)}, not a function`, true);
    } catch (error) {
      await this.fail('load', error, error instanceof SyntaxError);
    }
    return undefined;
  }
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
