import { MAX_BUNDLE_BYTES } from '@stark-o/core/model';
import { unzipSync } from 'fflate';

/** As for a bundle with its assets: what travels packed fills no more when it is unpacked. */
const MAX_BYTES = MAX_BUNDLE_BYTES;
const MAX_FILES = 20_000;

/** Where the list of an archive's files stands, and what of each entry's head says which kind of file it is. */
const LIST_END = { signature: 0x06054b50, bytes: 22, longestComment: 65_535, count: 10, start: 16 };
const ENTRY = { signature: 0x02014b50, bytes: 46, system: 5, name: 28, extra: 30, comment: 32, attributes: 38 };
const UNIX_SYSTEMS = new Set([3, 19]);
const ORDINARY_KINDS = new Set([0, 0o04, 0o10]);

/** An archive that nobody should unpack. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

/**
 * The files in an archive of assets, by their names. Nothing of it is trusted: neither what it says of sizes, nor its names, nor that
 * each is there once and is an ordinary file.
 */
export function unpackAssets(archive: Uint8Array): Map<string, Uint8Array> {
  refuseSpecialFiles(archive);
  const names = new Set<string>();
  let bytes = 0;
  const filter = ({ name, originalSize }: { name: string; originalSize: number }) => {
    bytes += originalSize;
    if (bytes > MAX_BYTES || names.size === MAX_FILES) throw new ArchiveError('it unpacks to too much');
    if (!isPlainName(name)) throw new ArchiveError(`it has a file ${JSON.stringify(name)}`);
    if (names.has(name)) throw new ArchiveError(`it has ${JSON.stringify(name)} twice`);
    names.add(name);
    return !name.endsWith('/');
  };
  const files = new Map(Object.entries(unzip(archive, filter)));
  for (const name of files.keys()) {
    const folder = foldersOf(name).find((one) => files.has(one));
    if (folder !== undefined) throw new ArchiveError(`it has ${JSON.stringify(folder)} as a file and as a folder`);
  }
  return files;
}

function unzip(archive: Uint8Array, filter: (file: { name: string; originalSize: number }) => boolean) {
  try {
    return unzipSync(archive, { filter });
  } catch (error) {
    throw error instanceof ArchiveError ? error : new ArchiveError((error as Error).message);
  }
}

/** Links, pipes and devices, which the library that unpacks would take for ordinary files. */
function refuseSpecialFiles(archive: Uint8Array): void {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const end = endOfList(view);
  let at = view.getUint32(end + LIST_END.start, true);
  for (let left = view.getUint16(end + LIST_END.count, true); left > 0; left--) {
    if (at + ENTRY.bytes > end || view.getUint32(at, true) !== ENTRY.signature)
      throw new ArchiveError('its list is torn');
    const kind = view.getUint32(at + ENTRY.attributes, true) >>> 28;
    if (UNIX_SYSTEMS.has(view.getUint8(at + ENTRY.system)) && !ORDINARY_KINDS.has(kind)) {
      throw new ArchiveError('it has a link, or another file that is no ordinary one');
    }
    const lengths = [ENTRY.name, ENTRY.extra, ENTRY.comment].map((place) => view.getUint16(at + place, true));
    at += ENTRY.bytes + lengths.reduce((sum, length) => sum + length, 0);
  }
}

function endOfList(view: DataView): number {
  const last = view.byteLength - LIST_END.bytes;
  for (let at = last; at >= Math.max(0, last - LIST_END.longestComment); at--) {
    if (view.getUint32(at, true) === LIST_END.signature) return at;
  }
  throw new ArchiveError('it is no archive');
}

function isPlainName(name: string): boolean {
  if (name === '' || name.length > 1024 || /[\\:\0]/.test(name) || name.startsWith('/')) return false;
  const steps = name.replace(/\/$/, '').split('/');
  return steps.every((step) => step !== '' && step !== '.' && step !== '..' && step.length <= 255);
}

/** Every folder that a file is in. */
function foldersOf(name: string): string[] {
  const steps = name.split('/').slice(0, -1);
  return steps.map((_, at) => steps.slice(0, at + 1).join('/'));
}
