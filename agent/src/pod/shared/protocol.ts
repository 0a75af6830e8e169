import type { JsonObject } from '@stark-o/core';
import { isMetrics, type Metrics } from './metrics.js';
import type { ProjectAddress } from './supabase.js';

/** What a run is given once, before anything of the pack is loaded. */
export interface RunDescription {
  pod: { id: string; name: string; namespace: string; labels: Record<string, string> };
  pack: { name: string; version: string };
  node: { name: string };
  config: JsonObject;
  env: Record<string, string>;
  ports: Record<string, number>;
  project: ProjectAddress;
  /** Address of the bundle, as `import()` takes it. */
  bundle: string;
  /** The folder that the pack's assets are in, where there are folders. */
  assets?: string;
  /** The export to call. */
  entry: string;
}

/** From the agent to the run. */
export type ToRun = { type: 'init'; run: RunDescription } | { type: 'stop' };

/**
 * From the run to the agent. The pack shares the channel and could say any of these itself; they therefore never mean
 * more than something about this one pod.
 */
export type FromRun =
  | { type: 'started' }
  | { type: 'ready' }
  | { type: 'metrics'; values: Metrics }
  | { type: 'failed'; phase: 'load' | 'run'; message: string; permanent: boolean };

/** More than the runtime says of an error. */
const LONGEST_MESSAGE = 1_000;

/** Whether what came over the channel is a message at all, whole: the pack could have written anything. */
export function isFromRun(message: unknown): message is FromRun {
  if (typeof message !== 'object' || message === null) return false;
  const { type, phase, message: text, permanent, values } = message as { [key: string]: unknown };
  if (type === 'started' || type === 'ready') return true;
  if (type === 'metrics') return isMetrics(values);
  return (
    type === 'failed' &&
    (phase === 'load' || phase === 'run') &&
    typeof text === 'string' &&
    text.length <= LONGEST_MESSAGE &&
    typeof permanent === 'boolean'
  );
}

/** Whether a system could have said it. */
export function isExitCode(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255;
}

/** Starts a line of standard output that is a record of `ctx.log` and not something the pack printed. */
export const LOG_MARK = '\u001e';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One record of `ctx.log`. */
export interface LogRecord {
  level: LogLevel;
  message: string;
  fields?: Record<string, unknown>;
}
