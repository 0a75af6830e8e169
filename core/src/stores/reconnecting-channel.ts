import type { StarkClient } from '../client/client.js';
import { StarkError } from '../errors/stark-error.js';

type Channel = ReturnType<StarkClient['channel']>;

export interface ReconnectingChannelOptions {
  /** Event name of the broadcasts to listen to. */
  event: string;
  onBroadcast(payload: unknown): void;
  /** The topic is joined, for the first time or again: anything may have been missed before. */
  onJoined(): void;
  /** The topic is not joined any more, and being joined again. */
  onLost(reason: string): void;
  /** The server refused the join: the caller lacks the right, or lost it. */
  onRefused(error: StarkError): void;
  /** Waiting times between attempts to come back; the last one repeats. */
  retryMs?: readonly number[];
}

const RETRY_MS = [1_000, 2_000, 5_000, 10_000] as const;
// A refused join holds up the whole socket for five seconds, so asking again is rare.
const REFUSED_RETRY_MS = 30_000;
const REFUSAL = /^(Unauthorized|PrivateOnly|TopicNameRequired|InvalidJWTToken|MalformedJWT|JwtSignatureError)\b/;

/**
 * One private topic, joined for as long as it is open. The client comes back by itself after a lost socket, but never
 * after the server closed a channel, and keeps asking for ever where it was refused: both are taken over here.
 */
export class ReconnectingChannel {
  #channel: Channel | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #closed = false;
  #reason = '';

  constructor(
    private readonly client: StarkClient,
    private readonly topic: string,
    private readonly options: ReconnectingChannelOptions,
  ) {}

  /** Joins. Throws when this client has the topic open already: a second channel would take over the first one's. */
  async open(): Promise<void> {
    if (this.client.getChannels().some(({ topic }) => topic === `realtime:${this.topic}`)) {
      throw new StarkError(`${this.topic} is being watched already by this client`, { code: 'ALREADY_WATCHED' });
    }
    await this.#join();
  }

  /** Leaves, for good. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#drop();
  }

  async #join(): Promise<void> {
    // Without an argument: Realtime takes the session's current token now, and asks again at each heartbeat. It is also
    // the only way to have a token in the first join.
    await this.client.realtime.setAuth();
    if (this.#closed) return;
    // `replication_ready` is newer than the client's types: the server says when its database feed stands.
    const broadcast = { self: false, ack: false, replication_ready: true };
    const channel = this.client.channel(this.topic, { config: { private: true, broadcast } });
    this.#channel = channel;
    channel
      .on('broadcast', { event: this.options.event }, ({ payload }) => {
        if (channel === this.#channel) this.options.onBroadcast(payload);
      })
      .on('system', {}, (message) => {
        if (channel === this.#channel) this.#hear(message);
      })
      .subscribe((status, error) => {
        // What a channel says after it was replaced is about nothing.
        if (channel === this.#channel) this.#follow(status, error);
      });
  }

  #hear(said: unknown): void {
    const { extension, status, message } = (said ?? {}) as Record<string, unknown>;
    if (extension !== 'system') return;
    // The reason comes before the close, in a message of its own.
    if (status === 'error') this.#reason = typeof message === 'string' ? message : '';
    else if (message === 'Replication connection established') this.options.onJoined();
  }

  #follow(status: string, error: Error | undefined): void {
    switch (status) {
      case 'SUBSCRIBED':
        this.#attempt = 0;
        this.#reason = '';
        this.options.onJoined();
        break;
      case 'CLOSED':
        this.#lost(this.#reason || 'closed by the server');
        this.#channel = undefined;
        this.#rejoinAfter(this.#nextDelay());
        break;
      case 'CHANNEL_ERROR':
        if (error && REFUSAL.test(error.message)) void this.#refused(error.message);
        else this.#lost(error?.message ?? 'connection lost');
        break;
      default:
        this.#lost('no answer to the join');
    }
  }

  #lost(reason: string): void {
    if (!this.#closed) this.options.onLost(reason);
  }

  async #refused(message: string): Promise<void> {
    await this.#drop();
    if (this.#closed) return;
    this.#rejoinAfter(REFUSED_RETRY_MS);
    const code = /^(InvalidJWTToken|MalformedJWT|JwtSignatureError)/.test(message) ? 'NOT_SIGNED_IN' : 'FORBIDDEN';
    const hint = code === 'NOT_SIGNED_IN' ? 'stark auth login' : 'stark auth whoami';
    const status = code === 'NOT_SIGNED_IN' ? 401 : 403;
    this.options.onRefused(new StarkError(`watching ${this.topic} was refused: ${message}`, { code, status, hint }));
  }

  #rejoinAfter(ms: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#join().catch((error: Error) => {
        this.#lost(error.message);
        this.#rejoinAfter(this.#nextDelay());
      });
    }, ms);
  }

  #nextDelay(): number {
    const delays = this.options.retryMs ?? RETRY_MS;
    return delays[Math.min(this.#attempt++, delays.length - 1)] ?? 1_000;
  }

  async #drop(): Promise<void> {
    const channel = this.#channel;
    this.#channel = undefined;
    if (channel) await this.client.removeChannel(channel);
  }
}
