import type { ReconnectingChannel, StarkClient } from '@stark-o/core';
import type { AgentLog } from '../ports/agent-log.js';
import type { Clock } from '../ports/clock.js';
import { openChannel } from './open-channel.js';

/** Told when there may be news in the database. */
export interface CommandListener {
  notified(why: string): void;
  /** The channel is open; what happened before it was may have been missed. */
  joined(): void;
  /** Somebody follows the log of a pod for so many seconds. */
  followed(request: { pod_id?: unknown; seconds?: unknown; topic?: unknown }): void;
}

/** The node's topic on Realtime. What comes over it is a hint, never the truth. */
export interface CommandChannel {
  /** Resolves when the channel is joined for the first time, at the latest after `ms`. */
  joined(ms: number): Promise<boolean>;
  close(): Promise<void>;
}

export interface RealtimeCommandChannelOptions {
  client: StarkClient;
  topic: string;
  clock: Clock;
  log: AgentLog;
  listener: CommandListener;
}

const COMMANDS = ['pods.start', 'pods.stop', 'sync', 'node.removed'] as const;

/** Listens to the node's topic, and notifies whenever a command comes, or may have been missed. */
export class RealtimeCommandChannel implements CommandChannel {
  readonly #channel: ReconnectingChannel;
  #firstJoin: () => void = () => {};
  readonly #joined = new Promise<void>((resolve) => {
    this.#firstJoin = resolve;
  });

  constructor(private readonly options: RealtimeCommandChannelOptions) {
    const { client, topic, clock, log, listener } = options;
    const notify = (event: string) => [event, () => listener.notified(event)] as const;
    this.#channel = openChannel({
      client,
      topic,
      clock,
      log,
      // `replication_ready` asks to be told when messages sent by the database will arrive; older servers ignore it.
      config: { broadcast: { ack: false, self: false, replication_ready: true } },
      broadcasts: {
        ...Object.fromEntries(COMMANDS.map(notify)),
        'logs.follow': (payload) => listener.followed((payload ?? {}) as Record<string, unknown>),
      },
      joined: () => {
        this.#firstJoin();
        listener.joined();
      },
      lost: (why) => listener.notified(why),
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
}
