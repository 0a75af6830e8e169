import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { EntryQueue } from '../outbox/entry-queue.js';
import type { Entry, Outbox } from '../outbox/outbox.js';
import type { AgentLog } from '../reconciler/adapters.js';

export interface FileOutboxOptions<T> {
  path: string;
  keyOf(item: T): string;
  maxBytes: number;
  onDrop(item: T): void;
  log: AgentLog;
}

/** Below this much that is done with, the file is not worth rewriting. */
const COMPACT_BYTES = 256 * 1024;

type Line<T> = { n: number; i: number; v: T } | { done: number };

/**
 * An outbox as one file of JSON lines: entries and, now and then, how far they are done with. Lines that came in while
 * the disk was busy are written and synced together. A line torn by a crash is left out on reading.
 */
export class FileOutbox<T> implements Outbox<T> {
  readonly #queue: EntryQueue<T>;
  #file: FileHandle | undefined;
  #unwritten: string[] = [];
  #writing: Promise<void> | undefined;
  #next = 1;
  #doneUpTo = 0;
  #fileBytes = 0;
  #broken = false;

  private constructor(private readonly options: FileOutboxOptions<T>) {
    this.#queue = new EntryQueue(options.keyOf, options.maxBytes, ({ item }) => options.onDrop(item));
  }

  static async open<T>(options: FileOutboxOptions<T>): Promise<FileOutbox<T>> {
    const outbox = new FileOutbox(options);
    await outbox.#load();
    await outbox.#rewrite();
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
      const line = toLine(entry);
      this.#queue.add(entry, line.length);
      this.#unwritten.push(line);
    }
    this.#write();
  }

  done(upTo: number): void {
    this.#queue.done(upTo);
    this.#doneUpTo = Math.max(this.#doneUpTo, upTo);
    this.#unwritten.push(`${JSON.stringify({ done: upTo } satisfies Line<T>)}\n`);
    this.#write();
  }

  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file?.close();
    this.#file = undefined;
  }

  async #load(): Promise<void> {
    const text = await readFile(this.options.path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const entries = new Map<number, Entry<T>>();
    let torn = 0;
    for (const piece of text.split('\n')) {
      if (piece === '') continue;
      const line = parse<T>(piece);
      if (line === undefined) torn += 1;
      else if ('done' in line) this.#doneUpTo = Math.max(this.#doneUpTo, line.done);
      else entries.set(line.n, { number: line.n, incarnation: line.i, item: line.v });
    }
    for (const entry of entries.values()) {
      this.#next = Math.max(this.#next, entry.number + 1);
      if (entry.number > this.#doneUpTo) this.#queue.add(entry, toLine(entry).length);
    }
    this.#next = Math.max(this.#next, this.#doneUpTo + 1);
    if (torn > 0) this.options.log.warn({ path: this.options.path, lines: torn }, 'left out torn lines of an outbox');
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
        await this.#append(batch.join(''));
        this.#broken = false;
      } catch (error) {
        this.#unwritten = [...batch, ...this.#unwritten];
        if (!this.#broken)
          this.options.log.error(
            { path: this.options.path, error: String(error) },
            'cannot write an outbox; it is kept in memory',
          );
        this.#broken = true;
        return; // Tried again with the next entry.
      }
    }
  }

  async #append(text: string): Promise<void> {
    if (this.#fileBytes > COMPACT_BYTES && (this.#queue.size === 0 || this.#fileBytes > 2 * this.options.maxBytes)) {
      return this.#rewrite(); // What is new stands in the queue and is written with it.
    }
    if (this.#file === undefined) throw new Error('the outbox is closed');
    // After a failed write the file may end within a line.
    await this.#file.appendFile(this.#broken ? `\n${text}` : text);
    this.#fileBytes += text.length;
    await this.#file.datasync();
  }

  async #rewrite(): Promise<void> {
    const { path } = this.options;
    const text = [`${JSON.stringify({ done: this.#doneUpTo })}\n`, ...this.#queue.all().map(toLine)].join('');
    const aside = `${path}.tmp`;
    const file = await open(aside, 'w', 0o600);
    try {
      await file.appendFile(text);
      await file.sync();
      await rename(aside, path);
    } catch (error) {
      await file.close();
      throw error;
    }
    await this.#file?.close();
    this.#file = file;
    this.#fileBytes = text.length;
  }
}

function toLine<T>({ number, incarnation, item }: Entry<T>): string {
  return `${JSON.stringify({ n: number, i: incarnation, v: item } satisfies Line<T>)}\n`;
}

function parse<T>(piece: string): Line<T> | undefined {
  try {
    const line = JSON.parse(piece) as Record<string, unknown>;
    const isEntry = typeof line.n === 'number' && typeof line.i === 'number' && 'v' in line;
    return isEntry || typeof line.done === 'number' ? (line as Line<T>) : undefined;
  } catch {
    return undefined;
  }
}
