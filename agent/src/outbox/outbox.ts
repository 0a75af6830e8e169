/** An entry and the incarnation it was made under. */
export interface Entry<T> {
  readonly number: number;
  readonly incarnation: number;
  readonly item: T;
}

/** What must reach the control plane, kept until it did, in the order it was added. */
export interface Outbox<T> {
  readonly size: number;
  add(incarnation: number, items: readonly T[]): void;
  /** The oldest entries, at most `most`. */
  peek(most: number): readonly Entry<T>[];
  /** Everything up to this number is done with. */
  done(upTo: number): void;
  /** Told of each entry that went because the outbox was full. */
  onDrop: (item: T) => void;
  /** True while an entry with this key waits. */
  has(key: string): boolean;
  /** Resolves when everything added so far survives a crash. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** What a platform opens an outbox with, whatever it keeps it in. */
export interface OutboxOptions<T> {
  keyOf(item: T): string;
  /** Most bytes of JSON that it holds; beyond it the oldest entries are dropped. */
  maxBytes: number;
}
