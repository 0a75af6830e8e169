import { type FromRun, isExitCode, type RunDescription, type ToRun } from '../shared/protocol.js';

/** What a thread may touch and use; the flags are those of Node's permission model. */
export interface ThreadLimits {
  flags: string[];
  env: Record<string, string>;
  memoryMb: number;
  /** The pod's own folder. */
  dataDir: string;
}

/** From the agent to a process that runs pods as threads; `id` names one run. */
export type ToHost =
  | { type: 'launch'; id: string; limits: ThreadLimits; run: RunDescription }
  | { type: 'tell'; id: string; message: ToRun }
  | { type: 'kill'; id: string };

/** What a thread says of itself beside what every run says: its number in the system, and its memory now. */
export interface ThreadUsage {
  type: 'usage';
  thread: number | undefined;
  memoryMb: number;
}

/** From that process to the agent. Its threads share its memory: any of these may be a pack's own, for any run in there. */
export type FromHost =
  | { type: 'said'; id: string; message: FromRun | ThreadUsage }
  | { type: 'printed'; id: string; stream: 'stdout' | 'stderr'; text: string }
  | { type: 'ended'; id: string; exitCode: number; outOfMemory: boolean };

/** Whether what came over the channel is a message at all. */
export function isFromHost(message: unknown): message is FromHost {
  if (typeof message !== 'object' || message === null) return false;
  const { type, id, text, stream, exitCode, outOfMemory } = message as { [key: string]: unknown };
  if (typeof id !== 'string') return false;
  if (type === 'printed') return typeof text === 'string' && (stream === 'stdout' || stream === 'stderr');
  if (type === 'said') return true;
  return type === 'ended' && isExitCode(exitCode) && typeof outOfMemory === 'boolean';
}

export function isThreadUsage(message: unknown): message is ThreadUsage {
  if (typeof message !== 'object' || message === null) return false;
  const { type, memoryMb, thread } = message as { [key: string]: unknown };
  if (type !== 'usage' || typeof memoryMb !== 'number' || !(memoryMb >= 0)) return false;
  return thread === undefined || (Number.isSafeInteger(thread) && Number(thread) > 0);
}
