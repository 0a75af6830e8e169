import {
  type Dir,
  lstatSync,
  opendirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

/** What a folder takes on disk. */
export interface DiskUse {
  bytes: number;
  files: number;
  /** Why there may be more than was counted. */
  unmeasured?: string;
  /** Whether something was changed meanwhile, so that what was moved may have been missed. */
  changed: boolean;
}

/** A look that is taken step by step, so that nobody waits long for it. */
export type Steps<T> = Generator<void, T>;

const BLOCK = 512;
const SLASH = Buffer.from('/');
const ENTRIES_A_STEP = 200;
const DELETED_MAP = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ ([0-9a-f]+):([0-9a-f]+) ([1-9]\d*) .*\(deleted\)$/gm;
/** What is gone by the time it is looked at counts nothing. */
const VANISHED = new Set(['ENOENT', 'ENOTDIR']);

/** Takes all steps, and lets others have their turn between them. */
export async function all<T>(steps: Steps<T>, turn: () => Promise<unknown> = setImmediate): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await turn();
  }
}

/**
 * Adds up a folder and all below it, and stops beyond `maxFiles`. Links are not followed, and a file counts once whatever its names.
 * Names are taken as bytes, since they need not be UTF-8; what cannot be looked at, such as a folder whose path is longer than the
 * system takes, is told. So is whether anything was changed after `since`, by times that nobody can set.
 */
export function* folderUse(
  folder: string,
  { maxFiles = Number.POSITIVE_INFINITY, since = Number.POSITIVE_INFINITY } = {},
): Steps<DiskUse> {
  const use: DiskUse = { bytes: 0, files: 0, changed: false };
  const seen: Buffer[] = [];
  const linked = new Set<string>();
  const waiting: Buffer[] = [Buffer.from(folder)];
  try {
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      seen.push(path);
      for (const entry of entriesOf(path)) {
        const at = Buffer.concat([path, SLASH, entry.name]);
        use.files += 1;
        const found = statOf(at);
        if (found === undefined || found.ctimeMs >= since) use.changed = true;
        if (entry.isDirectory()) waiting.push(at);
        else if (found !== undefined && found.nlink > 1 && isKnown(linked, found)) continue;
        use.bytes += (found?.blocks ?? 0) * BLOCK;
        if (use.files > maxFiles) return use;
        if (use.files % ENTRIES_A_STEP === 0) yield;
      }
    }
    // What was moved from a folder that was not looked at yet into one that was.
    for (const [at, path] of seen.entries()) {
      if ((statOf(path)?.ctimeMs ?? since) >= since) use.changed = true;
      if (at % ENTRIES_A_STEP === ENTRIES_A_STEP - 1) yield;
    }
  } catch (error) {
    use.unmeasured = (error as NodeJS.ErrnoException).code ?? String(error);
  }
  return use;
}

function* entriesOf(path: Buffer) {
  let folder: Dir | undefined;
  try {
    folder = opendirSync(path as unknown as string, {
      encoding: 'buffer' as BufferEncoding,
      bufferSize: ENTRIES_A_STEP,
    });
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
      yield entry as unknown as { name: Buffer; isDirectory(): boolean };
    }
  } catch (error) {
    if (!VANISHED.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    folder?.closeSync();
  }
}

function statOf(path: Buffer): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (VANISHED.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Whether a file was counted by another of its names. */
function isKnown(known: Set<string>, { dev, ino }: Stats): boolean {
  const file = `${dev} ${ino}`;
  if (known.has(file)) return true;
  known.add(file);
  return false;
}

/**
 * Bytes in files that these processes have deleted and still hold open or in their memory: they are in no folder any more. Undefined
 * when a process does not let itself be looked into; 0 where there is no /proc.
 */
export function* deletedUse(pids: readonly number[]): Steps<number | undefined> {
  let bytes = 0;
  let seen = 0;
  const known = new Set<string>();
  for (const pid of pids) {
    const folder = `/proc/${pid}/fd`;
    try {
      for (const fd of readdirSync(folder)) {
        const found = deletedFile(join(folder, fd));
        if (found !== undefined && !isKnown(known, found)) bytes += found.blocks * BLOCK;
        seen += 1;
        if (seen % ENTRIES_A_STEP === 0) yield;
      }
      for (const [file, size] of deletedMaps(pid)) {
        if (known.has(file)) continue;
        known.add(file);
        bytes += size;
        yield;
      }
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code === 'EACCES' || code === 'EPERM') return undefined;
    }
  }
  return bytes;
}

/** Files without a name of which parts are in the memory of a process, by device and number, and how much that is. */
function deletedMaps(pid: number): Map<string, number> {
  const found = new Map<string, number>();
  for (const [, from, to, major, minor, inode] of readFileSync(`/proc/${pid}/maps`, 'latin1').matchAll(DELETED_MAP)) {
    const device = makeDevice(Number.parseInt(major as string, 16), Number.parseInt(minor as string, 16));
    const file = `${device} ${inode}`;
    const size = Number.parseInt(to as string, 16) - Number.parseInt(from as string, 16);
    found.set(file, (found.get(file) ?? 0) + size);
  }
  return found;
}

/** As `stat` says it. */
const makeDevice = (major: number, minor: number) =>
  (minor & 0xff) + (major & 0xfff) * 0x100 + Math.floor(minor / 0x100) * 0x100000;

function deletedFile(path: string): Stats | undefined {
  try {
    const target = readlinkSync(path);
    if (!target.startsWith('/') || !target.endsWith(' (deleted)')) return undefined;
    return statSync(path);
  } catch {
    return undefined; // It was closed meanwhile.
  }
}
