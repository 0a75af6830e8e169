import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import type { Entry, OutboxOptions } from '../outbox/outbox.js';
import { type Change, type OutboxStorage, type Stored, StoredOutbox } from '../outbox/stored-outbox.js';
import type { AgentLog } from '../ports/agent-log.js';

/** Below this much that is done with, the file is not worth rewriting. */
const COMPACT_BYTES = 256 * 1024;

type Line<T> = { n: number; i: number; v: T } | { done: number };

/** Opens the outbox that is kept in this file. */
export async function openFileOutbox<T>(path: string, options: OutboxOptions<T>, log: AgentLog) {
  return StoredOutbox.open(new OutboxFile<T>(path, options.maxBytes, log), options, log);
}

/**
 * One file of JSON lines: entries and, now and then, how far they are done with. Each write is synced to the disk. A line torn
 * by a crash is left out on reading, and what was dropped is left out when the file is written anew.
 */
class OutboxFile<T> implements OutboxStorage<T> {
  #file: FileHandle | undefined;
  #bytes = 0;
  #doneUpTo = 0;
  /** A write failed, so the file may end within a line. */
  #torn = false;

  constructor(
    readonly name: string,
    private readonly maxBytes: number,
    private readonly log: AgentLog,
  ) {}

  async load(): Promise<Stored<T>> {
    const text = await readFile(this.name, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const found = new Map<number, Entry<T>>();
    let torn = 0;
    for (const piece of text.split('\n')) {
      if (piece === '') continue;
      const line = parse<T>(piece);
      if (line === undefined) torn += 1;
      else if ('done' in line) this.#doneUpTo = Math.max(this.#doneUpTo, line.done);
      else found.set(line.n, { number: line.n, incarnation: line.i, item: line.v });
    }
    if (torn > 0) this.log.warn({ path: this.name, lines: torn }, 'left out torn lines of an outbox');
    const entries = [...found.values()].filter((entry) => entry.number > this.#doneUpTo);
    await this.#rewrite(entries);
    let last = this.#doneUpTo;
    for (const number of found.keys()) last = Math.max(last, number);
    return { entries, last };
  }

  async write(changes: readonly Change<T>[], waiting: () => readonly Entry<T>[]): Promise<void> {
    for (const change of changes) {
      if ('doneUpTo' in change) this.#doneUpTo = Math.max(this.#doneUpTo, change.doneUpTo);
    }
    if (this.#bytes > COMPACT_BYTES) {
      const left = waiting();
      // What is new is among what waits, and is written with it.
      if (left.length === 0 || this.#bytes > 2 * this.maxBytes) return this.#rewrite(left);
    }
    await this.#append(changes.map(toLine).join(''));
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #append(text: string): Promise<void> {
    if (this.#file === undefined) throw new Error('the outbox is closed');
    const lines = this.#torn ? `\n${text}` : text;
    this.#torn = true;
    await this.#file.appendFile(lines);
    this.#bytes += text.length;
    await this.#file.datasync();
    this.#torn = false;
  }

  async #rewrite(entries: readonly Entry<T>[]): Promise<void> {
    const lines = entries.map((put) => toLine({ put, json: JSON.stringify(put.item) }));
    const text = [toLine({ doneUpTo: this.#doneUpTo }), ...lines].join('');
    const aside = `${this.name}.tmp`;
    const file = await open(aside, 'w', 0o600);
    try {
      await file.appendFile(text);
      await file.sync();
      await rename(aside, this.name);
    } catch (error) {
      await file.close();
      throw error;
    }
    await this.#file?.close();
    this.#file = file;
    this.#bytes = text.length;
    this.#torn = false;
  }
}

function toLine<T>(change: Change<T>): string {
  if ('dropped' in change) return '';
  if ('doneUpTo' in change) return `${JSON.stringify({ done: change.doneUpTo } satisfies Line<T>)}\n`;
  const { number, incarnation } = change.put;
  return `{"n":${number},"i":${incarnation},"v":${change.json}}\n`;
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
