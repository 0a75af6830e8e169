import { closeSync, constants as fileModes, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { constants, hostname } from 'node:os';
import { loadAddon } from './addon.js';

/** A lock that this process holds: until it gives it back, or ends in whatever way. */
export interface FileLock {
  release(): void;
}

/** That a file cannot be locked at all, for a reason that waiting does not cure. */
export class FileLockError extends Error {
  override readonly name = 'FileLockError';
  readonly code = 'LOCK_UNAVAILABLE';

  constructor(path: string, cause: unknown) {
    super(`cannot lock ${path}: ${reasonOf(cause)}`, { cause });
  }
}

// Windows refuses to read a range that is locked, so the lock is on a byte far behind the text that names its holder.
// Elsewhere a lock hinders nobody who only reads, and macOS can lock a whole file only.
const range = process.platform === 'win32' ? { offset: 2 ** 30, length: 1 } : { offset: 0, length: 0 };

/**
 * Takes the lock of a file, which is made when it is missing; undefined when somebody else has it, this process included.
 *
 * The lock belongs to the open file. The kernel takes it away when the process ends, however it ends and whether or not its
 * parent has noticed, and never while the process lives, stopped or not. A child does not inherit the open file. What the
 * file says is for people; nothing is decided by it. The file stays when the lock is given back: were it removed, one process
 * could lock the removed file and another a new one.
 */
export function tryLock(path: string): FileLock | undefined {
  let file: number | undefined;
  try {
    const addon = loadAddon();
    // Writing is needed for a lock that excludes all others, on Linux.
    file = openSync(path, fileModes.O_RDWR | fileModes.O_CREAT, 0o600);
    addon.tryLock(file, range.offset, range.length, true);
  } catch (error) {
    if (file !== undefined) closeSync(file);
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw new FileLockError(path, error);
  }
  nameHolder(file);
  return { release: once(() => release(file)) };
}

/** Who has the lock of a file, or had it last: its process id, and its host where that is another; undefined when not known. */
export function lockHolder(path: string): string | undefined {
  try {
    const { pid, host } = JSON.parse(readFileSync(path, 'utf8')) as { pid?: unknown; host?: unknown };
    if (typeof pid !== 'number') return undefined;
    return typeof host === 'string' && host !== hostname() ? `${pid} on ${host}` : String(pid);
  } catch {
    return undefined;
  }
}

// A full disk costs the name of the holder, not the lock.
function nameHolder(file: number): void {
  try {
    ftruncateSync(file);
    writeSync(file, `${JSON.stringify({ pid: process.pid, host: hostname() })}\n`, 0);
  } catch {}
}

function release(file: number): void {
  try {
    ftruncateSync(file);
  } catch {
    // The name of one who is gone misleads nobody: it is asked for only while the lock is held.
  } finally {
    closeSync(file);
  }
}

/** A second call must not close a file that has been given the same number since. */
function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}

// libuv has no name for some of the numbers that mean "no locks here", ENOLCK of a network file system among them.
function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  const unnamed = /^Unknown system error -(\d+)$/.exec(code ?? '')?.[1];
  if (unnamed === undefined) return message;
  const name = Object.entries(constants.errno).find(([, number]) => number === Number(unnamed))?.[0];
  return name === undefined ? message : `${name}, the file system has no locks`;
}
