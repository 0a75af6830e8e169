import { join } from 'node:path';
import { type KnownStacks, keyAt, withKeyAt } from '@stark-o/agent/known-stack';
import { readJsonFile, writePrivateJson } from './files.js';

/** The stacks that this person knows, as ssh has its known_hosts: by their URL, the key that each proves to have. */
export class KnownStacksFile implements KnownStacks {
  readonly #path: string;

  constructor(configDirectory: string) {
    this.#path = join(configDirectory, 'known-stacks.json');
  }

  async read(origin: string): Promise<string | undefined> {
    return keyAt(origin, (await readJsonFile(this.#path)) ?? {});
  }

  async keep(origin: string, key: string): Promise<void> {
    const all = (await readJsonFile(this.#path)) ?? {};
    const next = withKeyAt(origin, key, all);
    if (JSON.stringify(next) !== JSON.stringify(all)) await writePrivateJson(this.#path, next);
  }
}
