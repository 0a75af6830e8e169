import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The secrets of one data directory: made once, kept with mode 0600, the same after every start. */
export interface StackKeys {
  publishable: string;
  secret: string;
  jwtSecret: string;
}

/** Reads the keys of a data directory, or makes them on the first start. */
export async function loadKeys(dataDir: string): Promise<StackKeys> {
  const path = join(dataDir, 'keys.json');
  try {
    return JSON.parse(await readFile(path, 'utf8')) as StackKeys;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const keys: StackKeys = {
    publishable: `sb_publishable_${randomBytes(24).toString('base64url')}`,
    secret: `sb_secret_${randomBytes(24).toString('base64url')}`,
    jwtSecret: randomBytes(32).toString('hex'),
  };
  await writeJsonFile(path, keys);
  return keys;
}

/** Writes a private JSON file so that a reader sees the old text or the new one, never half. */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(temporary, path);
}
