import { EntryQueue } from '../../src/outbox/entry-queue.js';
import type { Entry, Outbox } from '../../src/outbox/outbox.js';

/** An outbox that forgets everything when the process ends. */
export class MemoryOutbox<T> implements Outbox<T> {
  onDrop: (item: T) => void = () => {};
  readonly #queue: EntryQueue<T>;
  #next = 1;
  constructor(keyOf: (item: T) => string) {
    this.#queue = new EntryQueue(keyOf, 1_000_000, () => {});
  }
  get size(): number {
    return this.#queue.size;
  }
  add(incarnation: number, items: readonly T[]): void {
    for (const item of items) this.#queue.add({ number: this.#next++, incarnation, item }, 1);
  }
  peek(most: number): readonly Entry<T>[] {
    return this.#queue.peek(most);
  }
  done(upTo: number): void {
    this.#queue.done(upTo);
  }
  has(key: string): boolean {
    return this.#queue.has(key);
  }
  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}
