import { type ShallowRef, shallowReadonly, shallowRef } from '@vue/reactivity';
import { call } from '../client/call.js';
import type { StarkClient } from '../client/client.js';
import { LISTENER, RETRY, ReconnectingChannel } from '../client/reconnecting-channel.js';
import { StarkError } from '../errors/stark-error.js';
import { toStarkError } from '../errors/to-stark-error.js';
import { type BackoffTimes, backoffMs } from '../model/backoff.js';
import { type Change, ClusterStore } from './cluster-store.js';
import { DatabaseEventSource } from './event-source.js';
import { readEventBatch } from './messages.js';
import { TopicFeed } from './topic-feed.js';

/** `live`: what the store shows is what is; `stale`: it was, and is being caught up with. */
export type WatchState = 'connecting' | 'live' | 'stale' | 'closed';

export interface WatchOptions {
  /** Feed this store, so that several watches share one; without it the watch makes its own. */
  store?: ClusterStore;
  /** How often the database is asked whether a last broadcast was lost, which no later one has shown. Default 30 s. */
  checkEveryMs?: number;
  /** Closes the watch. */
  signal?: AbortSignal;
  /** Waiting times between attempts to come back. */
  retry?: BackoffTimes;
}

/** A store that follows the cluster. */
export interface Watch {
  readonly store: ClusterStore;
  /** Resolves when the store is complete; rejects, and closes the watch, when the first attempt fails. */
  readonly ready: Promise<void>;
  /** A shallow ref: views may depend on it. */
  readonly state: Readonly<ShallowRef<WatchState>>;
  /** Called with what changed, after it did; the first time with everything the snapshot holds. Returns the way to stop. */
  onChange(listener: (changes: readonly Change[]) => void): () => void;
  /** Called when the watch becomes live or stale; `error` says why it became stale. */
  onState(listener: (state: WatchState, error?: StarkError) => void): () => void;
  close(): Promise<void>;
}

/** Follows the pods of one namespace. */
export function watchNamespace(client: StarkClient, namespace: string, options: WatchOptions = {}): Watch {
  return new TopicWatch(client, `stark:namespace:${namespace}`, namespace, options);
}

/** Follows nodes, packs and their versions. */
export function watchCluster(client: StarkClient, options: WatchOptions = {}): Watch {
  return new TopicWatch(client, 'stark:cluster', undefined, options);
}

const CHECK_EVERY_MS = 30_000;
// After an absence longer than this the events missed may have been cleared away already.
const FORGET_AFTER_MS = 3_600_000;

class TopicWatch implements Watch {
  readonly store: ClusterStore;
  readonly ready: Promise<void>;
  readonly #state = shallowRef<WatchState>('connecting');
  readonly state = shallowReadonly(this.#state);
  readonly #feed: TopicFeed;
  readonly #channel: ReconnectingChannel;
  readonly #changeListeners = new Set<(changes: readonly Change[]) => void>();
  readonly #stateListeners = new Set<(state: WatchState, error?: StarkError) => void>();
  readonly #ownStore: boolean;
  readonly #retryAfterMs: (attempt: number) => number;
  readonly #check: ReturnType<typeof setInterval>;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #joined = false;
  #lastContact = Date.now();
  #settle: { resolve(): void; reject(error: StarkError): void } | undefined;

  constructor(client: StarkClient, topic: string, namespace: string | undefined, options: WatchOptions) {
    this.#ownStore = options.store === undefined;
    this.store = options.store ?? new ClusterStore();
    this.#retryAfterMs = (attempt) => backoffMs(attempt, options.retry ?? RETRY);
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // A caller that does not wait for it learns of failures by the state.
    this.ready.catch(() => {});
    this.#feed = new TopicFeed(new DatabaseEventSource(client, namespace), {
      load: (snapshot) => this.#tell(this.store.load(snapshot)),
      apply: (events) => this.#tell(this.store.applyEvents(events)),
    });
    this.#channel = new ReconnectingChannel(client, topic, {
      config: LISTENER,
      broadcasts: { events: (payload) => this.#receive(payload) },
      where: () => call(client, 'events_topic', namespace === undefined ? {} : { p_namespace: namespace }),
      onJoined: () => {
        this.#joined = true;
        this.#sync();
      },
      onLost: (reason) => this.#lost(new StarkError(reason, { code: 'UNREACHABLE' })),
      onRefused: (error) => this.#lost(error),
      retryAfterMs: this.#retryAfterMs,
    });
    this.#check = setInterval(() => this.#joined && this.#look(), options.checkEveryMs ?? CHECK_EVERY_MS);
    if (options.signal?.aborted) void this.close();
    else {
      options.signal?.addEventListener('abort', () => void this.close(), { once: true });
      this.#channel.open().catch((error) => this.#lost(toStarkError(error)));
    }
  }

  onChange(listener: (changes: readonly Change[]) => void): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  onState(listener: (state: WatchState, error?: StarkError) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#state.value === 'closed') return;
    clearInterval(this.#check);
    clearTimeout(this.#retry);
    this.#enter('closed');
    this.#settle?.reject(new StarkError('the watch was closed', { code: 'CLOSED' }));
    this.#settle = undefined;
    await this.#channel.close();
    if (this.#ownStore) this.store.dispose();
  }

  #receive(payload: unknown): void {
    const batch = readEventBatch(payload);
    if (batch === undefined) return;
    this.#lastContact = Date.now();
    if (!this.#feed.receive(batch)) this.#sync();
  }

  // Neither is shown by a broadcast that comes: that one was lost, and that the topic has moved.
  #look(): void {
    void this.#channel.relocate();
    this.#sync();
  }

  #sync(): void {
    if (this.#state.value === 'closed') return;
    clearTimeout(this.#retry);
    if (Date.now() - this.#lastContact > FORGET_AFTER_MS) this.#feed.forget();
    this.#feed.sync().then(
      () => {
        this.#attempt = 0;
        this.#lastContact = Date.now();
        if (this.#joined) this.#enter('live');
        this.#settle?.resolve();
        this.#settle = undefined;
      },
      (error) => {
        this.#enter('stale', toStarkError(error));
        const delay = this.#retryAfterMs(this.#attempt++);
        if (this.#state.value !== 'closed') this.#retry = setTimeout(() => this.#sync(), delay);
      },
    );
  }

  #lost(error: StarkError): void {
    this.#joined = false;
    this.#enter('stale', error);
  }

  #enter(state: WatchState, error?: StarkError): void {
    const before = this.#state.value;
    if (before === 'closed') return;
    // Until the store is complete for the first time there is nothing that could be stale.
    if (state === 'stale' && this.#settle && error) {
      const { reject } = this.#settle;
      this.#settle = undefined;
      void this.close();
      reject(error);
      return;
    }
    if (before === state) return;
    this.#state.value = state;
    for (const listener of [...this.#stateListeners]) listener(state, error);
  }

  #tell(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    for (const listener of [...this.#changeListeners]) listener(changes);
  }
}
