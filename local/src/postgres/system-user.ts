import { execFile } from 'node:child_process';
import { chown, mkdir, readFile, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ClusterError } from './errors.js';

const run = promisify(execFile);

/** An account of the operating system. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The account to run as; empty when it is simply ours. */
export type SystemUser = Account | Record<string, never>;

let systemUser: Promise<SystemUser> | undefined;

/** The account to run Postgres as. It is looked up once a process, since each look is two programs; a failure is tried again. */
export async function findSystemUser(): Promise<SystemUser> {
  systemUser ??= lookUpSystemUser();
  try {
    return await systemUser;
  } catch (error) {
    systemUser = undefined;
    throw error;
  }
}

/** Postgres refuses to run as root: then the account `postgres` is used, and made when it does not exist. */
async function lookUpSystemUser(): Promise<SystemUser> {
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

/** initdb asks the system for the name of its account; no option tells it one. A server that is made already needs none. */
export function refuseNameless(user: SystemUser): void {
  if (isAccount(user)) return;
  try {
    userInfo();
  } catch (cause) {
    throw new ClusterError(
      'NAMELESS_ACCOUNT',
      `no database can be made by account ${process.getuid?.()}: it has no name, and initdb needs one`,
      { cause },
    );
  }
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

/** A program with its arguments, and the account to give it at its start. */
export interface Launch {
  readonly command: string;
  readonly args: string[];
  readonly user: SystemUser;
}

/**
 * How to run a program of Postgres as `user`. Where root's own folders (a home, a temporary folder) stand between that account
 * and one of `paths`, the program gets the single capability that opens the way; its account stays the unprivileged one.
 */
export async function launchAs(user: SystemUser, command: string, args: string[], paths: string[]): Promise<Launch> {
  if (!isAccount(user)) return { command, args, user };
  const barriers = await Promise.all(paths.map((target) => firstBarrier(target, user)));
  const barrier = barriers.find((folder) => folder !== null);
  if (barrier === undefined) return { command, args, user };
  const capability = await passCapability();
  if (capability === null) {
    throw new ClusterError(
      'DATA_DIR_UNREACHABLE',
      `Postgres runs as the account "postgres" because we are root, and that account may not enter ${barrier}; choose another folder or run as an ordinary user`,
    );
  }
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  // access(2), by which initdb looks for the server's program, heeds capabilities only under this secure bit.
  const grant = ['--securebits=+no_setuid_fixup', `--inh-caps=+${capability}`, `--ambient-caps=+${capability}`];
  return { command: 'setpriv', args: [...identity, ...grant, command, ...args], user: {} };
}

/** The first folder on the way to `target` that the account may not enter. */
async function firstBarrier(target: string, user: Account): Promise<string | null> {
  const ancestors: string[] = [];
  for (let folder = path.dirname(target); ; folder = path.dirname(folder)) {
    ancestors.unshift(folder);
    if (folder === path.dirname(folder)) break;
  }
  for (const folder of ancestors) {
    const { mode, uid, gid } = await stat(folder);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return folder;
  }
  return null;
}

/** The least capability of ours that passes folders, if setpriv is there to hand it on; containers often lack the first. */
async function passCapability(): Promise<string | null> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const ours = BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const capability = [
    { name: 'dac_read_search', bit: 2n },
    { name: 'dac_override', bit: 1n },
  ].find(({ bit }) => (ours & (1n << bit)) !== 0n);
  return capability !== undefined && (await hasSetpriv()) ? capability.name : null;
}

let setpriv: Promise<boolean> | undefined;

/** Whether util-linux's setpriv is there; asked once a process. */
function hasSetpriv(): Promise<boolean> {
  setpriv ??= run('setpriv', ['--version']).then(
    () => true,
    () => false,
  );
  return setpriv;
}

function isAccount(user: SystemUser): user is Account {
  return 'uid' in user;
}
