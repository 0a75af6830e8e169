import { EntryQueue } from '../outbox/entry-queue.js';
import type { Entry, Outbox } from '../outbox/outbox.js';
import type { AgentLog } from '../reconciler/adapters.js';
import type { NodeDatabase } from './database.js';

export interface IndexedDbOutboxOptions<T> {
  database: NodeDatabase;
  /** Keeps several outboxes of one node apart. */
  name: string;
  keyOf(item: T): string;
  maxBytes: number;
  onDrop(item: T): void;
  log: AgentLog;
}

type Change<T> = { put: Entry<T> } | { remove: number } | { doneUpTo: number };

/** An outbox in IndexedDB. What came in while the disk was busy is written together, and in its order. */
export class IndexedDbOutbox<T> implements Outbox<T> {
  readonly #queue: EntryQueue<T>;
  #next = 1;
  #unwritten: Change<T>[] = [];
  #writing: Promise<void> | undefined;
  #broken = false;

  private constructor(private readonly options: IndexedDbOutboxOptions<T>) {
    this.#queue = new EntryQueue(options.keyOf, options.maxBytes, (entry) => {
      this.#unwritten.push({ remove: entry.number });
      options.onDrop(entry.item);
    });
  }

  static async open<T>(options: IndexedDbOutboxOptions<T>): Promise<IndexedDbOutbox<T>> {
    const outbox = new IndexedDbOutbox(options);
    const { database, name } = options;
    const mine = IDBKeyRange.bound([name, 0], [name, Number.MAX_SAFE_INTEGER]);
    for (
      let cursor = await database.transaction('outbox').store.openCursor(mine);
      cursor;
      cursor = await cursor.continue()
    ) {
      const number = cursor.key[1];
      const { incarnation, item } = cursor.value as { incarnation: number; item: T };
      outbox.#next = number + 1;
      outbox.#queue.add({ number, incarnation, item }, sizeOf(item));
    }
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
      this.#unwritten.push({ put: entry });
      this.#queue.add(entry, sizeOf(item));
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

  close(): Promise<void> {
    return this.flush();
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
      const batch = this.#unwritten;
      this.#unwritten = [];
      try {
        await this.#commit(batch);
        this.#broken = false;
      } catch (error) {
        this.#unwritten = [...batch, ...this.#unwritten];
        if (!this.#broken)
          this.options.log.error({ error: String(error) }, 'cannot write an outbox; it is kept in memory');
        this.#broken = true;
        return; // Tried again with the next entry.
      }
    }
  }

  async #commit(batch: readonly Change<T>[]): Promise<void> {
    const { database, name } = this.options;
    const transaction = database.transaction('outbox', 'readwrite', { durability: 'strict' });
    const { store } = transaction;
    for (const change of batch) {
      if ('put' in change) {
        const { number, incarnation, item } = change.put;
        void store.put({ incarnation, item }, [name, number]);
      } else if ('remove' in change) void store.delete([name, change.remove]);
      else void store.delete(IDBKeyRange.bound([name, 0], [name, change.doneUpTo]));
    }
    await transaction.done;
  }
}

function sizeOf(item: unknown): number {
  return JSON.stringify(item).length;
}
