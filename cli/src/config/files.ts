import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StarkError, usageError } from '@stark-o/core/errors';
import { refuseForeign } from './owner.js';
import { textOf } from './text.js';

/** Reads a JSON object of ours; nothing when the file is not there, a usage error naming the file when it is not that. */
export async function readJsonFile(path: string): Promise<Record<string, unknown> | undefined> {
  const text = await readOwnFile(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usageError(`${path} is not valid JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usageError(`${path} must hold a JSON object`);
  }
  return value as Record<string, unknown>;
}

/** Reads a file that is ours or root's, and so is the link that leads to it; nothing when it is not there. */
export async function readOwnFile(path: string): Promise<string | undefined> {
  try {
    refuseForeign(path, await lstat(path));
    const file = await open(path);
    try {
      refuseForeign(path, await file.stat());
      return textOf(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof StarkError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw usageError(`cannot read ${path}: ${code}`);
  }
}

/** Writes a file that only its owner may read, in a folder likewise; readers see the old text or the new, never half. */
export async function writePrivateJson(path: string, value: unknown): Promise<void> {
  await makePrivateDirectory(dirname(path));
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw unwritable(path, error);
  }
}

/**
 * Makes a folder with mode 0700, and takes the rights of others away from one of ours that is already there. A folder of
 * somebody else, a volume for example, keeps its mode; what we write there is private nevertheless.
 */
export async function makePrivateDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    if (process.platform !== 'win32') await chmod(path, 0o700).catch(unlessForeign);
  } catch (error) {
    throw unwritable(path, error);
  }
}

function unlessForeign(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPERM') throw error;
}

function unwritable(path: string, cause: unknown): StarkError {
  return new StarkError(`cannot write ${path}: ${(cause as NodeJS.ErrnoException).code}`, {
    code: 'CONFIG_UNWRITABLE',
    hint: 'set STARK_CONFIG_DIR to a folder that you may write',
    cause,
  });
}
