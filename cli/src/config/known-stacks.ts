import { join } from 'node:path';
import type { KnownStacks } from '@stark-o/agent/known-stack';
import { readJsonFile, writePrivateJson } from './files.js';

/** The stacks that this person knows, as ssh has its known_hosts: by their URL, the key that each proves to have. */
export class KnownStacksFile implements KnownStacks {
  readonly #path: string;

  constructor(configDirectory: string) {
    this.#path = join(configDirectory, 'known-stacks.json');
  }

  async read(origin: string): Promise<string | undefined> {
    const key = (await readJsonFile(this.#path))?.[origin];
    return typeof key === 'string' ? key : undefined;
  }

  async keep(origin: string, key: string): Promise<void> {
    const all = (await readJsonFile(this.#path)) ?? {};
    if (all[origin] !== key) await writePrivateJson(this.#path, { ...all, [origin]: key });
  }
}
