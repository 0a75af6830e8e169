import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
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
let inUse: Set<string>;
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
  inUse = new Set();
  cache = new FileBundleCache({ directory: folder, source, inUse: () => inUse, mostBytes: 3_000 });
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
    await new FileBundleCache({ directory: folder, source, inUse: () => inUse }).start();
    expect(await readdir(folder)).toEqual([]);
  });

  it('can be read by its owner only', async () => {
    const path = await cache.fetch(bundle);
    expect((await stat(path)).mode & 0o077).toBe(0);
  });
});

describe('a full cache', () => {
  /** A bundle of a thousand bytes, fetched, and then unused for so many minutes. */
  async function had(letter: string, minutes: number): Promise<string> {
    const text = letter.repeat(1_000);
    const made = bundleOf(text);
    content = () => inPieces(text);
    const path = await cache.fetch(made);
    const then = new Date(Date.now() - minutes * 60_000);
    await utimes(path, then, then);
    return made.sha256;
  }
  const kept = async () => new Set((await readdir(folder)).map((name) => name.slice(0, -'.mjs'.length)));

  it('loses what was unused for the longest time, and no more than it must', async () => {
    const old = await had('a', 30);
    const older = await had('b', 60);
    const recent = await had('c', 10);
    const added = await had('d', 0);
    expect(await kept()).toEqual(new Set([old, recent, added]));
    content = () => inPieces('b'.repeat(1_000));
    await cache.fetch(bundleOf('b'.repeat(1_000)));
    expect(await kept()).toEqual(new Set([older, recent, added]));
  });

  it('keeps what a pod has, however old, even beyond its size', async () => {
    const all = [await had('a', 60), await had('b', 50), await had('c', 40)];
    inUse = new Set(all);
    const fourth = await had('d', 30);
    const fifth = await had('e', 0);
    expect(await kept()).toEqual(new Set([...all, fifth]));
    expect(await kept()).not.toContain(fourth);
  });

  it('counts a use as new', async () => {
    const used = await had('a', 60);
    await had('b', 50);
    await had('c', 40);
    await cache.fetch(bundleOf('a'.repeat(1_000)));
    await had('d', 0);
    expect(await kept()).toContain(used);
    expect(downloads).toBe(4);
  });
});
