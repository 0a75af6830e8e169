import type { IDBPObjectStore } from 'idb';
import type { StorageRequest } from '../pod/browser/protocol.js';
import type { NodeDatabase, NodeSchema } from './database.js';

const MB = 1024 * 1024;

/** The storage of all pods of this node. A pod has no disk of its own in a browser, so it asks its agent. */
export class PodStores {
  /** Bytes each pod has stored, once they were counted. */
  readonly #sizes = new Map<string, Map<string, number>>();

  constructor(private readonly database: NodeDatabase) {}

  async answer(podId: string, limitMb: number, request: StorageRequest): Promise<unknown> {
    const { database } = this;
    switch (request.op) {
      case 'get':
        return database.get('storage', [podId, String(request.key)]);
      case 'set':
        return this.#set(podId, limitMb, String(request.key), String(request.value));
      case 'delete':
        (await this.#sizesOf(podId)).delete(String(request.key));
        await this.#write((store) => store.delete([podId, String(request.key)]));
        return undefined;
      case 'keys': {
        const keys = await database.getAllKeys('storage', everythingOf(podId));
        return keys.map(([, key]) => key).filter((key) => key.startsWith(String(request.prefix)));
      }
    }
  }

  /** Removes everything of one pod. */
  async discard(podId: string): Promise<void> {
    this.#sizes.delete(podId);
    await this.#write((store) => store.delete(everythingOf(podId)));
  }

  /** Removes everything of pods that are not among these. */
  async sweep(keep: ReadonlySet<string>): Promise<void> {
    const keys = await this.database.getAllKeys('storage');
    const stale = new Set(keys.map(([podId]) => podId).filter((podId) => !keep.has(podId)));
    await Promise.all([...stale].map((podId) => this.discard(podId)));
  }

  async #set(podId: string, limitMb: number, key: string, value: string): Promise<undefined> {
    const sizes = await this.#sizesOf(podId);
    const before = sizes.get(key);
    sizes.set(key, key.length + value.length);
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    if (total > limitMb * MB) {
      if (before === undefined) sizes.delete(key);
      else sizes.set(key, before);
      throw new Error(`storage: the pod stores more than its ${limitMb} MB`);
    }
    await this.#write((store) => store.put(value, [podId, key]));
    return undefined;
  }

  async #sizesOf(podId: string): Promise<Map<string, number>> {
    let sizes = this.#sizes.get(podId);
    if (sizes === undefined) {
      const range = everythingOf(podId);
      const [keys, values] = await Promise.all([
        this.database.getAllKeys('storage', range),
        this.database.getAll('storage', range),
      ]);
      sizes =
        this.#sizes.get(podId) ?? new Map(keys.map(([, key], at) => [key, key.length + (values[at]?.length ?? 0)]));
      this.#sizes.set(podId, sizes);
    }
    return sizes;
  }

  async #write(act: (store: WritableStore) => Promise<unknown>): Promise<void> {
    const transaction = this.database.transaction('storage', 'readwrite', { durability: 'strict' });
    void act(transaction.store);
    await transaction.done;
  }
}

type WritableStore = IDBPObjectStore<NodeSchema, ['storage'], 'storage', 'readwrite'>;

function everythingOf(podId: string): IDBKeyRange {
  return IDBKeyRange.bound([podId, ''], [podId, []]);
}
