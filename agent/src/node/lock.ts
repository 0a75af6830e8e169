import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StarkError } from '@stark-o/core';
import { startOf } from './process-use.js';

/** A takeover is a few system calls; a guard older than this belongs to a process that died in the middle of one. */
const TAKEOVER_MS = 10_000;

interface Owner {
  pid: number;
  started: string | undefined;
}

/** Takes a folder for this process alone; the answer gives it back. A lock whose owner is dead is taken over. */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'agent.lock');
  const mine = join(directory, `agent.lock.${randomUUID()}`);
  const owner: Owner = { pid: process.pid, started: startOf(process.pid) };
  await writeFile(mine, JSON.stringify(owner), { mode: 0o600 });
  try {
    if (!(await appear(mine, path))) await takeOver(mine, path, directory);
  } finally {
    await rm(mine, { force: true });
  }
  return () => rm(path, { force: true });
}

/** A link appears whole and at once, or not at all. */
async function appear(mine: string, path: string): Promise<boolean> {
  try {
    await link(mine, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Takes the lock of an owner that is no more. Somebody else doing the same at the same moment could remove this one's new
 * lock, so the look, the removal and the new lock stand under a guard of their own.
 */
async function takeOver(mine: string, path: string, directory: string): Promise<void> {
  const guard = `${path}.takeover`;
  const since = await stat(guard).catch(() => undefined);
  if (since !== undefined && Date.now() - since.mtimeMs > TAKEOVER_MS) await rm(guard, { force: true });
  if (!(await appear(mine, guard))) throw inUse(directory, 'another agent');
  try {
    const text = await readFile(path, 'utf8').catch(() => '');
    const owner = parse(text);
    if (owner !== undefined && isAlive(owner)) throw inUse(directory, `another agent (process ${owner.pid})`);
    await rm(path, { force: true });
    if (!(await appear(mine, path))) throw inUse(directory, 'another agent');
  } finally {
    await rm(guard, { force: true });
  }
}

function inUse(directory: string, who: string): StarkError {
  return new StarkError(`${who} already works on ${directory}`, {
    code: 'NODE_IN_USE',
    status: 409,
    hint: 'give this node another --name, or stop that agent first',
  });
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
  // The number may have been given to somebody else since.
  const now = startOf(pid);
  return started === undefined || now === undefined || now === started;
}
