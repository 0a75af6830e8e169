import { type FromRun, isExitCode, isFromRun, type RunDescription, type ToRun } from '../shared/protocol.js';

/** What a pod asks of its storage, over its channel. Values are JSON text. */
export type StorageRequest =
  | { op: 'get' | 'delete'; key: string }
  | { op: 'set'; key: string; value: string }
  | { op: 'keys'; prefix: string };

/** One line that the pod wrote: a record of `ctx.log`, or what it printed. */
export type PodLine = { record: string } | { stream: 'stdout' | 'stderr'; text: string };

/** From the agent to the pod's worker. */
export type ToPod =
  | { type: 'init'; run: RunDescription; bundle: ArrayBuffer; assets?: ArrayBuffer | undefined }
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

/** What one key of a pod's storage may have at most, and one value: more than a message of a pod carries with sense. */
const LONGEST_TEXT = 16 * 1024 * 1024;

/**
 * What a pod's worker said, if that is a message at all, whole: the pack shares the channel, and may have put anything there that can be
 * copied between threads.
 */
export function readFromPod(data: unknown): FromPod | undefined {
  if (!isObject(data)) return undefined;
  if (isFromRun(data)) return data;
  switch (data.type) {
    case 'lines':
      if (!Array.isArray(data.lines) || !data.lines.every(isPodLine) || !isCount(data.dropped)) return undefined;
      return { type: 'lines', lines: data.lines, dropped: data.dropped };
    case 'storage':
      if (!isCount(data.id) || !isStorageRequest(data.request)) return undefined;
      return { type: 'storage', id: data.id, request: data.request };
    case 'supabase':
      return { type: 'supabase' };
    case 'exit':
      return isExitCode(data.code) ? { type: 'exit', code: data.code } : undefined;
    default:
      return undefined;
  }
}

/** Likewise what its frame said. */
export function readFromFrame(data: unknown): FromFrame | undefined {
  if (!isObject(data)) return undefined;
  if (data.type === 'pong' || data.type === 'shows') return { type: data.type };
  return data.type === 'failed' && isText(data.message) ? { type: 'failed', message: data.message } : undefined;
}

function isPodLine(line: unknown): line is PodLine {
  if (!isObject(line)) return false;
  if ('record' in line) return isText(line.record);
  return (line.stream === 'stdout' || line.stream === 'stderr') && isText(line.text);
}

function isStorageRequest(request: unknown): request is StorageRequest {
  if (!isObject(request)) return false;
  const { op, key, value, prefix } = request;
  if (op === 'keys') return isText(prefix);
  if (op === 'set') return isText(key) && isText(value);
  return (op === 'get' || op === 'delete') && isText(key);
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= LONGEST_TEXT;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
