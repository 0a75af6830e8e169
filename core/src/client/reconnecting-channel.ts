import { StarkError } from '../errors/stark-error.js';
import { toStarkError } from '../errors/to-stark-error.js';
import { type BackoffTimes, backoffMs } from '../model/backoff.js';
import type { StarkClient } from './client.js';

/** A channel of supabase-js. */
export type Channel = ReturnType<StarkClient['channel']>;
type ChannelConfig = NonNullable<Parameters<StarkClient['channel']>[1]>['config'];

export interface ReconnectingChannelOptions {
  /** Everything but `private`, which every topic of Stark is. */
  config?: Omit<ChannelConfig, 'private'>;
  /** Asks under which name the topic is heard now: that changes when somebody loses the right to hear it. Default: its own name. */
  where?(): Promise<string>;
  /** What to do with the payload of a broadcast, by its event. */
  broadcasts?: Readonly<Record<string, (payload: unknown) => void>>;
  /** The topic is joined, for the first time or again, or the database feed stands: anything may have been missed before. */
  onJoined(channel: Channel): void;
  /** The topic is not joined any more, and being joined again; `status` as the client names it. */
  onLost(reason: string, status: string): void;
  /** The server refused the join: the caller lacks the right, or lost it. Without this it counts as lost, and the client asks again. */
  onRefused?(error: StarkError): void;
  /** Why the server is about to end the channel. */
  onSystemError?(message: string): void;
  /** How long to wait before an attempt to come back; the first is number 0. */
  retryAfterMs?(attempt: number): number;
  /** Calls back once after `ms`; the answer cancels it. Default: setTimeout. */
  after?(ms: number, callback: () => void): () => void;
}

/** Waiting times before attempts to come back. */
export const RETRY: BackoffTimes = { firstMs: 1_000, longestMs: 10_000 };
// A refused join holds up the whole socket for five seconds, so asking again is rare.
const REFUSED_RETRY_MS = 30_000;
const REFUSAL = /^(Unauthorized|PrivateOnly|TopicNameRequired|InvalidJWTToken|MalformedJWT|JwtSignatureError)\b/;
const REPLICATION_READY = 'Replication connection established';

/** The config of a channel that only listens. `replication_ready` is newer than the client's types: the server says when its database feed stands. */
export const LISTENER = {
  broadcast: { self: false, ack: false, replication_ready: true } as { self: boolean; ack: boolean },
};

/**
 * One private topic, joined for as long as it is open. The client comes back by itself after a lost socket, but never
 * after the server closed a channel, and keeps asking for ever where it was refused: both are taken over here.
 */
export class ReconnectingChannel {
  #channel: Channel | undefined;
  #cancelRejoin: (() => void) | undefined;
  #attempt = 0;
  #isOpen = false;
  #closed = false;
  #reason = '';
  #name: string;

  constructor(
    private readonly client: StarkClient,
    /** What messages call it. */
    private readonly topic: string,
    private readonly options: ReconnectingChannelOptions,
  ) {
    this.#name = topic;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Joins. Throws when this client has the topic open already: a second channel would take over the first one's. */
  async open(): Promise<void> {
    const name = await this.#whereNow();
    if (this.client.getChannels().some(({ topic }) => topic === `realtime:${name}`)) {
      throw new StarkError(`${this.topic} is being watched already by this client`, { code: 'ALREADY_WATCHED' });
    }
    await this.#join(name);
  }

  /** Joins, and tries again until it can. */
  start(): void {
    this.#join().catch((error: unknown) => this.#failed(error));
  }

  /** Goes to where the topic is now, when it has moved since it was joined. */
  async relocate(): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined || this.#closed) return;
    let name: string;
    try {
      name = await this.#whereNow();
    } catch (thrown) {
      const error = toStarkError(thrown);
      // A caller that has lost the right leaves; after any other failure it asks again later.
      if (error.status === 403 && channel === this.#channel) await this.#leave(error);
      return;
    }
    if (channel !== this.#channel || name === this.#name) return;
    this.#isOpen = false;
    this.#lost('the topic has moved', 'CLOSED');
    await this.#drop();
    await this.#join(name).catch((error: unknown) => this.#failed(error));
  }

  /** Leaves, for good. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#isOpen = false;
    this.#cancelRejoin?.();
    await this.#drop();
  }

  #whereNow(): Promise<string> {
    return this.options.where?.() ?? Promise.resolve(this.topic);
  }

  async #join(name?: string): Promise<void> {
    this.#name = name ?? (await this.#whereNow());
    // Without an argument: Realtime takes the session's current token now, and asks again at each heartbeat. It is also
    // the only way to have a token in the first join; one without would be refused, and a refusal costs five seconds.
    await this.client.realtime.setAuth();
    if (this.#closed) return;
    const { config, broadcasts = {} } = this.options;
    const channel = this.client.channel(this.#name, { config: { ...config, private: true } });
    this.#channel = channel;
    // What a channel says after it was replaced is about nothing.
    const present = () => channel === this.#channel;
    for (const [event, listener] of Object.entries(broadcasts)) {
      channel.on('broadcast', { event }, (said) => present() && listener(said?.payload));
    }
    channel
      .on('broadcast', { event: 'moved' }, () => void (present() && this.relocate()))
      .on('system', {}, (said) => present() && this.#hear(channel, said))
      .subscribe((status, error) => present() && this.#follow(channel, status, error));
  }

  #hear(channel: Channel, said: unknown): void {
    const { extension, status, message } = (said ?? {}) as Record<string, unknown>;
    if (extension !== 'system') return;
    if (status === 'error') {
      // The reason comes before the close, in a message of its own.
      this.#reason = typeof message === 'string' ? message : '';
      this.options.onSystemError?.(this.#reason);
    } else if (message === REPLICATION_READY) this.options.onJoined(channel);
  }

  #follow(channel: Channel, status: string, error: Error | undefined): void {
    this.#isOpen = status === 'SUBSCRIBED';
    switch (status) {
      case 'SUBSCRIBED':
        this.#attempt = 0;
        this.#reason = '';
        this.options.onJoined(channel);
        break;
      case 'CLOSED':
        this.#lost(this.#reason || 'closed by the server', status);
        this.#channel = undefined;
        this.#rejoinAfter(this.#nextDelay());
        break;
      case 'CHANNEL_ERROR':
        if (error && this.options.onRefused && REFUSAL.test(error.message)) void this.#refused(error.message);
        else this.#lost(error?.message ?? 'connection lost', status);
        break;
      default:
        this.#lost('no answer to the join', status);
    }
  }

  #lost(reason: string, status: string): void {
    if (!this.#closed) this.options.onLost(reason, status);
  }

  #failed(thrown: unknown): void {
    const error = toStarkError(thrown);
    if (error.status === 403 && this.options.onRefused) return void this.#leave(error);
    this.#lost(error.message, 'CHANNEL_ERROR');
    this.#rejoinAfter(this.#nextDelay());
  }

  async #refused(message: string): Promise<void> {
    const code = /^(InvalidJWTToken|MalformedJWT|JwtSignatureError)/.test(message) ? 'NOT_SIGNED_IN' : 'FORBIDDEN';
    const hint = code === 'NOT_SIGNED_IN' ? 'stark auth login' : 'stark auth whoami';
    const status = code === 'NOT_SIGNED_IN' ? 401 : 403;
    await this.#leave(new StarkError(`watching ${this.topic} was refused: ${message}`, { code, status, hint }));
  }

  async #leave(error: StarkError): Promise<void> {
    this.#isOpen = false;
    await this.#drop();
    if (this.#closed) return;
    this.#rejoinAfter(REFUSED_RETRY_MS);
    this.options.onRefused?.(error);
  }

  #rejoinAfter(ms: number): void {
    if (this.#closed) return;
    this.#cancelRejoin?.();
    this.#cancelRejoin = (this.options.after ?? afterTimeout)(ms, () => this.start());
  }

  #nextDelay(): number {
    const attempt = this.#attempt++;
    return this.options.retryAfterMs?.(attempt) ?? backoffMs(attempt, RETRY);
  }

  async #drop(): Promise<void> {
    const channel = this.#channel;
    this.#channel = undefined;
    if (channel) await this.client.removeChannel(channel);
  }
}

function afterTimeout(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
