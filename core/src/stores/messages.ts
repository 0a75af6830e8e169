import type { PodLogLine } from '../model/api.js';
import type { StarkEvent } from '../model/event.js';
import type { EventBatch } from './topic-feed.js';

/** A stored line of a pod's log. */
export type LogLine = Omit<PodLogLine, 'pod_id' | 'level' | 'run'> & { level: string | null; run: number };

/** What an agent tells of a pod's log, once it was looked at. */
export interface LogMessage {
  readonly previous_seq: number;
  readonly lines: readonly LogLine[];
  readonly ending: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

const STREAMS = ['stdout', 'stderr', 'platform'] as const;
const LEVELS = ['debug', 'info', 'warn', 'error'];
const TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}(:?\d{2})?)$/;
/** More than Realtime carries in one message. */
const MAX_ITEMS = 10_000;

/**
 * A message about lines of a log, or nothing when any part of it is not what it should be: the account that runs a pod may write on its
 * topic, and can write anything there.
 */
export function readLogMessage(payload: unknown): LogMessage | undefined {
  if (!isObject(payload) || !isWhole(payload.previous_seq, -1)) return undefined;
  const { ending = false } = payload;
  if (typeof ending !== 'boolean') return undefined;
  const lines = readAll(payload.lines, payload.previous_seq, readLine);
  return lines && { previous_seq: payload.previous_seq, lines, ending };
}

/** A message about events, or nothing when any part of it is not what it should be. */
export function readEventBatch(payload: unknown): EventBatch | undefined {
  if (!isObject(payload) || !isWhole(payload.previous_seq, 0)) return undefined;
  const events = readAll(payload.events, payload.previous_seq, readEvent);
  return events && { previous_seq: payload.previous_seq, events };
}

function readLine({ seq, time, stream, level = null, message, run = 0 }: Fields): LogLine | undefined {
  if (!isWhole(seq, 0) || typeof message !== 'string' || !isWhole(run, 0)) return undefined;
  if (typeof time !== 'string' || !TIME.test(time) || Number.isNaN(Date.parse(time))) return undefined;
  const known = STREAMS.find((name) => name === stream);
  if (known === undefined) return undefined;
  if (level !== null && typeof level !== 'string') return undefined;
  // As the database keeps it.
  return { seq, time, stream: known, level: level !== null && LEVELS.includes(level) ? level : null, message, run };
}

function readEvent(event: Fields): StarkEvent | undefined {
  const { seq, kind, type, object_id, object } = event;
  if (!isWhole(seq, 0)) return undefined;
  if (typeof kind !== 'string' || typeof type !== 'string' || typeof object_id !== 'string') return undefined;
  if (!isObject(object) && !(object === null && type.endsWith('.deleted'))) return undefined;
  return event as unknown as StarkEvent;
}

/** All of a list, each numbered higher than the one before it; nothing when one of them is not. */
function readAll<Item extends { seq: number }>(
  list: unknown,
  previous: number,
  read: (fields: Fields) => Item | undefined,
): Item[] | undefined {
  if (!Array.isArray(list) || list.length > MAX_ITEMS) return undefined;
  const items: Item[] = [];
  for (const value of list) {
    const item = isObject(value) ? read(value) : undefined;
    if (item === undefined || item.seq <= (items.at(-1)?.seq ?? previous)) return undefined;
    items.push(item);
  }
  return items;
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isWhole = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least;
