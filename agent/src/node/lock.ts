import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StarkError } from '@stark-o/core';
import { FileLockError, lockHolder, tryLock } from '@stark-o/file-lock';

/** Takes a folder for this process alone; the answer gives it back. */
export async function lockDirectory(directory: string): Promise<() => void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'agent.lock');
  try {
    const lock = tryLock(path);
    if (lock === undefined) throw inUse(directory, lockHolder(path));
    return lock.release;
  } catch (cause) {
    if (!(cause instanceof FileLockError)) throw cause;
    throw new StarkError(cause.message, {
      code: cause.code,
      hint: 'give the agent another --data-dir, on a disk of this machine',
      cause,
    });
  }
}

function inUse(directory: string, holder: string | undefined): StarkError {
  const who = holder === undefined ? 'another agent' : `another agent (process ${holder})`;
  return new StarkError(`${who} already works on ${directory}`, {
    code: 'NODE_IN_USE',
    status: 409,
    hint: 'give this node another --name, or stop that agent first',
  });
}
