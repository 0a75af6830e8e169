import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { StarkError } from '@stark-o/core/errors';

export interface LockOptions {
  /** How long to wait for another process. */
  timeoutMs?: number;
  /** A lock older than this belongs to a process that is gone or stuck. */
  staleMs?: number;
}

interface Holder {
  pid: number;
  since: number;
  id: string;
}

/** Runs work while no other process holds the lock file; a lock whose holder died is taken over. */
export async function withFileLock<T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const { timeoutMs = 15_000, staleMs = 30_000 } = options;
  const deadline = Date.now() + timeoutMs;
  const id = randomBytes(8).toString('hex');
  while (!(await take(path, id))) {
    const holder = await read(path);
    if (holder !== undefined && isGone(holder, staleMs)) await takeAway(path, holder);
    else if (Date.now() > deadline) {
      throw new StarkError(`waited ${timeoutMs / 1000} s for ${path}, held by process ${holder?.pid ?? 'unknown'}`, {
        code: 'SESSION_LOCKED',
        hint: `rm ${path}`,
      });
    } else await sleep(20 + Math.random() * 40);
  }
  try {
    return await work();
  } finally {
    if ((await read(path))?.id === id) await rm(path, { force: true });
  }
}

async function take(path: string, id: string): Promise<boolean> {
  const holder: Holder = { pid: process.pid, since: Date.now(), id };
  try {
    await writeFile(path, JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function read(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch {
    // Gone, or just being written.
    return undefined;
  }
}

function isGone(holder: Holder, staleMs: number): boolean {
  if (Date.now() - holder.since > staleMs) return true;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

// Renaming decides which of several waiters removes a dead lock. When it turns out that a living one was renamed,
// because another waiter was quicker, it is put back unless somebody has taken the place meanwhile.
async function takeAway(path: string, dead: Holder): Promise<void> {
  const aside = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const taken = await read(aside);
  if (taken !== undefined && taken.id !== dead.id) {
    await writeFile(path, JSON.stringify(taken), { flag: 'wx', mode: 0o600 }).catch(() => {});
  }
  await rm(aside, { force: true });
}
