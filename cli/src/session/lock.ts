import { setTimeout as sleep } from 'node:timers/promises';
import { StarkError } from '@stark-o/core/errors';
import { FileLockError, lockHolder, tryLock } from '@stark-o/file-lock';

export interface LockOptions {
  /** How long to wait for another process. */
  timeoutMs?: number;
}

/** Runs work while no other process holds the lock of this file. */
export async function withFileLock<T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const { timeoutMs = 15_000 } = options;
  const deadline = performance.now() + timeoutMs;
  let lock = take(path);
  while (lock === undefined) {
    if (performance.now() > deadline) throw stillHeld(path, timeoutMs);
    await sleep(20 + Math.random() * 40);
    lock = take(path);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

function take(path: string) {
  try {
    return tryLock(path);
  } catch (cause) {
    if (!(cause instanceof FileLockError)) throw cause;
    throw new StarkError(cause.message, {
      code: cause.code,
      hint: 'set STARK_CONFIG_DIR to a folder of yours on a disk of this machine',
      cause,
    });
  }
}

function stillHeld(path: string, timeoutMs: number): StarkError {
  const holder = lockHolder(path);
  return new StarkError(`waited ${timeoutMs / 1000} s for ${path}, held by process ${holder ?? 'unknown'}`, {
    code: 'SESSION_LOCKED',
    hint: holder === undefined ? `fuser ${path} shows the process; end it` : `end process ${holder}`,
  });
}
