import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unpackAssets } from '../pod/shared/assets.js';

/** What was unpacked: the sum of each file by its name. */
type Manifest = Record<string, string>;

const sumOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Unpacks an archive into a folder of files that nobody may write, with their sums beside it. */
export async function unpackInto(folder: string, archive: Uint8Array): Promise<void> {
  const files = unpackAssets(archive);
  const aside = `${folder}.${randomUUID()}.tmp`;
  const manifest: Manifest = {};
  try {
    await mkdir(aside, { mode: 0o755 });
    for (const [name, bytes] of files) {
      const path = join(aside, name);
      await mkdir(dirname(path), { recursive: true, mode: 0o755 });
      await writeFile(path, bytes, { mode: 0o444 });
      manifest[name] = sumOf(bytes);
    }
    await removeUnpacked(folder);
    await writeFile(manifestOf(folder), JSON.stringify(manifest), { mode: 0o600 });
    await rename(aside, folder);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** Whether a folder still has all that was unpacked into it, unchanged. */
export async function isUnpacked(folder: string): Promise<boolean> {
  try {
    const manifest = JSON.parse(await readFile(manifestOf(folder), 'utf8')) as Manifest;
    for (const [name, sum] of Object.entries(manifest)) {
      if (sumOf(await readFile(join(folder, name))) !== sum) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Removes what was unpacked, or a single file, and the sums beside it. */
export async function removeUnpacked(folder: string): Promise<void> {
  await chmod(folder, 0o755).catch(() => {});
  await rm(folder, { recursive: true, force: true });
  await rm(manifestOf(folder), { force: true });
}

const manifestOf = (folder: string) => `${folder}.json`;
