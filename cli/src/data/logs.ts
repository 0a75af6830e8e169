import type { LogLine as StoredLine } from '@stark-o/core';
import { StarkError } from '@stark-o/core/errors';
import { mayHaveMore, PAGE_ROWS } from '@stark-o/core/model';
import type { PodRow } from '@stark-o/core/resources';
import { paint, printable } from '../base/terminal.js';
import type { Connection } from '../session/connection.js';

/** What `-o json` promises of a log line, one JSON object a line. */
export interface LogLine extends StoredLine {
  pod: string;
}

/** Which lines of a log are wanted. */
export interface LogSelection {
  /** Only so many of the last. */
  tail?: number | undefined;
  /** Only those from this time on. */
  since?: string | undefined;
  /** Only those of the run before the last restart. */
  previous?: boolean | undefined;
}

const columns = 'seq,time,stream,level,message,run';

/** Reads the log of one pod, and goes on reading while somebody follows. */
export class LogReader {
  readonly #connection: Connection;
  readonly #pod: PodRow;
  #after = -1;

  constructor(connection: Connection, pod: PodRow) {
    this.#connection = connection;
    this.#pod = pod;
  }

  /** The lines that are there, oldest first. */
  async *stored({ tail, since, previous }: LogSelection): AsyncGenerator<LogLine[]> {
    const run = previous ? previousRun(this.#pod) : undefined;
    const client = await this.#connection.client();
    const all = () => client.from('pod_logs').select(columns).eq('pod_id', this.#pod.id);
    const query = () => {
      let lines = all();
      if (since !== undefined) lines = lines.gte('time', since);
      if (run !== undefined) lines = lines.eq('run', run);
      return lines;
    };
    const last = async (lines: ReturnType<typeof all>, skip = 0) => {
      const newestFirst = lines.order('seq', { ascending: false }).range(skip, skip);
      return (await this.#connection.rows<StoredLine>(newestFirst))[0]?.seq;
    };
    const narrowed = tail !== undefined || since !== undefined;
    // A follower has said how much of the earlier log to show, so no note says that more is there.
    if (narrowed) this.#after = (await last(all())) ?? -1;
    let after = -1;
    if (tail === 0) return;
    if (tail !== undefined) after = ((await last(query(), tail - 1)) ?? 0) - 1;
    while (true) {
      const rows = await this.#connection.rows<StoredLine>(query().gt('seq', after).order('seq').limit(PAGE_ROWS));
      after = rows.at(-1)?.seq ?? after;
      if (rows.length > 0) yield this.#take(rows);
      if (!mayHaveMore(rows.length)) return;
    }
  }

  /** Hands over new lines as they come, until the pod has ended and everything it said was read. */
  async follow(signal: AbortSignal, print: (lines: LogLine[]) => void): Promise<void> {
    const [{ LogFollower }, client] = await Promise.all([import('@stark-o/core'), this.#connection.starkClient()]);
    if (signal.aborted) return;
    const follower = new LogFollower(client, {
      podId: this.#pod.id,
      after: this.#after,
      onLines: (lines) => print(this.#take(lines)),
    });
    const stop = () => void follower.close();
    signal.addEventListener('abort', stop, { once: true });
    await follower.done.finally(() => signal.removeEventListener('abort', stop));
  }

  #take(lines: readonly StoredLine[]): LogLine[] {
    this.#after = Math.max(this.#after, lines.at(-1)?.seq ?? -1);
    return lines.map((line) => ({ pod: this.#pod.name, ...line }));
  }
}

// While it waits to be started again, the run that crashed is the previous one.
function previousRun({ name, restarts, status_reason }: PodRow): number {
  const run = status_reason === 'CrashLoopBackOff' ? restarts : restarts - 1;
  if (run >= 0) return run;
  throw new StarkError(`pod ${name} was never restarted: there is no previous run`, {
    code: 'NO_PREVIOUS_RUN',
    hint: `stark pod logs ${name}`,
  });
}

/** A log line for people: what the pod said, with its name in front when several are shown. */
export function logText(line: LogLine, options: { prefix: boolean; timestamps: boolean }): string {
  const before = [
    ...(options.prefix ? [paint(process.stdout, 'cyan', `[${printable(line.pod)}]`)] : []),
    ...(options.timestamps ? [printable(line.time)] : []),
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
