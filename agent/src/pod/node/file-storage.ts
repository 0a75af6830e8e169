import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackStorage } from '@stark-o/core';
import { storageName, storageText } from '../shared/storage-rules.js';

const SUFFIX = '.json';

/** Each write waits for the disk, by a flag: under the permission model Node.js 24 refuses fsync. */
const DURABLE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_SYNC;

/** `ctx.storage` as one JSON file a key, in the pod's data folder. */
export class FileStorage implements PackStorage {
  #ready: Promise<unknown> | undefined;
  #writes = 0;

  constructor(private readonly directory: string) {}

  async get<T = unknown>(key: string): Promise<T | undefined> {
    try {
      return JSON.parse(await readFile(this.#path(key), 'utf8')) as T;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async set(key: string, value: unknown): Promise<void> {
    const path = this.#path(key);
    const text = storageText(key, value);
    this.#ready ??= mkdir(this.directory, { recursive: true });
    await this.#ready;
    // Written aside and renamed, so that a crash leaves the old value or the new one.
    this.#writes += 1;
    const aside = join(this.directory, `${this.#writes}.tmp`);
    const file = await open(aside, DURABLE, 0o600);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    await rename(aside, path);
  }

  async delete(key: string): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  async keys(prefix = ''): Promise<string[]> {
    try {
      const names = await readdir(this.directory);
      return names
        .filter((name) => name.endsWith(SUFFIX))
        .map((name) => decodeURIComponent(name.slice(0, -SUFFIX.length)))
        .filter((key) => key.startsWith(prefix))
        .sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  #path(key: string): string {
    const name = storageName(key) + SUFFIX;
    return join(this.directory, name);
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
