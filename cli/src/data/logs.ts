import { setTimeout as sleep } from 'node:timers/promises';
import { isTerminal } from '@stark-o/core/model';
import { paint, printable } from '../base/terminal.js';
import type { Connection } from '../session/connection.js';
import { findPods, type PodRow } from './pods.js';

/** What `-o json` promises of a log line, one JSON object a line. */
export interface LogLine {
  pod: string;
  seq: number;
  time: string;
  stream: 'stdout' | 'stderr' | 'platform';
  level: string | null;
  message: string;
}

interface LogRow extends Omit<LogLine, 'pod'> {
  pod_id: string;
}

const columns = 'pod_id,seq,time,stream,level,message';
const page = 1000;
const followEveryMs = 700;

/** Reads the log of one pod, and goes on reading while somebody follows. */
export class LogReader {
  readonly #connection: Connection;
  readonly #pod: PodRow;
  #after = -1;

  constructor(connection: Connection, pod: PodRow) {
    this.#connection = connection;
    this.#pod = pod;
  }

  /** The last lines, oldest first; all of them without a number. */
  async *last(count: number | undefined, since: string | undefined): AsyncGenerator<LogLine[]> {
    if (count === undefined) return yield* this.#next(since);
    const client = await this.#connection.client();
    let query = client.from('pod_logs').select(columns).eq('pod_id', this.#pod.id);
    if (since !== undefined) query = query.gte('time', since);
    const rows = await this.#connection.rows<LogRow>(query.order('seq', { ascending: false }).limit(count));
    yield this.#take(rows.reverse());
  }

  /** New lines as they come, until the pod has ended and everything it said was read. */
  async *follow(signal: AbortSignal): AsyncGenerator<LogLine[]> {
    let ended = isTerminal(this.#pod.status);
    while (!signal.aborted) {
      yield* this.#next();
      if (ended) return;
      await sleep(followEveryMs, undefined, { signal }).catch(() => {});
      // Asked before the lines are read once more, so that what it said last is not missed.
      ended = await this.hasEnded();
    }
  }

  /** Whether the pod has reached its end, or is gone. */
  async hasEnded(): Promise<boolean> {
    const [pod] = await findPods(this.#connection, { names: [this.#pod.id], allowMissing: true });
    return pod === undefined || isTerminal(pod.status);
  }

  async *#next(since?: string): AsyncGenerator<LogLine[]> {
    const client = await this.#connection.client();
    while (true) {
      let query = client.from('pod_logs').select(columns).eq('pod_id', this.#pod.id).gt('seq', this.#after);
      if (since !== undefined) query = query.gte('time', since);
      const rows = await this.#connection.rows<LogRow>(query.order('seq').limit(page));
      if (rows.length > 0) yield this.#take(rows);
      if (rows.length < page) return;
    }
  }

  #take(rows: readonly LogRow[]): LogLine[] {
    this.#after = rows.at(-1)?.seq ?? this.#after;
    return rows.map(({ pod_id: _, ...row }) => ({ pod: this.#pod.name, ...row }));
  }
}

/** A log line for people: what the pod said, with its name in front when several are shown. */
export function logText(line: LogLine, options: { prefix: boolean; timestamps: boolean }): string {
  const before = [
    ...(options.prefix ? [paint(process.stdout, 'cyan', `[${line.pod}]`)] : []),
    ...(options.timestamps ? [line.time] : []),
    ...(line.stream === 'platform' ? [paint(process.stdout, 'dim', 'stark:')] : []),
    ...(line.level === 'warn' || line.level === 'error' ? [paintLevel(line.level)] : []),
  ];
  return [...before, forStream(line.message, process.stdout)].join(' ');
}

const colour = new RegExp(`(${'\u001b'}\\[[\\d;]*m)`);

/** What a pod said, as it is for a pipe; a terminal gets its colours and none of the other things escapes can do. */
export function forStream(message: string, stream: { isTTY?: boolean }): string {
  if (stream.isTTY !== true) return message;
  const parts = message.split(colour);
  const shown = parts.map((part, index) => (index % 2 === 1 ? part : printable(part))).join('');
  return parts.length > 1 ? `${shown}\u001b[0m` : shown;
}

const paintLevel = (level: 'warn' | 'error') =>
  paint(process.stdout, level === 'warn' ? 'yellow' : 'red', level.toUpperCase());
