import type { StarkClient } from '@stark-o/core';
import type { AgentLog, Clock } from '../reconciler/adapters.js';
import { type Channel, LastingChannel } from './lasting-channel.js';

/** Someone rang: there may be news in the database. */
export interface DoorbellListener {
  rang(why: string): void;
  /** The channel is open; what happened before it was may have been missed. */
  joined(): void;
  /** Somebody follows the log of a pod for so many seconds. */
  followed(request: { pod_id?: unknown; seconds?: unknown }): void;
}

/** The node's topic on Realtime. What comes over it is a hint, never the truth. */
export interface Doorbell {
  /** Resolves when the channel is joined for the first time, at the latest after `ms`. */
  joined(ms: number): Promise<boolean>;
  close(): Promise<void>;
}

export interface RealtimeDoorbellOptions {
  client: StarkClient;
  topic: string;
  clock: Clock;
  log: AgentLog;
  listener: DoorbellListener;
}

const COMMANDS = ['pods.start', 'pods.stop', 'sync', 'node.removed'] as const;
const REPLICATION_READY = 'Replication connection established';

/** Listens to the node's topic, and rings whenever something comes, or may have been missed. */
export class RealtimeDoorbell implements Doorbell {
  readonly #channel: LastingChannel;
  #firstJoin: () => void = () => {};
  readonly #joined = new Promise<void>((resolve) => {
    this.#firstJoin = resolve;
  });

  constructor(private readonly options: RealtimeDoorbellOptions) {
    const { client, topic, clock, log, listener } = options;
    this.#channel = new LastingChannel({
      client,
      topic,
      clock,
      log,
      // `replication_ready` asks to be told when messages sent by the database will arrive; older servers ignore it.
      config: { broadcast: { ack: false, self: false, replication_ready: true } as object },
      prepare: (channel) => this.#listen(channel),
      opened: () => {
        this.#firstJoin();
        listener.joined();
      },
      lost: (why) => listener.rang(why),
    });
  }

  async joined(ms: number): Promise<boolean> {
    let cancel = () => {};
    const late = new Promise<boolean>((resolve) => {
      cancel = this.options.clock.after(ms, () => resolve(false));
    });
    const inTime = await Promise.race([this.#joined.then(() => true), late]);
    cancel();
    return inTime;
  }

  close(): Promise<void> {
    return this.#channel.close();
  }

  #listen(channel: Channel): void {
    const { listener } = this.options;
    for (const event of COMMANDS) channel.on('broadcast', { event }, () => listener.rang(event));
    channel.on('broadcast', { event: 'logs.follow' }, (said) => {
      listener.followed((said?.payload ?? {}) as Record<string, unknown>);
    });
    channel.on('system', {}, (said: unknown) => {
      if ((said as { message?: unknown } | null)?.message === REPLICATION_READY) listener.joined();
    });
  }
}
