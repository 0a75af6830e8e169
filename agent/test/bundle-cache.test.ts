import { chmod, mkdir, readdir, readFile, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { beforeEach, describe, expect, it } from 'vitest';
import { assetsOf, type BundleSource, FileBundleCache } from '../src/node/bundle-cache.js';
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

describe('assets', () => {
  const zip = (files: Record<string, string>) =>
    zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])));
  /** With other bytes wherever these stand. */
  const patched = (archive: Uint8Array, from: string, to: string) =>
    new Uint8Array(Buffer.from(Buffer.from(archive).toString('latin1').replaceAll(from, to), 'latin1'));
  const withAssets = (archive: Uint8Array) => ({ ...bundle, assets: bundleOf(Buffer.from(archive)) });
  const bodies = (archive: Uint8Array): BundleSource => {
    return async ({ sha256 }) => {
      downloads += 1;
      return sha256 === bundle.sha256
        ? inPieces(SOURCE)
        : (async function* whole() {
            yield archive;
          })();
    };
  };
  const cacheOf = (archive: Uint8Array, mostBytes = 3_000_000) =>
    new FileBundleCache({ directory: folder, source: bodies(archive), inUse: () => inUse, mostBytes });

  it('are unpacked beside the bundle, once, into files that nobody may write', async () => {
    const archive = zip({ 'views/a.html': 'A', 'font.afm': 'F' });
    const wanted = withAssets(archive);
    const made = cacheOf(archive);
    const place = assetsOf(await made.fetch(wanted), wanted) as string;
    expect(await readFile(join(place, 'views', 'a.html'), 'utf8')).toBe('A');
    expect((await stat(join(place, 'font.afm'))).mode & 0o222).toBe(0);
    await made.fetch(wanted);
    expect(downloads).toBe(2);
    expect((await readdir(folder)).filter((name) => /zip|tmp/.test(name))).toEqual([]);
  });

  it('that were changed or lost on disk are noticed and fetched again', async () => {
    const archive = zip({ a: 'A', b: 'B' });
    const wanted = withAssets(archive);
    const made = cacheOf(archive);
    const place = assetsOf(await made.fetch(wanted), wanted) as string;
    await chmod(join(place, 'a'), 0o644);
    await writeFile(join(place, 'a'), 'X');
    await made.fetch(wanted);
    await rm(join(place, 'b'));
    await made.fetch(wanted);
    expect([await readFile(join(place, 'a'), 'utf8'), await readFile(join(place, 'b'), 'utf8')]).toEqual(['A', 'B']);
    expect(downloads).toBe(4);
  });

  it.each([
    ['has other bytes than were registered', zip({ a: 'other' }), /its SHA-256 is|bytes/, zip({ a: 'A' })],
    ['is no archive', strToU8('no archive at all'), /cannot be unpacked/],
    ['leads out of its folder', zip({ '../escaped': 'x' }), /cannot be unpacked: it has a file "..\/escaped"/],
    ['has an absolute name', zip({ '/etc/x': 'x' }), /cannot be unpacked: it has a file/],
    ['has a name of Windows', zip({ 'a\\..\\..\\b': 'x' }), /cannot be unpacked: it has a file/],
    ['has a file twice', patched(zip({ aa: '1', bb: '2' }), 'bb', 'aa'), /it has "aa" twice/],
    ['has a file that is a folder, too', zip({ a: '1', 'a/b': '2' }), /it has "a" as a file and as a folder/],
    ['has a link', zipSync({ a: [strToU8('/etc'), { os: 3, attrs: 0o120777 << 16 }] }), /it has a link/],
    ['has a pipe', zipSync({ a: [strToU8(''), { os: 3, attrs: 0o010644 << 16 }] }), /no ordinary one/],
    ['has a list that leads elsewhere', patched(zip({ aa: '1' }), 'PK\x01\x02', 'PK\x01\x09'), /its list is torn/],
    ['has a name that no folder takes', zip({ ['a'.repeat(256)]: 'x' }), /it has a file/],
    [
      'unpacks to more than 50 MB',
      zipSync({ a: new Uint8Array(51 * 1024 * 1024) }, { level: 1 }),
      /it unpacks to too much/,
    ],
    [
      'unpacks to more than 50 MB in many files',
      zipSync(Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`f${at}`, new Uint8Array(1024 * 1024)])), {
        level: 1,
      }),
      /it unpacks to too much/,
    ],
  ])(
    'whose archive %s are refused for good, and leave nothing',
    async (_what, archive, message, registered = archive) => {
      const refusal = await cacheOf(archive)
        .fetch(withAssets(registered))
        .catch((error: unknown) => error);
      expect(refusal).toMatchObject({ reason: 'BundleCorrupt', retry: false, message: expect.stringMatching(message) });
      expect(await readdir(folder)).toEqual([]);
    },
  );

  it('that cannot be written here are tried again', async () => {
    const archive = zip({ a: 'A' });
    const wanted = withAssets(archive);
    const inTheWay = join(folder, `${wanted.assets.sha256}.json`);
    await mkdir(inTheWay);
    await expect(cacheOf(archive).fetch(wanted)).rejects.toMatchObject({ reason: 'BundleUnavailable', retry: true });
    await rmdir(inTheWay);
    await expect(cacheOf(archive).fetch(wanted)).resolves.toBeDefined();
  });

  it('go when they are the longest unused, and stay while a pod has them', async () => {
    const first = zip({ a: 'A'.repeat(10) });
    const wanted = withAssets(first);
    await cacheOf(first).fetch(wanted);
    const second = zip({ b: 'B' });
    inUse = new Set([wanted.assets.sha256]);
    await cacheOf(second, 1).fetch(withAssets(second));
    expect(await readdir(folder)).toContain(wanted.assets.sha256);
    inUse = new Set();
    const third = zip({ c: 'C' });
    await cacheOf(third, 1).fetch(withAssets(third));
    expect(await readdir(folder)).not.toContain(wanted.assets.sha256);
    expect(await readdir(folder)).not.toContain(`${wanted.assets.sha256}.json`);
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
