import type { StarkClient } from '@stark-o/core';
import type { AgentLog, Clock } from '../reconciler/adapters.js';
import { jitteredBackoff } from '../reconciler/jitter.js';

/** Someone rang: there may be news in the database. */
export interface DoorbellListener {
  rang(why: string): void;
  /** The channel is open; what happened before it was may have been missed. */
  joined(): void;
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

type Channel = ReturnType<StarkClient['channel']>;

const COMMANDS = ['pods.start', 'pods.stop', 'sync'] as const;
const REPLICATION_READY = 'Replication connection established';
const LONGEST_BACKOFF_MS = 30_000;

/** A private channel that always comes back: the client rejoins after errors, this makes a new one after a close. */
export class RealtimeDoorbell implements Doorbell {
  #channel: Channel | undefined;
  #closed = false;
  #closes = 0;
  #cancelReopen: (() => void) | undefined;
  #firstJoin: () => void = () => {};
  readonly #joined = new Promise<void>((resolve) => {
    this.#firstJoin = resolve;
  });

  constructor(private readonly options: RealtimeDoorbellOptions) {
    void this.#open();
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

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelReopen?.();
    if (this.#channel !== undefined) await this.options.client.removeChannel(this.#channel);
  }

  async #open(): Promise<void> {
    const { client, topic, listener } = this.options;
    // The first join would otherwise go out under the API key and be refused, and a refusal costs five seconds.
    await client.realtime.setAuth().catch(() => {});
    if (this.#closed) return;
    const channel = client.channel(topic, {
      // `replication_ready` asks to be told when messages sent by the database will arrive; older servers ignore it.
      config: { private: true, broadcast: { ack: false, self: false, replication_ready: true } as object },
    });
    this.#channel = channel;
    for (const event of COMMANDS) channel.on('broadcast', { event }, () => listener.rang(event));
    channel.on('system', {}, (payload: { status?: string; message?: string }) => this.#heardSystem(payload));
    channel.subscribe((status, error) => this.#changed(channel, status, error));
  }

  #heardSystem({ status, message = '' }: { status?: string; message?: string }): void {
    if (message === REPLICATION_READY) this.options.listener.joined();
    else if (status === 'error') this.options.log.warn({ message }, 'Realtime ends the channel of this node');
  }

  #changed(channel: Channel, status: string, error?: Error): void {
    if (this.#closed || channel !== this.#channel) return;
    const { log, listener, topic } = this.options;
    if (status === 'SUBSCRIBED') {
      log.debug({ topic }, 'listening for commands');
      this.#closes = 0;
      this.#firstJoin();
      listener.joined();
      return;
    }
    log.warn({ topic, status, ...(error && { error: error.message }) }, 'the channel of this node is not open');
    listener.rang(`channel ${status}`);
    if (status === 'CLOSED') this.#reopenLater();
  }

  // The official client never rejoins after `phx_close`.
  #reopenLater(): void {
    const { clock } = this.options;
    this.#cancelReopen?.();
    this.#cancelReopen = clock.after(jitteredBackoff(clock, this.#closes, LONGEST_BACKOFF_MS), () => void this.#open());
    this.#closes += 1;
  }
}
