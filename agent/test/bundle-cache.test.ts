import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type BundleSource, FileBundleCache } from '../src/node/bundle-cache.js';
import { BundleError } from '../src/reconciler/adapters.js';
import { aFolder } from './support/folder.js';
import { bundleOf } from './support/pods.js';

const SOURCE = `export default () => { console.log('${'x'.repeat(200_000)}'); };`;
const bundle = bundleOf(SOURCE);

let folder: string;
let downloads: number;
let content: () => AsyncIterable<Uint8Array>;
let cache: FileBundleCache;

const source: BundleSource = async () => {
  downloads += 1;
  return content();
};

async function* inPieces(text: string, size = 65_536): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

beforeEach(async () => {
  folder = await aFolder();
  downloads = 0;
  content = () => inPieces(SOURCE);
  cache = new FileBundleCache(folder, source);
  await cache.start();
});

describe('a bundle', () => {
  it('is downloaded once, verified, and kept under its hash', async () => {
    const path = await cache.fetch(bundle);
    expect(path).toBe(join(folder, `${bundle.sha256}.mjs`));
    expect(await readFile(path, 'utf8')).toBe(SOURCE);
    expect(await cache.fetch(bundle)).toBe(path);
    expect(downloads).toBe(1);
  });

  it('that several pods want at once is downloaded once', async () => {
    const paths = await Promise.all(Array.from({ length: 20 }, () => cache.fetch(bundle)));
    expect(new Set(paths).size).toBe(1);
    expect(downloads).toBe(1);
  });

  it.each([
    [
      'other bytes of the same length',
      () => inPieces(SOURCE.replaceAll('x', 'y')),
      /its SHA-256 is [0-9a-f]{64}, registered is/,
    ],
    ['too few bytes', () => inPieces(SOURCE.slice(0, -1)), /it has \d+ bytes, registered are/],
    ['nothing', () => inPieces(''), /it has 0 bytes/],
  ])('that turns out to be %s is refused for good and leaves no file', async (_what, wrong, message) => {
    content = wrong;
    const refusal = await cache.fetch(bundle).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(BundleError);
    expect(refusal).toMatchObject({ reason: 'BundleCorrupt', retry: false });
    expect((refusal as Error).message).toMatch(message);
    expect(await readdir(folder)).toEqual([]);
  });

  it('that does not end is cut off at its registered size', async () => {
    let sent = 0;
    content = async function* endless() {
      for (;;) {
        sent += 65_536;
        yield Buffer.alloc(65_536);
      }
    };
    await expect(cache.fetch(bundle)).rejects.toMatchObject({ reason: 'BundleCorrupt' });
    expect(sent).toBeLessThan(bundle.size_bytes + 2 * 65_536);
    expect(await readdir(folder)).toEqual([]);
  });

  it('whose download breaks off can be tried again', async () => {
    content = async function* breaking() {
      yield Buffer.from(SOURCE.slice(0, 1000));
      throw new Error('ECONNRESET');
    };
    await expect(cache.fetch(bundle)).rejects.toMatchObject({ reason: 'BundleUnavailable', retry: true });
    expect(await readdir(folder)).toEqual([]);
    content = () => inPieces(SOURCE);
    await cache.fetch(bundle);
    expect(downloads).toBe(2);
  });

  it('that rotted on disk is noticed and fetched again', async () => {
    const path = await cache.fetch(bundle);
    await writeFile(path, SOURCE.replace('console.log', 'console.err'));
    expect(await readFile(await cache.fetch(bundle), 'utf8')).toBe(SOURCE);
    expect(downloads).toBe(2);
  });

  it.each(['', 'x'.repeat(64), '../../../etc/passwd', `${'a'.repeat(63)}/`])(
    'with the hash "%s" is refused',
    async (sha256) => {
      await expect(cache.fetch({ ...bundle, sha256 })).rejects.toMatchObject({ reason: 'BundleCorrupt' });
      expect(downloads).toBe(0);
    },
  );

  it('is not found in the remains of an interrupted download', async () => {
    await writeFile(join(folder, `${bundle.sha256}.some-id.tmp`), 'half');
    await new FileBundleCache(folder, source).start();
    expect(await readdir(folder)).toEqual([]);
  });

  it('can be read by its owner only', async () => {
    const path = await cache.fetch(bundle);
    expect((await stat(path)).mode & 0o077).toBe(0);
  });
});
