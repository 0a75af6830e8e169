import type { CapturedLine } from '../pod/shared/log-record.js';
import type { Clock } from '../ports/clock.js';
import { storableText } from '../reconciler/storable-text.js';
import type { LogLine } from './log-line.js';
import type { PodLogs } from './pod-logs.js';

const FLUSH_EVERY_MS = 500;
const FLUSH_FOLLOWED_MS = 100;
const FLUSH_AT_LINES = 500;
/** Per pod and window, so that a flood costs its neighbours nothing. */
const WINDOW_MS = 500;
const MAX_LINES = 2_000;
const MAX_CHARACTERS = 512 * 1024;

/** Room for the line numbers of one incarnation; the next one starts above. 2^53 leaves nine million incarnations. */
const NUMBERS_PER_INCARNATION = 1_000_000_000;

interface Queue {
  lines: LogLine[];
  windowStart: number;
  /** Taken in this window. */
  taken: number;
  characters: number;
  dropped: number;
  seq: number;
  run: number;
  /** Somebody reads along until then. */
  followedUntil: number;
}

/** Gathers the lines of all pods, numbers them, and hands them on in batches. A pod that floods loses its own lines. */
export class LogCollector implements PodLogs {
  readonly #queues = new Map<string, Queue>();
  #cancel: (() => void) | undefined;
  #flushAt = 0;
  #waiting = 0;
  #base = 0;

  constructor(
    private readonly clock: Clock,
    private readonly handOn: (lines: LogLine[]) => void,
  ) {}

  /** Numbers of a later incarnation are above those of an earlier one, independent of clocks. */
  startAt(incarnation: number): void {
    this.#base = Math.max(this.#base, incarnation * NUMBERS_PER_INCARNATION);
  }

  /** What the pod prints from now on is of its run after so many restarts. */
  startRun(podId: string, run: number): void {
    this.#queueOf(podId).run = run;
  }

  /** Somebody reads this pod's log for a while: its lines are handed on sooner. */
  follow(podId: string, ms: number): void {
    const queue = this.#queueOf(podId);
    queue.followedUntil = Math.max(queue.followedUntil, this.clock.now() + ms);
  }

  isFollowed(podId: string): boolean {
    return (this.#queues.get(podId)?.followedUntil ?? 0) > this.clock.now();
  }

  /** The number of the pod's newest line. */
  lastSeq(podId: string): number {
    return this.#queues.get(podId)?.seq ?? 0;
  }

  add(podId: string, line: CapturedLine): void {
    const queue = this.#queueOf(podId);
    const now = this.clock.now();
    if (Math.abs(now - queue.windowStart) >= WINDOW_MS) {
      queue.windowStart = now;
      queue.taken = 0;
      queue.characters = 0;
    }
    if (queue.taken >= MAX_LINES || queue.characters >= MAX_CHARACTERS) {
      queue.dropped += 1;
    } else {
      queue.taken += 1;
      queue.characters += line.message.length;
      this.#append(podId, queue, line);
    }
    if (this.#waiting === FLUSH_AT_LINES) this.#schedule(0);
    else this.#schedule(queue.followedUntil > now ? FLUSH_FOLLOWED_MS : FLUSH_EVERY_MS);
  }

  dropped(podId: string, count: number): void {
    this.#queueOf(podId).dropped += count;
    this.#schedule(FLUSH_EVERY_MS);
  }

  forget(podId: string): void {
    this.flush();
    this.#queues.delete(podId);
  }

  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const batch: LogLine[] = [];
    for (const [podId, queue] of this.#queues) {
      if (queue.dropped > 0) {
        const message = `dropped ${queue.dropped} line${queue.dropped === 1 ? '' : 's'}: the pod logs faster than logs are kept`;
        queue.dropped = 0;
        this.#append(podId, queue, { stream: 'platform', level: 'warn', message });
      }
      batch.push(...queue.lines);
      queue.lines = [];
    }
    this.#waiting = 0;
    if (batch.length > 0) this.handOn(batch);
  }

  #append(podId: string, queue: Queue, line: CapturedLine): void {
    queue.seq = Math.max(queue.seq, this.#base) + 1;
    queue.lines.push({
      pod_id: podId,
      seq: queue.seq,
      time: new Date(this.clock.now()).toISOString(),
      ...line,
      message: storableText(line.message),
      run: queue.run,
    });
    this.#waiting += 1;
  }

  #schedule(ms: number): void {
    const at = this.clock.now() + ms;
    if (this.#cancel !== undefined && this.#flushAt <= at) return;
    this.#cancel?.();
    this.#flushAt = at;
    this.#cancel = this.clock.after(ms, () => {
      this.#cancel = undefined;
      this.flush();
    });
  }

  #queueOf(podId: string): Queue {
    let queue = this.#queues.get(podId);
    if (queue === undefined) {
      queue = { lines: [], windowStart: 0, taken: 0, characters: 0, dropped: 0, seq: 0, run: 0, followedUntil: 0 };
      this.#queues.set(podId, queue);
    }
    return queue;
  }
}
