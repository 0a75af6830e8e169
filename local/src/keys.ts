import { randomBytes } from 'node:crypto';
import { constants, type FileHandle, mkdir, open, rename, writeFile } from 'node:fs/promises';
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
  const text = await readPrivate(path);
  if (text !== undefined) return parseKeys(text, path);
  const keys: StackKeys = {
    publishable: `sb_publishable_${randomBytes(24).toString('base64url')}`,
    secret: `sb_secret_${randomBytes(24).toString('base64url')}`,
    jwtSecret: randomBytes(32).toString('hex'),
  };
  await writeJsonFile(path, keys);
  return keys;
}

/**
 * The text of a file that only we can read; nothing when it is not there. Keys that a cloned repository brings along are known to
 * who wrote it, and as git stores no mode that is private, they are found out by theirs.
 */
async function readPrivate(path: string): Promise<string | undefined> {
  let file: FileHandle;
  try {
    // A link leads to a file that somebody else chose.
    file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP') throw foreign(path, 'is a link');
    throw error;
  }
  try {
    const { uid, mode } = await file.stat();
    const mine = process.geteuid?.();
    // Windows knows neither.
    if (mine !== undefined && uid !== mine) throw foreign(path, `belongs to user ${uid}, not to you`);
    if (mine !== undefined && (mode & 0o077) !== 0)
      throw foreign(path, `is open to others (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

function foreign(path: string, why: string): StackError {
  return new StackError(
    'keys',
    'KEYS_EXPOSED',
    `${path} ${why}: its keys may be known to somebody else, and are not used`,
    {
      hint: 'remove it for new keys (sessions and stored keys then end); if they are yours, chown it to you and chmod 600 it',
    },
  );
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
