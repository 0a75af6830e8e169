import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, renameSync } from 'node:fs';
import { chmod, lstat, readdir, rename, rm, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const SLASH = Buffer.from('/');
/** Systems take paths of 4096 bytes at most, some of 1024. A folder further down is moved up before it is looked into. */
const LONG_PATH = 700;
/** What somebody else has removed meanwhile, or filled. */
const VANISHED = new Set(['ENOENT', 'ENOTEMPTY']);

/** Removes a folder and all in it, also what a pod left to be in the way: chains deeper than any path, closed folders, names that are no text. */
export async function removeFolder(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch {
    // Other branches of it go on removing for a moment after it has given up.
    for (let more = 3; more > 0 && existsSync(folder); more -= 1) {
      await removeStubborn(folder).catch((error: NodeJS.ErrnoException) => {
        if (more === 1 || !VANISHED.has(error.code ?? '')) throw error;
      });
    }
  }
}

/**
 * Takes a folder or file away at once, and removes it meanwhile, which may take long. It waits in `place`, a folder of the same file
 * system that is itself removed one day, should this end before.
 */
export function takeAway(path: string, place: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (found.isDirectory()) chmodSync(path, 0o700); // To move a folder, one must be able to write it.
  const aside = join(place, `.gone-${randomUUID()}`);
  renameSync(path, aside);
  void removeFolder(aside).catch(() => {});
}

async function removeStubborn(folder: string): Promise<void> {
  const root = Buffer.from(folder);
  const emptied: Buffer<ArrayBuffer>[] = [];
  const waiting = [root];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    emptied.push(path);
    await chmod(path, 0o700).catch(() => {}); // Where it is not ours, the listing says so.
    for (const name of await readdir(path, { encoding: 'buffer' })) {
      const at = Buffer.concat([path, SLASH, name]);
      if (!(await lstat(at)).isDirectory()) await unlink(at);
      else if (at.length - root.length < LONG_PATH) waiting.push(at);
      else waiting.push(await moved(at, folder));
    }
  }
  // A folder was listed before those in it.
  for (const path of emptied.reverse()) await rmdir(path);
}

async function moved(path: Buffer<ArrayBuffer>, folder: string): Promise<Buffer<ArrayBuffer>> {
  const place = join(folder, randomUUID());
  // To move a folder, one must be able to write it: its own entry `..` changes.
  await chmod(path, 0o700).catch(() => {});
  await rename(path, place);
  return Buffer.from(place);
}
