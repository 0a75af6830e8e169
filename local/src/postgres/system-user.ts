import { execFile } from 'node:child_process';
import { chown, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { ClusterError } from './errors.js';

const run = promisify(execFile);

/** The operating-system account Postgres runs as; empty when it is simply ours. */
export type SystemUser = { readonly uid: number; readonly gid: number } | Record<string, never>;

/** Postgres refuses to run as root: then the account `postgres` is used, and made when it does not exist. */
export async function findSystemUser(): Promise<SystemUser> {
  if (process.getuid?.() !== 0) return {};
  const found = await lookUp('postgres');
  if (found !== null) return found;
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres']);
  } catch (cause) {
    // Two stacks that start side by side may both try: the loser finds the winner's account.
    const made = await lookUp('postgres');
    if (made !== null) return made;
    throw new ClusterError(
      'NO_SYSTEM_USER',
      'Postgres cannot run as root, and no account "postgres" could be made; run as an ordinary user',
      { cause },
    );
  }
  const made = await lookUp('postgres');
  if (made === null) throw new ClusterError('NO_SYSTEM_USER', 'the account "postgres" was made but cannot be found');
  return made;
}

async function lookUp(name: string): Promise<SystemUser | null> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number.parseInt(uid.stdout, 10), gid: Number.parseInt(gid.stdout, 10) };
  } catch {
    return null;
  }
}

/** Makes a folder that only the given account may enter. */
export async function makePrivateDirectory(directory: string, user: SystemUser): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if ('uid' in user) await chown(directory, user.uid, user.gid);
}

/** Fails with the name of the first folder on the way that the account may not enter. */
export async function ensureReachable(target: string, user: SystemUser): Promise<void> {
  if (!('uid' in user)) return;
  const ancestors: string[] = [];
  for (let folder = path.dirname(target); ; folder = path.dirname(folder)) {
    ancestors.unshift(folder);
    if (folder === path.dirname(folder)) break;
  }
  for (const folder of ancestors) {
    const { mode, uid, gid } = await stat(folder);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) {
      throw new ClusterError(
        'DATA_DIR_UNREACHABLE',
        `Postgres runs as the account "postgres" because we are root, and that account may not enter ${folder}, which is on the way to ${target}; choose another folder or run as an ordinary user`,
      );
    }
  }
}
