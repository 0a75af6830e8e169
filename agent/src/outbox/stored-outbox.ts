import type { AgentLog } from '../ports/agent-log.js';
import { EntryQueue } from './entry-queue.js';
import type { Entry, Outbox, OutboxOptions } from './outbox.js';

/** One thing that happened to an outbox. The item of an entry comes as JSON too, so that it is made once. */
export type Change<T> = { put: Entry<T>; json: string } | { dropped: number } | { doneUpTo: number };

/** What was stored when the outbox was opened. */
export interface Stored<T> {
  entries: readonly Entry<T>[];
  /** The highest number that an entry ever had, as far as it is known. */
  last: number;
}

/** Where an outbox keeps its entries over the end of its process: a file, or the browser's database. */
export interface OutboxStorage<T> {
  /** What the agent's log calls it. */
  readonly name: string;
  load(): Promise<Stored<T>>;
  /** Resolves when the changes, which come in their order, survive a crash; `waiting` is what the outbox holds after them. */
  write(changes: readonly Change<T>[], waiting: () => readonly Entry<T>[]): Promise<void>;
  close(): Promise<void>;
}

/** So many changes may wait to be written whatever the outbox holds. */
const SLACK = 1_000;

/**
 * An outbox in memory that writes every change to its storage. What came in while the storage was busy is written together;
 * what cannot be written stays in memory and is tried again with the next entry.
 */
export class StoredOutbox<T> implements Outbox<T> {
  onDrop: (item: T) => void = () => {};
  readonly #queue: EntryQueue<T>;
  #unwritten: Change<T>[] = [];
  #writing: Promise<void> | undefined;
  #next = 1;
  #broken = false;

  private constructor(
    private readonly storage: OutboxStorage<T>,
    { keyOf, maxBytes }: OutboxOptions<T>,
    private readonly log: AgentLog,
  ) {
    this.#queue = new EntryQueue(keyOf, maxBytes, ({ number, item }) => {
      this.#unwritten.push({ dropped: number });
      this.onDrop(item);
    });
  }

  static async open<T>(storage: OutboxStorage<T>, options: OutboxOptions<T>, log: AgentLog): Promise<StoredOutbox<T>> {
    const outbox = new StoredOutbox(storage, options, log);
    const { entries, last } = await storage.load();
    // What is too much was dropped in an earlier life, and said then: a storage may only not have got to it.
    for (const entry of entries) outbox.#queue.add(entry, JSON.stringify(entry.item).length);
    outbox.#next = last + 1;
    return outbox;
  }

  get size(): number {
    return this.#queue.size;
  }

  has(key: string): boolean {
    return this.#queue.has(key);
  }

  peek(most: number): readonly Entry<T>[] {
    return this.#queue.peek(most);
  }

  add(incarnation: number, items: readonly T[]): void {
    for (const item of items) {
      const entry = { number: this.#next++, incarnation, item };
      const json = JSON.stringify(item);
      this.#unwritten.push({ put: entry, json });
      this.#queue.add(entry, json.length);
    }
    this.#write();
  }

  done(upTo: number): void {
    this.#queue.done(upTo);
    this.#unwritten.push({ doneUpTo: upTo });
    this.#write();
  }

  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.storage.close();
  }

  /** Of changes that could not be written those that still say something. */
  #stillNeeded(changes: readonly Change<T>[]): Change<T>[] {
    const waiting = new Set(this.#queue.all().map(({ number }) => number));
    const added = new Set(changes.flatMap((change) => ('put' in change ? [change.put.number] : [])));
    const doneUpTo = changes.reduce(
      (most, change) => ('doneUpTo' in change ? Math.max(most, change.doneUpTo) : most),
      0,
    );
    const needed = changes.filter((change) => {
      if ('put' in change) return waiting.has(change.put.number);
      return 'dropped' in change && !added.has(change.dropped) && change.dropped > doneUpTo;
    });
    return doneUpTo > 0 ? [{ doneUpTo }, ...needed] : needed;
  }

  #write(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    // Everything added while this event was handled goes with the first write.
    await Promise.resolve();
    while (this.#unwritten.length > 0) {
      const changes = this.#unwritten;
      this.#unwritten = [];
      try {
        await this.storage.write(changes, () => this.#queue.all());
        this.#broken = false;
      } catch (error) {
        const left = [...changes, ...this.#unwritten];
        // A disk that stays full must not fill the memory: what is superseded goes once it is the larger part.
        this.#unwritten = left.length > 2 * this.size + SLACK ? this.#stillNeeded(left) : left;
        if (!this.#broken) {
          const about = { outbox: this.storage.name, error: String(error) };
          this.log.error(about, 'cannot write an outbox; it is kept in memory');
        }
        this.#broken = true;
        return; // Tried again with the next entry.
      }
    }
  }
}
