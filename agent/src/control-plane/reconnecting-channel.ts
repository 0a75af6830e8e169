import type { StarkClient } from '@stark-o/core';
import type { AgentLog, Clock } from '../reconciler/adapters.js';
import { jitteredBackoff } from '../reconciler/jitter.js';

export type Channel = ReturnType<StarkClient['channel']>;
type ChannelConfig = NonNullable<Parameters<StarkClient['channel']>[1]>['config'];

export interface ReconnectingChannelOptions {
  client: StarkClient;
  topic: string;
  clock: Clock;
  log: AgentLog;
  /** Everything but `private`, which every topic of an agent is. */
  config?: Omit<ChannelConfig, 'private'>;
  /** Adds listeners to a new channel before it is joined. */
  prepare?(channel: Channel): void;
  /** It is joined, for the first time or again. */
  opened(channel: Channel): void;
  /** It is not joined any more, or could not be. */
  lost(why: string): void;
}

const LONGEST_BACKOFF_MS = 30_000;

/** A private channel that always comes back: the client rejoins after errors, this makes a new one after a close. */
export class ReconnectingChannel {
  #channel: Channel | undefined;
  #isOpen = false;
  #closed = false;
  #closes = 0;
  #cancelReopen: (() => void) | undefined;

  constructor(private readonly options: ReconnectingChannelOptions) {
    void this.#open();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#isOpen = false;
    this.#cancelReopen?.();
    if (this.#channel !== undefined) await this.options.client.removeChannel(this.#channel);
  }

  async #open(): Promise<void> {
    const { client, topic, config, prepare } = this.options;
    // The first join would otherwise go out under the API key and be refused, and a refusal costs five seconds.
    await client.realtime.setAuth().catch(() => {});
    if (this.#closed) return;
    const channel = client.channel(topic, { config: { ...config, private: true } });
    this.#channel = channel;
    prepare?.(channel);
    channel.on('system', {}, (said: unknown) => {
      const { status, message } = (said ?? {}) as Record<string, unknown>;
      if (status === 'error') this.options.log.warn({ topic, message }, 'Realtime ends a channel of this node');
    });
    channel.subscribe((status, error) => this.#changed(channel, status, error));
  }

  #changed(channel: Channel, status: string, error?: Error): void {
    if (this.#closed || channel !== this.#channel) return;
    const { log, topic, opened, lost } = this.options;
    this.#isOpen = status === 'SUBSCRIBED';
    if (this.#isOpen) {
      log.debug({ topic }, 'the channel is open');
      this.#closes = 0;
      opened(channel);
      return;
    }
    log.warn({ topic, status, ...(error && { error: error.message }) }, 'a channel of this node is not open');
    lost(`channel ${status}`);
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
