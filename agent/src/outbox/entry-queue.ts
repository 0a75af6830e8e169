import type { Entry } from './outbox.js';

interface Held<T> extends Entry<T> {
  readonly key: string;
  readonly bytes: number;
}

/** The entries of an outbox in memory: in order, counted by key, bounded in bytes. */
export class EntryQueue<T> {
  #held: Held<T>[] = [];
  #head = 0;
  #bytes = 0;
  readonly #counts = new Map<string, number>();

  constructor(
    private readonly keyOf: (item: T) => string,
    private readonly maxBytes: number,
    private readonly onDrop: (entry: Entry<T>) => void,
  ) {}

  get size(): number {
    return this.#held.length - this.#head;
  }

  has(key: string): boolean {
    return this.#counts.has(key);
  }

  add(entry: Entry<T>, bytes: number): void {
    const key = this.keyOf(entry.item);
    this.#held.push({ ...entry, key, bytes });
    this.#bytes += bytes;
    this.#count(key, 1);
    while (this.#bytes > this.maxBytes && this.size > 1) this.#dropOne();
  }

  peek(most: number): readonly Entry<T>[] {
    return this.#held.slice(this.#head, this.#head + most);
  }

  all(): readonly Entry<T>[] {
    return this.#held.slice(this.#head);
  }

  done(upTo: number): void {
    for (let first = this.#held[this.#head]; first !== undefined && first.number <= upTo; ) {
      this.#forget(first);
      this.#head += 1;
      first = this.#held[this.#head];
    }
    if (this.#head > 1024 || this.#head === this.#held.length) {
      this.#held = this.#held.slice(this.#head);
      this.#head = 0;
    }
  }

  // Full: the oldest goes whose key has a newer one behind it, so that the last word about each pod stays.
  #dropOne(): void {
    for (let at = this.#head; at < this.#held.length - 1; at++) {
      const candidate = this.#held[at] as Held<T>;
      if ((this.#counts.get(candidate.key) ?? 0) > 1) {
        this.#drop(at, candidate);
        return;
      }
    }
    this.#drop(this.#head, this.#held[this.#head] as Held<T>);
  }

  #drop(at: number, entry: Held<T>): void {
    this.#held.splice(at, 1);
    this.#forget(entry);
    this.onDrop(entry);
  }

  #forget(entry: Held<T>): void {
    this.#bytes -= entry.bytes;
    this.#count(entry.key, -1);
  }

  #count(key: string, change: number): void {
    const count = (this.#counts.get(key) ?? 0) + change;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}
