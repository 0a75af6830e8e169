import type { PackAssets, PackStorage } from '@stark-o/core';
import type { SupabaseClient } from '@supabase/supabase-js';
import { createContext } from './context.js';
import { headline, type Inspect, textOf } from './describe-value.js';
import { recordText } from './log-record.js';
import { PackMetrics } from './metrics.js';
import type { FromRun, RunDescription } from './protocol.js';

/** The world a run finds itself in: a process, a thread, a worker of a browser. */
export interface RunHost {
  load(bundle: string): Promise<Record<string, unknown>>;
  /** Takes one record of the pod's log, as text. */
  write(record: string): void;
  /** How this world's console shows a value. */
  inspect: Inspect;
  /** Resolves when the message is on its way. */
  tell(message: FromRun): Promise<void>;
  storage: PackStorage;
  /** Where the pack's assets are; asked for once the bundle is loaded. */
  assets(): PackAssets | undefined;
  supabase(): Promise<SupabaseClient>;
  signal: AbortSignal;
  /** Called when the pack has returned, before the run ends. */
  returned?(): Promise<void>;
  /** Ends the run; without a code by the one that the pack has set, which is else 0. */
  leave(exitCode?: number): void;
}

/** A message that is not on its way by then never will be: the pack may have broken what carries it. */
const TELL_MS = 2_000;

/** One run of a pack from its loading to its end; the same in every runtime. */
export class PackRun {
  #failed = false;
  readonly #later = setTimeout.bind(globalThis);

  constructor(
    private readonly description: RunDescription,
    private readonly host: RunHost,
  ) {}

  async run(): Promise<void> {
    const { description, host } = this;
    const pack = await this.#load();
    if (pack === undefined) return;
    const metrics = new PackMetrics((values) => void host.tell({ type: 'metrics', values }));
    const context = createContext(description, {
      log: (record) => host.write(recordText(record)),
      inspect: host.inspect,
      ready: () => void host.tell({ type: 'ready' }),
      metric: (name, value) => metrics.set(name, value),
      storage: host.storage,
      assets: host.assets(),
      supabase: () => host.supabase(),
      signal: host.signal,
    });
    await host.tell({ type: 'started' });
    try {
      // A pack that is asked to end before it begins would wait for a signal that it has missed, until its grace period is over.
      if (!host.signal.aborted) await pack(context);
      // What it has asked for the next tick still happens: a warning, an error, a promise that it forgot and that is rejected.
      await new Promise((resolve) => this.#later(resolve, 0));
      if (!this.#failed) await host.returned?.();
    } catch (error) {
      return this.fail('run', error);
    }
    if (!this.#failed) host.leave();
  }

  /**
   * Ends the run because of an error that nobody caught. What it calls may be the pack's: a stack that throws, a stream that was
   * replaced. Whatever becomes of the words, the run ends, and it fails once.
   */
  async fail(phase: 'load' | 'run', error: unknown, permanent = false): Promise<void> {
    if (this.#failed) return;
    this.#failed = true;
    const { host } = this;
    try {
      const message = headline(error, host.inspect);
      // Told first: a log that is stuck must not cost the reason.
      const told = host.tell({ type: 'failed', phase, message, permanent });
      host.write(recordText({ level: 'error', message: textOf(error, host.inspect) }));
      await Promise.race([told, new Promise((resolve) => this.#later(resolve, TELL_MS))]);
    } catch {
      // There is nobody left to tell.
    } finally {
      host.leave(1);
    }
  }

  async #load(): Promise<((context: unknown) => unknown) | undefined> {
    const { bundle, entry } = this.description;
    try {
      const module = await this.host.load(bundle);
      const found = entryOf(module, entry);
      if (typeof found === 'function') return found as (context: unknown) => unknown;
      await this.fail('load', `the bundle's export "${entry}" is ${typeName(found)}, not a function`, true);
    } catch (error) {
      await this.fail('load', error, error instanceof SyntaxError);
    }
    return undefined;
  }
}

/** What a module exports under that name. What was CommonJS has its exports, and those of a compiler in them, in `default`. */
function entryOf(module: Record<string, unknown>, entry: string): unknown {
  let first: unknown;
  let place: unknown = module;
  for (let depth = 0; depth < 3; depth++) {
    const { [entry]: found, default: below } = (place ?? {}) as Record<string, unknown>;
    if (typeof found === 'function') return found;
    first ??= found;
    place = below;
  }
  const exported = module['module.exports'];
  return typeof exported === 'function' && entry === 'default' ? exported : first;
}

function typeName(value: unknown): string {
  if (value === undefined) return 'missing';
  return value === null ? 'null' : `of type ${typeof value}`;
}
