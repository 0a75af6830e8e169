import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { EXIT_CODES, StarkError } from '@stark-o/core/errors';
import { MAX_BUNDLE_BYTES, type WebFile } from '@stark-o/core/model';
import { lookup } from 'mrmime';

/** The files of a site by their path in it, in one order wherever they were made; source maps stay at home. */
export async function readSite(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.map'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
  const files = new Map<string, Buffer>();
  let bytes = 0;
  for (const path of paths) {
    const content = await readFile(join(folder, path));
    bytes += content.length;
    // Far beyond what gzip saves; without this a forgotten video would be taken into memory first.
    if (bytes > 4 * MAX_BUNDLE_BYTES) throw tooLarge(folder, path);
    files.set(path, content);
  }
  return files;
}

/** A file as the bundle holds it. */
export function toWebFile(path: string, content: Buffer): WebFile {
  const type = typeOf(path);
  const packed = gzipSync(content, { level: 9 });
  return packed.length < content.length * 0.95
    ? { type, base64: packed.toString('base64'), gzip: true }
    : { type, base64: content.toString('base64') };
}

/** The content type that a path's ending means. */
export function typeOf(path: string): string {
  const type = lookup(path) ?? 'application/octet-stream';
  return /^text\/|javascript|json|xml/.test(type) && !type.includes('charset') ? `${type}; charset=utf-8` : type;
}

function tooLarge(folder: string, path: string): StarkError {
  return new StarkError(
    `${folder} has more than ${(4 * MAX_BUNDLE_BYTES) / 1024 / 1024} MB of files, seen at ${path}`,
    {
      code: 'BUNDLE_TOO_LARGE',
      exitCode: EXIT_CODES.usage,
      hint: 'leave large assets out of the site and fetch them from Storage',
    },
  );
}
