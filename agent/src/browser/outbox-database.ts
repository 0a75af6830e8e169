import type { Entry, OutboxOptions } from '../outbox/outbox.js';
import { type Change, type OutboxStorage, type Stored, StoredOutbox } from '../outbox/stored-outbox.js';
import type { AgentLog } from '../ports/agent-log.js';
import type { NodeDatabase } from './database.js';

/** Opens the outbox of this name, which keeps several of one node apart. */
export async function openDatabaseOutbox<T>(
  database: NodeDatabase,
  name: string,
  options: OutboxOptions<T>,
  log: AgentLog,
) {
  return StoredOutbox.open(new OutboxDatabase<T>(database, name), options, log);
}

/** The entries of one outbox in IndexedDB, each under the outbox and its number. */
class OutboxDatabase<T> implements OutboxStorage<T> {
  constructor(
    private readonly database: NodeDatabase,
    readonly name: string,
  ) {}

  async load(): Promise<Stored<T>> {
    const entries: Entry<T>[] = [];
    let cursor = await this.database.transaction('outbox').store.openCursor(this.#upTo(Number.MAX_SAFE_INTEGER));
    for (; cursor; cursor = await cursor.continue()) {
      const { incarnation, item } = cursor.value as { incarnation: number; item: T };
      entries.push({ number: cursor.key[1], incarnation, item });
    }
    return { entries, last: entries.at(-1)?.number ?? 0 };
  }

  async write(changes: readonly Change<T>[]): Promise<void> {
    const transaction = this.database.transaction('outbox', 'readwrite', { durability: 'strict' });
    const { store } = transaction;
    for (const change of changes) {
      if ('put' in change) {
        const { number, incarnation, item } = change.put;
        void store.put({ incarnation, item }, [this.name, number]);
      } else if ('dropped' in change) void store.delete([this.name, change.dropped]);
      else void store.delete(this.#upTo(change.doneUpTo));
    }
    await transaction.done;
  }

  async close(): Promise<void> {}

  #upTo(number: number): IDBKeyRange {
    return IDBKeyRange.bound([this.name, 0], [this.name, number]);
  }
}
