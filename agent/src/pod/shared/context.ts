import type { PackAssets, PackContext, PackLogMethod, PackStorage } from '@stark-o/core';
import type { SupabaseClient } from '@supabase/supabase-js';
import { type Inspect, isError, textOf } from './describe-value.js';
import type { LogLevel, LogRecord, RunDescription } from './protocol.js';

/** What a context needs of the world it is made in. */
export interface ContextHost {
  log(record: LogRecord): void;
  inspect: Inspect;
  ready(): void;
  metric(name: string, value: number): void;
  storage: PackStorage;
  assets: PackAssets | undefined;
  supabase(): Promise<SupabaseClient>;
  signal: AbortSignal;
}

/** Makes what the pack sees of the platform; the same in every runtime. */
export function createContext(run: RunDescription, host: ContextHost): PackContext {
  const at =
    (level: LogLevel): PackLogMethod =>
    (message, fields) =>
      host.log({
        level,
        message: textOf(message, host.inspect),
        ...(fields !== undefined && { fields: isError(fields) ? { err: fields } : fields }),
      });
  return Object.freeze({
    pod: deepFreeze(run.pod),
    pack: deepFreeze(run.pack),
    node: deepFreeze(run.node),
    log: Object.freeze({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }),
    config: deepFreeze(run.config),
    env: deepFreeze(run.env),
    ports: deepFreeze(run.ports),
    storage: host.storage,
    ...(host.assets !== undefined && { assets: host.assets }),
    fetch: globalThis.fetch.bind(globalThis),
    supabase: () => host.supabase(),
    signal: host.signal,
    ready: () => host.ready(),
    metric: (name: string, value: number) => host.metric(name, value),
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}
