import type { Stats } from 'node:fs';
import { delimiter, dirname, resolve, sep } from 'node:path';
import { type StarkError, usageError } from '@stark-o/core/errors';

/** Whose files may tell us where to send things: our own, root's, and with sudo those of who called it. */
export function isTrusted(uid: number, env: NodeJS.ProcessEnv = process.env): boolean {
  const mine = process.geteuid?.();
  // Windows knows no such number.
  if (mine === undefined || uid === mine || uid === 0) return true;
  return mine === 0 && env.SUDO_UID !== undefined && Number(env.SUDO_UID) === uid;
}

/**
 * Refuses a file that somebody else could have put there: on a shared machine every folder above the one we work in may be
 * somebody's. The same as git's `safe.directory`.
 */
export function refuseForeign(path: string, stats: Pick<Stats, 'uid'>, env: NodeJS.ProcessEnv = process.env): void {
  if (isTrusted(stats.uid, env) || isDeclaredSafe(path, env.STARK_SAFE_DIRECTORY)) return;
  throw foreign(path, stats.uid);
}

function foreign(path: string, uid: number): StarkError {
  return usageError(
    `${path} belongs to user ${uid}, not to you, and is not read`,
    `look into it; if you trust it, take it over (chown) or set STARK_SAFE_DIRECTORY=${dirname(resolve(path))}`,
  );
}

function isDeclaredSafe(path: string, folders: string | undefined): boolean {
  if (!folders) return false;
  const inside = (folder: string) => resolve(path).startsWith(folder.endsWith(sep) ? folder : folder + sep);
  return folders.split(delimiter).some((folder) => folder === '*' || (folder !== '' && inside(resolve(folder))));
}
