import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { usageError } from '@stark-o/core';
import type { SessionStore, Tokens } from '../control-plane/join.js';
import { type KnownStacks, keyAt, withKeyAt } from './known-stack.js';

/** The session of a node that joined, in its folder, for its owner's eyes alone. It names its cluster, and is shown to no other. */
export class SessionFile implements SessionStore {
  readonly #path: string;

  constructor(
    folder: string,
    private readonly url: string,
  ) {
    this.#path = join(folder, 'session.json');
  }

  async read(): Promise<Tokens | undefined> {
    const text = await readOr(this.#path);
    if (text === undefined) return undefined;
    try {
      const { url, accessToken, refreshToken } = JSON.parse(text) as Tokens & { url: string };
      return url === this.url ? { accessToken, refreshToken } : undefined;
    } catch {
      throw usageError(
        `${this.#path} is no session`,
        `remove it, and start the agent with --token and a new join token`,
      );
    }
  }

  keep(tokens: Tokens): Promise<void> {
    return writePrivate(this.#path, JSON.stringify({ url: this.url, ...tokens }));
  }

  forget(): Promise<void> {
    return rm(this.#path, { force: true });
  }
}

/** The stacks that a node knows, in its folder. */
export class KnownStackFile implements KnownStacks {
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, 'known-stacks.json');
  }

  async read(origin: string): Promise<string | undefined> {
    return keyAt(origin, await this.#all());
  }

  async keep(origin: string, key: string): Promise<void> {
    await writePrivate(this.#path, JSON.stringify(withKeyAt(origin, key, await this.#all())));
  }

  async #all(): Promise<Record<string, string>> {
    const text = await readOr(this.#path);
    if (text === undefined) return {};
    try {
      return JSON.parse(text) as Record<string, string>;
    } catch {
      throw usageError(`${this.#path} is damaged`, 'remove it, when the stack that runs is the right one');
    }
  }
}

/** Which installation of the agent this is, and which one it was before. */
export interface Installation {
  id: string;
  replaces: string | undefined;
  /** The cluster knows it now, and what it replaced is no more. */
  confirm(): Promise<void>;
}

/**
 * A new installation in place of the one that this folder was. Each start has its own, so that of a folder and its copy, as on
 * a machine that was cloned, only one can be the node.
 */
export async function nextInstallation(folder: string): Promise<Installation> {
  const path = join(folder, 'installation');
  const ids = ((await readOr(path)) ?? '').match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/gm) ?? [];
  // Two stand there when an earlier start did not get to know whether the cluster had heard of it.
  const [replaces, id = randomUUID()] = ids;
  const write = (...lines: string[]) => writePrivate(path, `${lines.join('\n')}\n`);
  await (replaces === undefined ? write(id) : write(replaces, id));
  return { id, replaces, confirm: () => write(id) };
}

async function readOr(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

// Renamed into place, so that a crash leaves the old text or the new, and never half a token.
async function writePrivate(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flush: true });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
