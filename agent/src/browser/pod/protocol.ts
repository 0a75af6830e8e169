import type { FromRun, RunDescription, ToRun } from '../../runtime/protocol.js';
import type { StorageRequest } from '../storage.js';

/** One line that the pod wrote: a record of `ctx.log`, or what it printed. */
export type PodLine = { record: string } | { stream: 'stdout' | 'stderr'; text: string };

/** From the agent to the pod's worker. */
export type ToPod =
  | { type: 'init'; run: RunDescription; bundle: ArrayBuffer }
  | Extract<ToRun, { type: 'stop' }>
  | { type: 'stored'; id: number; value?: unknown; error?: string }
  | { type: 'supabase'; source: string };

/** From the pod's worker to the agent. The pack could say any of these itself: they speak of this one pod only. */
export type FromPod =
  | FromRun
  | { type: 'lines'; lines: PodLine[]; dropped: number }
  | { type: 'storage'; id: number; request: StorageRequest }
  | { type: 'supabase' }
  | { type: 'exit'; code: number };

/** From the agent to the frame in which the pod's worker is, and back. */
export type ToFrame = { type: 'ping' };
export type FromFrame = { type: 'pong' } | { type: 'shows' } | { type: 'failed'; message: string };

/** From the pod's worker to its frame: a website to show. */
export interface PageToShow {
  type: 'show';
  page: string;
}
