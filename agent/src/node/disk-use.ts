import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What a folder takes on disk. */
export interface DiskUse {
  bytes: number;
  files: number;
}

const BLOCK = 512;

/** Adds up a folder and all below it; what vanishes meanwhile counts nothing. Links are not followed. */
export async function folderUse(folder: string): Promise<DiskUse> {
  const use = { bytes: 0, files: 0 };
  const names = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of names) {
    const path = join(folder, entry.name);
    const found = await lstat(path).catch(() => undefined);
    use.files += 1;
    use.bytes += (found?.blocks ?? 0) * BLOCK;
    if (!entry.isDirectory()) continue;
    const below = await folderUse(path);
    use.bytes += below.bytes;
    use.files += below.files;
  }
  return use;
}

/** Bytes in files that a process has deleted and still holds open: they are in no folder any more. Only where there is /proc. */
export async function deletedUse(pid: number): Promise<number> {
  const folder = `/proc/${pid}/fd`;
  let bytes = 0;
  for (const fd of await readdir(folder).catch(() => [])) {
    const target = await readlink(join(folder, fd)).catch(() => '');
    if (!target.startsWith('/') || !target.endsWith(' (deleted)')) continue;
    const found = await stat(join(folder, fd)).catch(() => undefined);
    bytes += (found?.blocks ?? 0) * BLOCK;
  }
  return bytes;
}
