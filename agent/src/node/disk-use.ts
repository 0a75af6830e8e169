import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What a folder takes on disk. */
export interface DiskUse {
  bytes: number;
  files: number;
  /** Why there may be more than was counted. */
  unmeasured?: string;
}

const BLOCK = 512;
const SLASH = Buffer.from('/');
/** What is gone by the time it is looked at counts nothing. */
const VANISHED = new Set(['ENOENT', 'ENOTDIR']);

/**
 * Adds up a folder and all below it, and stops at `mostFiles`. Links are not followed. Names are taken as bytes, since they need not be
 * UTF-8; what cannot be looked at, such as a folder whose path is longer than the system takes, is told.
 */
export async function folderUse(folder: string, mostFiles = Number.POSITIVE_INFINITY): Promise<DiskUse> {
  const use: DiskUse = { bytes: 0, files: 0 };
  const waiting: Buffer[] = [Buffer.from(folder)];
  try {
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      for (const entry of await entriesOf(path)) {
        const at = Buffer.concat([path, SLASH, entry.name]);
        use.files += 1;
        use.bytes += (await blocksOf(at)) * BLOCK;
        if (entry.isDirectory()) waiting.push(at);
        if (use.files > mostFiles) return use;
      }
    }
  } catch (error) {
    use.unmeasured = (error as NodeJS.ErrnoException).code ?? String(error);
  }
  return use;
}

async function entriesOf(path: Buffer) {
  try {
    return await readdir(path, { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    if (VANISHED.has((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

async function blocksOf(path: Buffer): Promise<number> {
  try {
    return (await lstat(path)).blocks;
  } catch (error) {
    if (VANISHED.has((error as NodeJS.ErrnoException).code ?? '')) return 0;
    throw error;
  }
}

/**
 * Bytes in files that these processes have deleted and still hold open: they are in no folder any more. Undefined when a process
 * does not let itself be looked into; 0 where there is no /proc.
 */
export async function deletedUse(pids: readonly number[]): Promise<number | undefined> {
  let bytes = 0;
  for (const pid of pids) {
    const hidden = await deletedBy(pid);
    if (hidden === undefined) return undefined;
    bytes += hidden;
  }
  return bytes;
}

async function deletedBy(pid: number): Promise<number | undefined> {
  const folder = `/proc/${pid}/fd`;
  let bytes = 0;
  try {
    for (const fd of await readdir(folder)) {
      const target = await readlink(join(folder, fd)).catch(() => '');
      if (!target.startsWith('/') || !target.endsWith(' (deleted)')) continue;
      const found = await stat(join(folder, fd)).catch(() => undefined);
      bytes += (found?.blocks ?? 0) * BLOCK;
    }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return code === 'EACCES' || code === 'EPERM' ? undefined : bytes;
  }
  return bytes;
}
