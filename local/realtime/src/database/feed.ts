import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { LogicalReplicationService, type Pgoutput, PgoutputPlugin } from 'pg-logical-replication';
import { type Cancel, type Clock, longerPause, pause } from '../clock.js';
import type { RealtimeLog } from '../options.js';

export type ChangeMessage = Pgoutput.Message;

export interface FeedOptions {
  name: string;
  publication: string;
  url: string;
  log: RealtimeLog;
  clock: Clock;
  /** Called with each message of the stream, in commit order. */
  onMessage: (message: ChangeMessage) => void | Promise<void>;
  /** Read on only when onMessage has settled, so that a busy handler does not fill the memory. */
  backpressure?: boolean;
  /** Called when a stream has begun and when one has ended. */
  onReadiness?: (ready: boolean) => void;
}

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

/**
 * One publication as a stream of changes, through a temporary slot: it begins at the current end of the log, and what
 * commits while it is away is never seen. A stream that breaks is begun anew until the feed is stopped.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #readyListeners = new Set<() => void>();
  #service: LogicalReplicationService | null = null;
  #ready = false;
  #running = false;
  #ended: Promise<void> = Promise.resolve();
  #wake: (() => void) | null = null;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Begins the stream; does nothing when it is running. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#ended = this.#ended.then(() => this.#run());
  }

  /** Ends the stream and waits for its connection to close. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#wake?.();
    await this.#service?.stop().catch(() => {});
    await this.#ended;
  }

  /** Tries at once what would be tried after a pause. */
  retryNow(): void {
    this.#wake?.();
  }

  /** Waits until a stream has begun; false when none has within the time. */
  whenReady(timeoutMs: number): Promise<boolean> {
    if (this.#ready) return Promise.resolve(true);
    return new Promise((resolve) => {
      let cancel: Cancel = () => {};
      const finish = (ready: boolean) => {
        cancel();
        this.#readyListeners.delete(listener);
        resolve(ready);
      };
      const listener = () => finish(true);
      cancel = this.#options.clock.after(timeoutMs, () => finish(false));
      this.#readyListeners.add(listener);
    });
  }

  async #run(): Promise<void> {
    let retry = FIRST_RETRY_MS;
    while (this.#running) {
      const startedAt = this.#options.clock.now();
      await this.#stream();
      if (!this.#running) return;
      retry = this.#options.clock.now() - startedAt > LAST_RETRY_MS ? FIRST_RETRY_MS : retry;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([woken, pause(this.#options.clock, retry)]);
      this.#wake = null;
      retry = longerPause(retry, LAST_RETRY_MS);
    }
  }

  /** One stream from its beginning to its end; never throws. */
  async #stream(): Promise<void> {
    const { name, log } = this.#options;
    const service = replicationService(
      { connectionString: this.#options.url, application_name: `realtime_${name}` },
      {
        acknowledge: { auto: false, timeoutSeconds: 5 },
        flowControl: { enabled: this.#options.backpressure ?? false },
      },
    );
    this.#service = service;
    // Every failure also ends subscribe(), which is where it is reported.
    service.on('error', () => {});
    service.on('start', () => this.#setReady(true));
    service.on('data', (_lsn: string, message: ChangeMessage) => this.#handle(message));
    service.on('heartbeat', (lsn: string, _time: number, shouldRespond: boolean) => {
      if (shouldRespond) void service.acknowledge(before(lsn));
    });
    const slot = `supabase_realtime_${name}_${randomBytes(4).toString('hex')}`;
    try {
      await service.subscribe(new Stream(this.#options.publication), slot);
      if (this.#running) log.warn({ feed: name }, 'the replication stream ended');
    } catch (error) {
      if (this.#running) log.warn({ feed: name, err: error }, 'the replication stream broke');
    } finally {
      this.#setReady(false);
      this.#service = null;
      await service.destroy().catch(() => {});
    }
  }

  async #handle(message: ChangeMessage): Promise<void> {
    try {
      // Without a promise nothing is waited for: the handler has run when this returns.
      const done = this.#options.onMessage(message);
      if (done !== undefined) await done;
    } catch (error) {
      this.#options.log.error({ feed: this.#options.name, err: error }, 'UnableToBroadcastChanges');
    }
  }

  #setReady(ready: boolean): void {
    if (this.#ready === ready) return;
    this.#ready = ready;
    this.#options.log.info({ feed: this.#options.name, ready }, ready ? 'replication is ready' : 'replication ended');
    this.#options.onReadiness?.(ready);
    if (ready) for (const listener of [...this.#readyListeners]) listener();
  }
}

/**
 * The library listens for its client's errors only after it has connected. A server that says goodbye in the same packet as
 * hello would raise an error that nobody hears, which ends the process; so the client is made here, with a listener.
 */
function replicationService(
  config: pg.ClientConfig,
  options: ConstructorParameters<typeof LogicalReplicationService>[1],
): LogicalReplicationService {
  const service = new LogicalReplicationService(config, options);
  const client = async () => {
    await service.stop();
    const made = new pg.Client({ ...config, replication: 'database' } as pg.ClientConfig);
    made.on('error', (error) => service.emit('error', error));
    Object.assign(service, { _client: made });
    await made.connect();
    const { connection } = made as unknown as { connection: unknown };
    Object.assign(service, { _connection: connection });
    return [made, connection];
  };
  return Object.assign(service, { client });
}

/**
 * The library acknowledges the byte after the position it is given. A Postgres that shuts down waits for exactly the
 * end of its log, and asks again and again when it hears of more.
 */
function before(lsn: string): string {
  const [high, low] = lsn.split('/').map((part) => Number.parseInt(part, 16)) as [number, number];
  const [previousHigh, previousLow] = low === 0 ? [high - 1, 0xff_ff_ff_ff] : [high, low - 1];
  return `${previousHigh.toString(16)}/${previousLow.toString(16)}`;
}

/** pgoutput on a temporary slot, with every value left as the text that Postgres sent. */
class Stream extends PgoutputPlugin {
  constructor(publication: string) {
    super({ protoVersion: 2, publicationNames: [publication] });
  }

  override async start(client: pg.Client, slot: string, lastLsn: string): Promise<unknown> {
    await client.query(`CREATE_REPLICATION_SLOT "${slot}" TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT`);
    return super.start(client as never, slot, lastLsn);
  }

  override parse(buffer: Buffer): ChangeMessage {
    const message = super.parse(buffer);
    // The library would turn timestamps and JSON into objects, and numbers into rounded ones.
    if (message.tag === 'relation') for (const column of message.columns) column.parser = (raw) => raw;
    return message;
  }
}
