import { call } from '../client/call.js';
import type { StarkClient } from '../client/client.js';
import { LISTENER, ReconnectingChannel } from '../client/reconnecting-channel.js';
import { toStarkError } from '../errors/to-stark-error.js';
import type { LogFollowing } from '../model/api.js';
import { isTerminal } from '../model/pod-status.js';
import { type LogLine, readLogMessage } from './messages.js';
import { TopicFeed } from './topic-feed.js';

export interface LogFollowerOptions {
  podId: string;
  /** Number of the newest line that is known already. */
  after: number;
  /** Called with the lines that follow, in order, each once. */
  onLines(lines: readonly LogLine[]): void;
  /** How often to look without being told: while the live connection stands, and while it does not. */
  pollEveryMs?: { live: number; apart: number };
}

// Well before the agent forgets the follower, after 45 seconds.
const POLL_EVERY_MS = { live: 15_000, apart: 1_000 } as const;
// The agent says that the pod is about to end before the database knows it.
const ENDING_MS = [50, 100, 200, 400, 800, 1_600, 3_200] as const;
/** An agent does not hold back an end for all of a long log: without word that a line was the last, it is silence. */
const SILENCE_MS = 3_000;
const COLUMNS = 'seq,time,stream,level,message,run';

/**
 * Follows the log of one pod. Its agent tells of new lines once they are stored, so whatever this misses stands in the
 * database: a number that does not follow makes it look there, and so do its own clock and every new connection.
 */
export class LogFollower {
  /** Resolves when the pod has ended, or is gone, and its last line was passed on; rejects when the log may not be read. */
  readonly done: Promise<void>;
  readonly #feed: TopicFeed<LogLine>;
  readonly #channel: ReconnectingChannel;
  #finish: (error?: unknown) => void = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #live = false;
  #ending: readonly number[] = [];
  /** Number of the last line, once the agent has said that the pod is about to end. */
  #lastSeq = Number.POSITIVE_INFINITY;
  #heardAt = Number.NEGATIVE_INFINITY;
  #wasRunning = false;
  #topic: string | undefined;
  #asking: Promise<LogFollowing> | undefined;
  #closed = false;

  constructor(
    private readonly client: StarkClient,
    private readonly options: LogFollowerOptions,
  ) {
    const { podId, after, onLines } = options;
    this.done = new Promise((resolve, reject) => {
      this.#finish = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.done.catch(() => {});
    this.#feed = new TopicFeed<LogLine>(
      { after: (seq, limit) => this.#linesAfter(seq, limit) },
      {
        apply: (lines) => {
          this.#heardAt = performance.now();
          if (!this.#closed) onLines(lines);
        },
      },
      after,
    );
    this.#channel = new ReconnectingChannel(client, `stark:pod:${podId}`, {
      config: LISTENER,
      broadcasts: { lines: (payload) => this.#hear(payload) },
      where: () => (this.#topic === undefined ? this.#ask().then(({ topic }) => topic) : Promise.resolve(this.#topic)),
      onJoined: () => {
        this.#live = true;
        this.#poll();
      },
      onLost: () => this.#lost(),
      // The log can be read without being told of it.
      onRefused: () => this.#lost(),
    });
    this.#poll();
    this.#channel.open().catch(() => this.#lost());
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#finish();
    await this.#channel.close();
  }

  #hear(payload: unknown): void {
    const message = readLogMessage(payload);
    if (message === undefined) return;
    const { previous_seq, lines, ending } = message;
    const complete = this.#feed.receive({ previous_seq, events: lines });
    if (ending) {
      this.#ending = ENDING_MS;
      this.#lastSeq = Math.max(previous_seq, lines.at(-1)?.seq ?? 0);
      this.#heardAt = performance.now();
      this.#poll();
    } else if (!complete) this.#feed.sync().catch(() => this.#poll());
  }

  #lost(): void {
    if (!this.#live) return;
    this.#live = false;
    this.#poll();
  }

  // Calls while one is under way become one more.
  #poll(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#looking ??= this.#lookAll().finally(() => {
      this.#looking = undefined;
      if (this.#again) this.#poll();
    });
  }

  async #lookAll(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        // Asked before the lines are read, so that nothing the pod said last is missed.
        const ended = await this.#hasEnded();
        await this.#feed.sync();
        if (ended && this.#wasRunning) this.#heardAt = performance.now();
        this.#wasRunning = !ended;
        if (ended && this.#isComplete()) return void this.close();
        if (ended) this.#ending = [SILENCE_MS / 6];
      }
    } catch (error) {
      const { status, code } = toStarkError(error);
      if (status === 403 || code === 'NOT_SIGNED_IN') {
        this.#finish(error);
        return void this.close();
      }
    }
    const [next, ...later] = this.#ending;
    this.#ending = later;
    const { live, apart } = this.options.pollEveryMs ?? POLL_EVERY_MS;
    if (!this.#closed) this.#timer = setTimeout(() => this.#poll(), next ?? (this.#live ? live : apart));
  }

  #isComplete(): boolean {
    return (this.#feed.last ?? 0) >= this.#lastSeq || performance.now() - this.#heardAt >= SILENCE_MS;
  }

  async #hasEnded(): Promise<boolean> {
    try {
      const { status } = await this.#ask();
      return isTerminal(status);
    } catch (error) {
      if (toStarkError(error).code === 'POD_NOT_FOUND') return true;
      throw error;
    }
  }

  // Says that somebody follows, and is told under which name and whether the pod has ended.
  #ask(): Promise<LogFollowing> {
    this.#asking ??= call(this.client, 'follow_logs', { p_pod_id: this.options.podId })
      .then((answer) => {
        this.#topic = answer.topic;
        void this.#channel.relocate();
        return answer;
      })
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  async #linesAfter(seq: number, limit: number): Promise<LogLine[]> {
    const { data, error, status } = await this.client
      .from('pod_logs')
      .select(COLUMNS)
      .eq('pod_id', this.options.podId)
      .gt('seq', seq)
      .order('seq')
      .limit(limit);
    if (error) throw toStarkError(error, { status });
    return data as LogLine[];
  }
}
