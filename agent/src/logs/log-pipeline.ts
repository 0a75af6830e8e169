import { CALL_LIMITS } from '@stark-o/core';
import type { BroadcastMessage } from '../control-plane/control-plane.js';
import type { Outbox } from '../outbox/outbox.js';
import { type Delivery, OutboxRelay } from '../outbox/outbox-relay.js';
import type { CapturedLine } from '../pod/shared/log-record.js';
import type { AgentLog } from '../ports/agent-log.js';
import type { Clock } from '../ports/clock.js';
import { LiveLines } from './live-lines.js';
import { LogCollector } from './log-collector.js';
import type { LogLine } from './log-line.js';
import type { PodLogs } from './pod-logs.js';

/** The way out of the node: to the cluster that stores lines, and to those who follow them. */
export interface LogUplink {
  /** The incarnation under which lines are captured now. */
  incarnation(): number;
  /** Has lines of one incarnation stored. */
  store(lines: readonly LogLine[], madeUnder: number): Promise<Delivery>;
  /** Tells those who listen; what is lost is not told again. */
  broadcast(messages: readonly BroadcastMessage[]): Promise<void>;
}

export interface LogPipelineOptions {
  outbox: Outbox<LogLine>;
  clock: Clock;
  log: AgentLog;
  /** Told of all lines, before they are stored. */
  onLines?: (lines: readonly LogLine[]) => void;
}

const LINES_PER_CALL = 500;
/** A quarter of what a call takes: Postgres counts a line's escaped characters anew. */
const LINE_BYTES_PER_CALL = CALL_LIMITS.logBytes / 4;
/** How long a pod's end may wait for its last lines; then it is reported without them. */
const LAST_LINES_MS = 2_000;
/** A follower says again that it is there long before. */
const LONGEST_FOLLOW_S = 300;

/**
 * A line's way from a pod to the cluster: the collector numbers it, the outbox keeps it, the relay has it stored, and once
 * it is stored, those who follow the pod are told.
 */
export class LogPipeline implements PodLogs {
  readonly #collector: LogCollector;
  readonly #outbox: Outbox<LogLine>;
  readonly #relay: OutboxRelay<LogLine>;
  readonly #live: LiveLines;
  #uplink: LogUplink = NOWHERE;

  constructor({ outbox, clock, log, onLines }: LogPipelineOptions) {
    this.#collector = new LogCollector(clock, (lines) => {
      this.#outbox.add(this.#uplink.incarnation(), lines);
      this.#relay.requestDelivery();
      onLines?.(lines);
    });
    this.#outbox = outbox;
    this.#outbox.onDrop = (line) => this.#collector.dropped(line.pod_id, 1);
    this.#relay = new OutboxRelay({
      ...{ name: 'log lines', outbox, clock, log },
      batchSize: LINES_PER_CALL,
      batchBytes: LINE_BYTES_PER_CALL,
      deliver: async (lines, madeUnder) => {
        const delivery = await this.#uplink.store(lines, madeUnder);
        if (delivery.outcome === 'delivered') {
          this.#live.tell(lines.filter((line) => this.#collector.isFollowed(line.pod_id)));
        }
        return delivery;
      },
    });
    this.#live = new LiveLines(clock, log, (messages) => this.#uplink.broadcast(messages));
  }

  /** How many lines wait to be stored. */
  get size(): number {
    return this.#outbox.size;
  }

  /** From now on lines go this way. */
  connect(uplink: LogUplink): void {
    this.#uplink = uplink;
  }

  add(podId: string, line: CapturedLine): void {
    this.#collector.add(podId, line);
  }

  dropped(podId: string, count: number): void {
    this.#collector.dropped(podId, count);
  }

  forget(podId: string): void {
    this.#collector.forget(podId);
  }

  /** Numbers of a later incarnation are above those of an earlier one. */
  startAt(incarnation: number): void {
    this.#collector.startAt(incarnation);
  }

  /** What the pod prints from now on is of its run after so many restarts. */
  startRun(podId: string, restarts: number): void {
    this.#collector.startRun(podId, restarts);
  }

  /** Somebody reads this pod's log for a while, on this topic. */
  follow(podId: string, seconds: number, topic: unknown): void {
    this.#live.address(podId, topic);
    const known = this.#collector.isFollowed(podId);
    this.#collector.follow(podId, Math.min(seconds, LONGEST_FOLLOW_S) * 1000);
    // What was stored before anybody was told stands in the database; a new follower looks there once more.
    if (!known) this.#live.begin(podId, this.#collector.lastSeq(podId));
  }

  /** The number of the pod's newest line. */
  lastSeq(podId: string): number {
    return this.#collector.lastSeq(podId);
  }

  /** Hands on what was captured without waiting for more. */
  flush(): void {
    this.#collector.flush();
  }

  /**
   * Has the last lines of these pods stored, and tells their followers that there are no more. Resolves when that is done, or has
   * taken too long.
   */
  async finish(podIds: readonly string[]): Promise<void> {
    this.flush();
    await this.#relay.delivered(podIds, LAST_LINES_MS);
    const followed = podIds.filter((podId) => this.#collector.isFollowed(podId));
    if (followed.length > 0) await this.#live.end(followed.map((podId) => [podId, this.lastSeq(podId)]));
  }

  /** The cluster is there, maybe again: lines that wait are delivered now. */
  wake(): void {
    this.#relay.wake();
  }

  /** Resolves true when everything is stored, false when the time is over first. */
  drain(deadlineMs: number): Promise<boolean> {
    return this.#relay.drain(deadlineMs);
  }

  /** Delivers nothing more; what waits stays in the outbox. */
  stop(): void {
    this.#relay.stop();
  }

  async close(): Promise<void> {
    await this.#outbox.close();
  }
}

/** Before there is an agent: nothing is lost, nothing is told. */
const NOWHERE: LogUplink = {
  incarnation: () => 0,
  store: async () => ({ outcome: 'later', error: new Error('the agent has not begun') }),
  broadcast: async () => {},
};
