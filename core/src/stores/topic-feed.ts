import type { StarkEvent } from '../model/event.js';
import { mayHaveMore, PAGE_ROWS } from '../model/limits.js';
import type { Snapshot } from './cluster-store.js';

/** What has a number on its topic: an event, a log line. */
export interface Numbered {
  readonly seq: number;
}

/** The payload of a broadcast of events. */
export interface EventBatch<Item extends Numbered = StarkEvent> {
  readonly events: readonly Item[];
  /** Number of the event before these on the same topic: a reader that does not have it has missed something. */
  readonly previous_seq: number;
}

/** What the database says about one topic, the truth that broadcasts only announce. */
export interface EventSource<Item extends Numbered = StarkEvent> {
  /** Everything the topic is about, and a number of an event that it surely contains. Without it, events are all there is. */
  snapshot?(): Promise<Snapshot>;
  /**
   * The topic's events after `seq`, oldest first, at most `limit` of them. Nothing when the log does not know the event of that number:
   * it was cleared away, and others with it, or the database was restored to a time before it.
   */
  after(seq: number, limit: number): Promise<readonly Item[] | undefined>;
}

/** Where the feed puts what it has put in order. */
export interface EventSink<Item extends Numbered = StarkEvent> {
  load?(snapshot: Snapshot): void;
  apply(events: readonly Item[]): void;
}

// The event that comes before these is one of the rows.
const PAGE = PAGE_ROWS - 1;
// Beyond this many missed events a new snapshot is cheaper than all of them.
const MAX_PAGES = 5;
// A backlog larger than this is dropped: the log is read anyway.
const MAX_BACKLOG = 500;

/**
 * Makes one complete, ordered stream of events out of broadcasts that may be lost, doubled or late: a batch that does not
 * follow what is known waits until the log was read.
 */
export class TopicFeed<Item extends Numbered = StarkEvent> {
  /** Every event of the topic up to this number has been passed on; undefined before the first snapshot, if there are any. */
  #last: number | undefined;
  #backlog: EventBatch<Item>[] = [];
  #running: Promise<void> | undefined;
  #again = false;
  #reload = false;

  constructor(
    private readonly source: EventSource<Item>,
    private readonly sink: EventSink<Item>,
    after?: number,
  ) {
    this.#last = after;
  }

  get last(): number | undefined {
    return this.#last;
  }

  /** Takes a broadcast. False when it left a gap: then somebody has to call `sync`. */
  receive(batch: EventBatch<Item>): boolean {
    if (this.#last === undefined || this.#running) {
      this.#keep(batch);
      return true;
    }
    if (batch.previous_seq > this.#last || this.#passesOver(batch, this.#last)) {
      this.#keep(batch);
      return false;
    }
    this.#pass(batch.events);
    return true;
  }

  /** Makes the next sync read a snapshot, as after an absence so long that the log may have been cut. */
  forget(): void {
    this.#reload = true;
  }

  /** Catches up with the database; calls while it runs make it run once more. */
  sync(): Promise<void> {
    if (this.#running) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      this.#again = false;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    do {
      this.#again = false;
      const before = this.#backlog.splice(0);
      try {
        await this.#readDatabase();
      } catch (error) {
        this.#backlog.unshift(...before);
        throw error;
      }
      // The log was read after these arrived, so what still lies before them is not for us to see.
      for (const { events } of before) this.#pass(events);
      this.#passFollowing();
    } while (this.#again || this.#backlog.length > 0);
  }

  async #readDatabase(): Promise<void> {
    let anew = false;
    for (let page = 0; this.#last !== undefined && !this.#reload; page++) {
      if (page === MAX_PAGES && this.source.snapshot !== undefined) break;
      const events = await this.source.after(this.#last, PAGE);
      if (events === undefined) {
        anew = true;
        break;
      }
      this.#pass(events);
      if (!mayHaveMore(events.length + 1)) return;
    }
    const snapshot = await this.source.snapshot?.();
    if (snapshot === undefined) return;
    this.sink.load?.({ ...snapshot, anew });
    this.#last = snapshot.seq;
    this.#reload = false;
  }

  // A batch has every event of its topic from one number to another. One that leaves out the last event that is known comes from a
  // database that does not have it any more, and whose numbers go on higher.
  #passesOver({ previous_seq, events }: EventBatch<Item>, last: number): boolean {
    if (this.source.snapshot === undefined || previous_seq >= last) return false;
    return events.some(({ seq }) => seq > last) && !events.some(({ seq }) => seq === last);
  }

  // What arrived while the database was read and follows it needs no second look.
  #passFollowing(): void {
    const backlog = this.#backlog.splice(0).sort((a, b) => a.previous_seq - b.previous_seq);
    for (const batch of backlog) {
      if (batch.previous_seq > (this.#last ?? 0)) this.#backlog.push(batch);
      else this.#pass(batch.events);
    }
  }

  #pass(events: readonly Item[]): void {
    const last = this.#last ?? 0;
    const fresh = events.filter(({ seq }) => seq > last).sort((a, b) => a.seq - b.seq);
    if (fresh.length === 0) return;
    this.#last = (fresh.at(-1) as Item).seq;
    this.sink.apply(fresh);
  }

  #keep(batch: EventBatch<Item>): void {
    if (this.#backlog.length >= MAX_BACKLOG) {
      this.#backlog = [];
      this.#again = true;
    }
    this.#backlog.push(batch);
  }
}
