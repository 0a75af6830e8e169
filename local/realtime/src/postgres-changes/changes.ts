import { randomUUID } from 'node:crypto';
import type { Channel } from '../channels/channel.js';
import type { Cancel, Clock } from '../clock.js';
import type { Database } from '../database/database.js';
import { type ChangeMessage, Feed } from '../database/feed.js';
import type { Breaches } from '../limits/breaches.js';
import { RateWindow } from '../limits/rate-window.js';
import type { RealtimeLog, Settings } from '../options.js';
import { TextMessage } from '../wire/fanned.js';
import { commitTimeMs, type RowChange, rowChangeOf } from './change.js';
import { InvalidRequest, parseRequest, requestId, requestOfTopic } from './request.js';
import { isTransient, PUBLICATION, Subscriptions } from './subscriptions.js';

const READY_WAIT_MS = 10_000;
const PUBLICATION_CHECK_MS = 60_000;
const FORGET_MS = 100;

/** What postgres_changes needs of the server. */
interface Services {
  readonly settings: Settings;
  readonly database: Database;
  readonly breaches: Breaches;
  readonly clock: Clock;
  readonly log: RealtimeLog;
}

interface Entry {
  /** Of the row in realtime.subscription. */
  id: string;
  /** What the client knows the request by. */
  number: number;
  params: Record<string, unknown>;
}

interface Listener {
  channel: Channel;
  /** Old clients, whose join has no `config`, get the change itself under the name of its kind. */
  isOld: boolean;
  entries: Entry[];
}

/** postgres_changes: rows of published tables, told to each channel as far as its client may see them. */
export class PostgresChanges {
  readonly #services: Services;
  readonly #subscriptions: Subscriptions;
  readonly #feed: Feed;
  readonly #listeners = new Map<Channel, Listener>();
  readonly #entries = new Map<string, { listener: Listener; number: number }>();
  readonly #entities = new Set<number>();
  /** Changes told, one for each request that matches. */
  readonly #told: RateWindow;
  #begun: Promise<void> | null = null;
  #streams = 0;
  /** The one whose changes are being read. */
  #transaction = { at: 0, xid: 0 };
  #published = '';
  #gone: string[] = [];
  #cancelCheck: Cancel = () => {};
  #cancelForget: Cancel | null = null;

  constructor(services: Services) {
    this.#services = services;
    const { settings, database, log, clock } = services;
    this.#subscriptions = new Subscriptions(database);
    this.#told = new RateWindow({
      limit: settings.limits.messagesPerSecond,
      clock,
      onTrigger: (average) =>
        log.warn({ average }, 'MessagePerSecondRateLimitReached: Too many postgres changes messages per second'),
    });
    this.#feed = new Feed({
      name: 'changes',
      publication: PUBLICATION,
      url: settings.databaseUrl,
      log,
      clock,
      backpressure: true,
      onMessage: (message) => this.#handle(message),
      onReadiness: (ready) => {
        // What happened between two streams is lost; as on the real server a second "Subscribed" tells of it.
        if (ready && ++this.#streams > 1) void this.#subscribeAll();
      },
    });
  }

  /** Notes what a joining channel wants; the list for the answer to its join. */
  request(channel: Channel): object[] {
    const { postgresChanges } = channel.request;
    const wanted = postgresChanges ?? [requestOfTopic(channel.topicName)];
    if (wanted.length === 0) return [];
    const listener: Listener = {
      channel,
      isOld: postgresChanges === null,
      entries: wanted.map((params) => ({ id: randomUUID(), number: requestId(params), params })),
    };
    this.#listeners.set(channel, listener);
    for (const { id, number } of listener.entries) this.#entries.set(id, { listener, number });
    return listener.entries.map(({ params, number }) => ({ ...params, id: number }));
  }

  /** Begins to tell a joined channel what it asked for. */
  subscribe(channel: Channel): void {
    const listener = this.#listeners.get(channel);
    if (listener !== undefined) this.#subscribeLater(listener, 0);
  }

  /** The channel has a new token: its rows are written again with the new claims. */
  claimsChanged(channel: Channel): void {
    const listener = this.#listeners.get(channel);
    if (listener !== undefined) this.#subscribeLater(listener, between(1_000, 3_000));
  }

  /** The channel has ended. */
  forget(channel: Channel): void {
    const listener = this.#listeners.get(channel);
    if (listener === undefined) return;
    this.#listeners.delete(channel);
    for (const { id } of listener.entries) this.#entries.delete(id);
    this.#forgetRows(listener);
  }

  /** The database is back. */
  retryNow(): void {
    this.#feed.retryNow();
  }

  /** Ends the stream; the next subscription begins another. */
  async stop(): Promise<void> {
    this.#cancelCheck();
    this.#cancelForget?.();
    this.#begun = null;
    this.#streams = 0;
    await this.#feed.stop();
  }

  #subscribeLater(listener: Listener, ms: number): void {
    listener.channel.later('changes', ms, () => {
      // Outside of the channel's own queue, since waiting for a stream must not hold up its broadcasts.
      void this.#whenStreaming().then((problem) => {
        listener.channel.run(() => (problem === null ? this.#write(listener) : this.#retry(listener, problem)));
      });
    });
  }

  async #whenStreaming(): Promise<string | null> {
    this.#begun ??= this.#begin();
    try {
      await this.#begun;
    } catch (error) {
      this.#begun = null;
      return String(error);
    }
    return (await this.#feed.whenReady(READY_WAIT_MS)) ? null : 'the replication stream does not begin';
  }

  async #begin(): Promise<void> {
    await this.#subscriptions.clear();
    this.#published = await this.#subscriptions.publishedTables();
    this.#feed.start();
    this.#cancelCheck = this.#services.clock.every(PUBLICATION_CHECK_MS, () => void this.#checkPublication());
  }

  async #write(listener: Listener): Promise<void> {
    const { channel } = listener;
    if (channel.claims === null) return;
    try {
      const rows = listener.entries.map(({ id, params }) => ({ id, request: parseRequest(params) }));
      for (const entity of await this.#subscriptions.create(rows, channel.claims)) this.#entities.add(entity);
    } catch (error) {
      this.#refuse(listener, error);
      return;
    }
    if (channel.ended) this.#forgetRows(listener);
    else channel.system('postgres_changes', 'ok', 'Subscribed to PostgreSQL');
  }

  #refuse(listener: Listener, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (!(error instanceof InvalidRequest) && !isTransient(error)) this.#services.log.error({ err: error }, message);
    if (error instanceof InvalidRequest) {
      this.#services.log.warn(
        { topic: listener.channel.topicName, reason: message },
        'RealtimeDisabledForConfiguration',
      );
      listener.channel.system('postgres_changes', 'error', message);
    } else {
      this.#retry(listener, message);
    }
  }

  #retry(listener: Listener, problem: string): void {
    this.#services.log.warn({ topic: listener.channel.topicName, reason: problem }, 'UnableToSubscribeToPostgres');
    listener.channel.system('postgres_changes', 'error', problem);
    this.#subscribeLater(listener, between(5_000, 10_000));
  }

  async #subscribeAll(): Promise<void> {
    await this.#subscriptions.clear().catch((error: unknown) => {
      this.#services.log.warn({ err: error }, 'SubscriptionDeletionFailed');
    });
    this.#entities.clear();
    for (const listener of this.#listeners.values()) this.#subscribeLater(listener, 0);
  }

  async #checkPublication(): Promise<void> {
    try {
      const published = await this.#subscriptions.publishedTables();
      if (published === this.#published) return;
      this.#published = published;
      await this.#subscribeAll();
    } catch (error) {
      this.#services.log.warn({ err: error }, 'CheckOidsError');
    }
  }

  /** Channels often end in crowds; their rows go together. */
  #forgetRows(listener: Listener): void {
    for (const { id } of listener.entries) this.#gone.push(id);
    this.#cancelForget ??= this.#services.clock.after(FORGET_MS, () => {
      this.#cancelForget = null;
      const ids = this.#gone.splice(0);
      this.#subscriptions.remove(ids).catch((error: unknown) => {
        this.#services.log.warn({ err: error }, 'SubscriptionDeletionFailed');
      });
    });
  }

  async #handle(message: ChangeMessage): Promise<void> {
    if (message.tag === 'begin') this.#transaction = { at: commitTimeMs(message), xid: message.xid >>> 0 };
    if (this.#listeners.size === 0) return;
    const change = rowChangeOf(message);
    if (change === null || !this.#entities.has(change.entity)) return;
    if (this.#told.triggered) {
      this.#services.breaches.warn(null, 'skipped a change: too many postgres changes per second', {
        entity: change.entity,
      });
      return;
    }
    await this.#tell(change);
  }

  async #tell({ entity, action, newRow, oldRow }: RowChange): Promise<void> {
    const rows = await this.#services.database.query<{ change: string; subscription_ids: string[] }>(
      `select change::text as change, subscription_ids
         from realtime.tell_change($1::oid::regclass, $2, $3, $4, to_timestamp($5), $6, $7)`,
      [
        entity,
        action,
        newRow === null ? null : JSON.stringify(newRow),
        oldRow === null ? null : JSON.stringify(oldRow),
        this.#transaction.at / 1_000,
        this.#transaction.xid,
        this.#services.settings.limits.postgresChangesBytes,
      ],
    );
    for (const { change, subscription_ids } of rows) {
      this.#told.add(subscription_ids.length);
      this.#deliver(action, change, subscription_ids);
    }
  }

  #deliver(action: RowChange['action'], change: string, subscriptionIds: string[]): void {
    const numbers = new Map<Listener, Set<number>>();
    for (const id of subscriptionIds) {
      const entry = this.#entries.get(id);
      if (entry === undefined) continue;
      const matching = numbers.get(entry.listener);
      if (matching === undefined) numbers.set(entry.listener, new Set([entry.number]));
      else matching.add(entry.number);
    }
    const messages = new Map<string, TextMessage>();
    for (const [{ channel, isOld }, matching] of numbers) {
      const ids = [...matching].join(',');
      const key = `${isOld} ${ids} ${channel.wireTopic}`;
      let message = messages.get(key);
      if (message === undefined) {
        message = isOld
          ? new TextMessage(channel.wireTopic, action, change)
          : new TextMessage(channel.wireTopic, 'postgres_changes', `{"ids":[${ids}],"data":${change}}`);
        messages.set(key, message);
      }
      channel.connection.send(message.frame(channel.connection.vsn) as Buffer);
    }
  }
}

function between(min: number, max: number): number {
  return min + Math.random() * (max - min);
}
