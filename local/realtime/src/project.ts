import { Probes } from './authorization/probes.js';
import { TokenVerifier } from './authorization/token.js';
import { broadcastFromDatabase } from './broadcast/from-database.js';
import { broadcastFromSocket } from './broadcast/from-socket.js';
import { Topics } from './broadcast/topics.js';
import type { Channel, ChannelHost, Handler } from './channels/channel.js';
import type { Connection } from './channels/connection.js';
import { refreshToken } from './channels/token.js';
import type { Cancel, Clock } from './clock.js';
import { Database } from './database/database.js';
import { Feed } from './database/feed.js';
import { createPartitions, dropOldPartitions } from './database/partitions.js';
import { applyRealtimeSchema } from './database/schema.js';
import { Breaches } from './limits/breaches.js';
import { PayloadLimit } from './limits/payload-size.js';
import { RateWindow } from './limits/rate-window.js';
import type { RealtimeLog, Settings } from './options.js';
import { PostgresChanges } from './postgres-changes/changes.js';
import { forgetPresence, handlePresence } from './presence/handler.js';
import type { Inbound } from './wire/message.js';

const CONNECT_WAIT_MS = 3_000;
const JANITOR_MS = 4 * 3_600_000;

/** So long after its last user the feed goes on; the real server ends a project's connection after about 11 minutes. */
const IDLE_MS = 11 * 60_000;

/** The one project of this server: what all sockets share. */
export class Project implements ChannelHost {
  readonly log: RealtimeLog;
  readonly clock: Clock;
  readonly tokens: TokenVerifier;
  readonly database: Database;
  readonly probes: Probes;
  readonly feed: Feed;
  readonly changes: PostgresChanges;
  readonly topics = new Topics();
  readonly payloads: PayloadLimit;
  readonly breaches: Breaches;
  /** Broadcasts taken in and every delivery. */
  readonly messages: RateWindow;
  readonly joins: RateWindow;
  readonly presenceMessages: RateWindow;
  /** What a channel does with a message of its client, by event. */
  readonly handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
    ['broadcast', (channel, message) => broadcastFromSocket(this, channel, message)],
    ['presence', (channel, message) => handlePresence(this, channel, message)],
    ['access_token', (channel, message) => refreshToken(this, channel, message)],
    ['phx_leave', leaveChannel],
  ]);
  readonly #users = new Set<Connection>();
  #connecting: Promise<boolean> | null = null;
  #cancelJanitor: Cancel = () => {};
  #cancelIdle: Cancel = () => {};
  #channels = 0;

  constructor(readonly settings: Settings) {
    const { limits, log, clock } = settings;
    this.log = log;
    this.clock = clock;
    this.breaches = new Breaches(log, clock);
    this.tokens = new TokenVerifier(settings.jwtSecret, settings.jwks, clock);
    this.database = new Database({ url: settings.databaseUrl, poolSize: settings.poolSize, log, clock });
    this.probes = new Probes(this.database);
    this.payloads = new PayloadLimit(limits.broadcastPayloadKb);
    this.messages = this.#window(
      limits.messagesPerSecond,
      'MessagePerSecondRateLimitReached: Too many messages per second',
    );
    this.joins = this.#window(limits.joinsPerSecond, 'ClientJoinRateLimitReached: Too many joins per second');
    this.presenceMessages = this.#window(
      limits.presenceMessagesPerSecond,
      'PresenceRateLimitReached: Too many presence events per second',
    );
    this.feed = new Feed({
      name: 'messages_replication',
      publication: 'supabase_realtime_messages_publication',
      url: settings.databaseUrl,
      log,
      clock,
      onMessage: (change) => broadcastFromDatabase(this, change),
    });
    this.changes = new PostgresChanges(this);
    this.database.onUp(() => {
      this.feed.retryNow();
      this.changes.retryNow();
    });
  }

  /** Makes the schema, and keeps its partitions ahead of the calendar. */
  async start(): Promise<void> {
    await applyRealtimeSchema(this.settings.databaseUrl);
    this.#cancelJanitor = this.clock.every(JANITOR_MS, () => void this.#tidy());
    await this.#tidy();
  }

  /** Ends feeds, timers and connections. */
  async stop(): Promise<void> {
    this.#cancelJanitor();
    this.#cancelIdle();
    await Promise.all([this.feed.stop(), this.changes.stop()]);
    await this.database.stop();
  }

  /** Waits for the database, and with the first join for the feed as well; false when there is no database. */
  async connected(): Promise<boolean> {
    if (!(await this.database.whenUp(CONNECT_WAIT_MS))) return false;
    this.#connecting ??= this.#connect();
    const isConnected = await this.#connecting;
    if (!isConnected) this.#connecting = null;
    return isConnected;
  }

  /** Opens a channel for what is said on its topic. */
  enter(channel: Channel): void {
    channel.enter(this.topics.add(channel));
    this.#channels++;
  }

  /** Takes a channel out of everything it was in. */
  leave(channel: Channel): void {
    if (channel.topic === null) return;
    this.topics.remove(channel.topic, channel);
    forgetPresence(this, channel);
    channel.exit();
    this.#channels--;
    this.changes.forget(channel);
  }

  get channels(): number {
    return this.#channels;
  }

  /** Sockets that joined something, which is what "concurrent connections" counts. */
  get users(): number {
    return this.#users.size;
  }

  isCounted(connection: Connection): boolean {
    return this.#users.has(connection);
  }

  countUser(connection: Connection): void {
    this.#cancelIdle();
    this.#users.add(connection);
  }

  /** A socket is gone. */
  discountUser(connection: Connection): void {
    if (!this.#users.delete(connection) || this.#users.size > 0) return;
    this.#cancelIdle = this.clock.after(IDLE_MS, () => {
      this.#connecting = null;
      void this.feed.stop();
      void this.changes.stop();
    });
  }

  async #connect(): Promise<boolean> {
    try {
      await this.database.withClient((client) => createPartitions(client, this.#today()));
    } catch (error) {
      this.log.error({ err: error }, 'UnableToConnectToProject');
      return false;
    }
    this.feed.start();
    if (!(await this.feed.whenReady(CONNECT_WAIT_MS))) this.log.warn({}, 'joining without a replication stream');
    return true;
  }

  /** The janitor's round: days to come, days gone by. */
  async #tidy(): Promise<void> {
    try {
      const dropped = await this.database.withClient(async (client) => {
        await createPartitions(client, this.#today());
        return dropOldPartitions(client, this.#today());
      });
      if (dropped.length > 0) this.log.info({ dropped }, 'dropped old partitions');
    } catch (error) {
      this.log.error({ err: error }, 'the janitor failed');
    }
  }

  #today(): Date {
    return new Date(this.clock.now());
  }

  #window(limit: number, warning: string): RateWindow {
    return new RateWindow({
      limit,
      clock: this.clock,
      onTrigger: (average) => this.log.warn({ average, limit }, warning),
    });
  }
}

function leaveChannel(channel: Channel, message: Inbound): void {
  channel.reply(message, 'ok');
  channel.close();
}
