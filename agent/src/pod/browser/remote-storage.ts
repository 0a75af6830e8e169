import type { PackStorage } from '@stark-o/core';
import { storageName, storageText } from '../shared/storage-rules.js';
import type { StorageRequest } from './protocol.js';

/** More than this many requests wait for each other here, not at the agent. */
const MAX_UNDERWAY = 64;

/** `ctx.storage` of a pod that has no disk: it asks its agent for everything. */
export class RemoteStorage implements PackStorage {
  #next = 1;
  readonly #underway = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly send: (id: number, request: StorageRequest) => void) {}

  async get<T = unknown>(key: string): Promise<T | undefined> {
    storageName(key);
    const text = await this.#ask({ op: 'get', key });
    return typeof text === 'string' ? (JSON.parse(text) as T) : undefined;
  }

  async set(key: string, value: unknown): Promise<void> {
    storageName(key);
    await this.#ask({ op: 'set', key, value: storageText(key, value) });
  }

  async delete(key: string): Promise<void> {
    storageName(key);
    await this.#ask({ op: 'delete', key });
  }

  async keys(prefix = ''): Promise<string[]> {
    return (await this.#ask({ op: 'keys', prefix })) as string[];
  }

  /** Takes over an answer of the agent. */
  answered(id: number, value: unknown, error: string | undefined): void {
    const asked = this.#underway.get(id);
    this.#underway.delete(id);
    this.#waiting.shift()?.();
    if (error === undefined) asked?.resolve(value);
    else asked?.reject(new Error(error));
  }

  async #ask(request: StorageRequest): Promise<unknown> {
    if (this.#underway.size >= MAX_UNDERWAY) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#underway.set(id, { resolve, reject });
      this.send(id, request);
    });
  }
}
