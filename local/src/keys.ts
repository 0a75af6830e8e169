import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StackError } from './errors.js';

/** The secrets of one data directory: made once, kept with mode 0600, the same after every start. */
export interface StackKeys {
  publishable: string;
  secret: string;
  jwtSecret: string;
}

/** Reads the keys of a data directory, or makes them on the first start. */
export async function loadKeys(dataDir: string): Promise<StackKeys> {
  const path = join(dataDir, 'keys.json');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text !== undefined) return parseKeys(text, path);
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

function parseKeys(text: string, path: string): StackKeys {
  try {
    const { publishable, secret, jwtSecret } = JSON.parse(text);
    if ([publishable, secret, jwtSecret].every((key) => typeof key === 'string' && key !== '')) {
      return { publishable, secret, jwtSecret };
    }
  } catch {
    // Told below, with the file's name.
  }
  throw new StackError('keys', 'KEYS_CORRUPT', `${path} is damaged: it should hold three keys as JSON`, {
    hint: 'restore it, or remove it to get new keys (sessions and stored keys then end)',
  });
}
