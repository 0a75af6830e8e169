import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StarkError } from '@stark-o/core';
import { startOf } from './orphans.js';

const TRIES = 5;

interface Owner {
  pid: number;
  started: string | undefined;
}

/** Takes a folder for this process alone; the answer gives it back. A lock whose owner is dead is taken over. */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'agent.lock');
  const mine = join(directory, `agent.lock.${randomUUID()}`);
  const text = JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies Owner);
  await writeFile(mine, text, { mode: 0o600 });
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        // A link appears whole and at once, or not at all.
        await link(mine, path);
        return async () => rm(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      await takeAway(path, directory);
    }
  } finally {
    await rm(mine, { force: true });
  }
  throw new StarkError(`cannot lock ${directory}: too many agents try at once`, { code: 'NODE_IN_USE' });
}

/** Moves a dead owner's lock aside; throws when its owner lives. */
async function takeAway(path: string, directory: string): Promise<void> {
  const seen = await readFile(path, 'utf8').catch(() => undefined);
  if (seen === undefined) return;
  const owner = parse(seen);
  if (owner !== undefined && isAlive(owner)) {
    throw new StarkError(`another agent (process ${owner.pid}) already works on ${directory}`, {
      code: 'NODE_IN_USE',
      status: 409,
      hint: 'give this node another --name, or stop that agent first',
    });
  }
  const aside = `${path}.stale.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return; // Somebody else was faster.
  }
  // Between reading and moving, somebody else may have taken over: then give back what is theirs.
  const moved = await readFile(aside, 'utf8').catch(() => undefined);
  if (moved !== seen) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

function parse(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Owner;
    return typeof owner.pid === 'number' ? owner : undefined;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startOf(pid);
  return started === undefined || now === undefined || now === started;
}
