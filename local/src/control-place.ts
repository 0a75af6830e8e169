import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { StackError } from './errors.js';

// sun_path holds 107 bytes on Linux and 103 on macOS.
const longestSocketPath = 100;
const isWindows = process.platform === 'win32';

/**
 * Where the control socket of a data directory is: in it, or, where that is too deep, in a folder that only its owner can enter.
 * The data directory then says where, since who asks may have another environment than the stack.
 */
export async function findControl(dataDir: string): Promise<string> {
  const inside = insideOf(dataDir);
  if (isWindows || fits(inside)) return inside;
  const said = await readFile(pointerOf(dataDir), 'utf8').catch(() => '');
  return said.trim() || join(ownFolder(tmpdir()), nameOf(dataDir));
}

/** The same for the stack that is about to listen there: makes the folder, and says so in the data directory. */
export async function prepareControl(dataDir: string): Promise<string> {
  const inside = insideOf(dataDir);
  if (isWindows || fits(inside)) return inside;
  const path = join(await makeOwnFolder(dataDir), nameOf(dataDir));
  await writeFile(pointerOf(dataDir), `${path}\n`, { mode: 0o600 });
  return path;
}

/**
 * Refuses a socket that somebody else put there, or could put there: they would be asked for status and stop in the stack's
 * place, and answer with a URL of theirs. Nothing there is nobody.
 */
export async function refuseForeignControl(path: string): Promise<void> {
  if (isWindows) return;
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!isTrusted(found.uid)) throw unsafe(`control socket ${path} belongs to user ${found.uid}, not to you`);
  const folder = await lstat(dirname(path));
  const others = folder.mode & 0o1002;
  // In a folder with the sticky bit what is ours cannot be replaced.
  if (others === 0o0002) throw unsafe(`everybody may write to ${dirname(path)}, where the control socket is`);
}

const fits = (path: string) => Buffer.byteLength(path) <= longestSocketPath;
const pointerOf = (dataDir: string) => join(resolve(dataDir), 'control.path');
const ownFolder = (parent: string) => join(parent, `stark-${process.geteuid?.() ?? 'user'}`);
const nameOf = (dataDir: string) => `${digestOf(dataDir)}.sock`;
const digestOf = (dataDir: string) => createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16);

function insideOf(dataDir: string): string {
  return isWindows ? `\\\\.\\pipe\\stark-${digestOf(dataDir)}` : join(resolve(dataDir), 'control.sock');
}

async function makeOwnFolder(dataDir: string): Promise<string> {
  const given = process.env.XDG_RUNTIME_DIR;
  const wanted = given === undefined ? undefined : join(given, 'stark');
  // Made by the session manager for its user alone; a user who set it to something else gets the other folder.
  if (wanted !== undefined && fits(join(wanted, nameOf(dataDir))) && (await isPrivate(given as string))) {
    if (await isOwnFolder(wanted)) return wanted;
  }
  const folder = ownFolder(tmpdir());
  if (!fits(join(folder, nameOf(dataDir)))) throw unsafe(`${folder} is too deep for a control socket`);
  if (await isOwnFolder(folder)) return folder;
  throw unsafe(`${folder} is not yours alone, and the control socket would be in it`);
}

/** Whether this is a folder of ours, made now or before, that nobody else can enter; a link is none. */
async function isOwnFolder(folder: string): Promise<boolean> {
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.geteuid?.()) return false;
  if ((found.mode & 0o077) !== 0) await chmod(folder, 0o700);
  return true;
}

async function isPrivate(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.geteuid?.() && (found.mode & 0o077) === 0;
}

function isTrusted(uid: number): boolean {
  const mine = process.geteuid?.();
  if (uid === mine || uid === 0) return true;
  return mine === 0 && Number(process.env.SUDO_UID ?? Number.NaN) === uid;
}

function unsafe(message: string): StackError {
  return new StackError('lock', 'CONTROL_UNSAFE', message, {
    hint: 'choose a --data-dir of yours with a shorter path, or set XDG_RUNTIME_DIR to a folder that is yours alone',
  });
}
