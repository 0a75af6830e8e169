import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ArchiveError } from '../pod/shared/assets.js';
import { type BundleCache, BundleError } from '../reconciler/adapters.js';
import type { BundleRef } from '../reconciler/pod.js';
import { isUnpacked, removeUnpacked, unpackInto } from './asset-folders.js';
import { all, folderUse } from './disk-use.js';

/** Opens the stored bundle; throws BundleError when it cannot be had. */
export type BundleSource = (bundle: BundleRef) => Promise<AsyncIterable<Uint8Array>>;

const SHA256 = /^[0-9a-f]{64}$/;

const SUFFIX = '.mjs';
/** Some dozens of the largest bundles there may be. */
const MAX_BYTES = 2 * 1024 ** 3;

export interface BundleCacheOptions {
  directory: string;
  source: BundleSource;
  /** The hashes of bundles that pods of this node have, running or about to; they are kept. */
  inUse(): ReadonlySet<string>;
  /** What is beyond goes, the longest unused first. */
  mostBytes?: number;
}

/** Bundles on disk, named by what they hash to. What it gives out has been verified just before. */
export class FileBundleCache implements BundleCache {
  readonly #underway = new Map<string, Promise<string>>();
  readonly #directory: string;

  constructor(private readonly options: BundleCacheOptions) {
    this.#directory = options.directory;
  }

  /** Makes the folder and removes downloads that an earlier agent did not finish. */
  async start(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const unfinished = (await readdir(this.#directory)).filter((name) => name.endsWith('.tmp'));
    await Promise.all(unfinished.map((name) => rm(join(this.#directory, name), { recursive: true, force: true })));
  }

  fetch(bundle: BundleRef): Promise<string> {
    if (!SHA256.test(bundle.sha256)) {
      return Promise.reject(new BundleError('BundleCorrupt', `"${bundle.sha256}" is not a SHA-256`, false));
    }
    // Pods of one version that start together share one download and one verification.
    const { assets } = bundle;
    if (assets !== undefined && !SHA256.test(assets.sha256)) {
      return Promise.reject(new BundleError('BundleCorrupt', `"${assets.sha256}" is not a SHA-256`, false));
    }
    const key = [bundle.sha256, bundle.size_bytes, assets?.sha256, assets?.size_bytes].join(':');
    let underway = this.#underway.get(key);
    if (underway === undefined) {
      const both = async () => {
        if (assets !== undefined) await this.#haveAssets(assets);
        return this.#have(bundle);
      };
      underway = both().finally(() => this.#underway.delete(key));
      this.#underway.set(key, underway);
    }
    return underway;
  }

  async #have(bundle: BundleRef): Promise<string> {
    const path = join(this.#directory, `${bundle.sha256}${SUFFIX}`);
    if (await isIntact(path, bundle)) {
      const now = new Date();
      await utimes(path, now, now).catch(() => {}); // Last use, for the trimming; not worth a failure.
      return path;
    }
    await this.#download(bundle, path);
    await this.#trim().catch(() => {}); // One that is too large serves as well.
    return path;
  }

  async #haveAssets(assets: BundleRef): Promise<void> {
    const folder = assetsFolder(this.#directory, assets.sha256);
    if (await isUnpacked(folder)) {
      const now = new Date();
      await utimes(folder, now, now).catch(() => {});
      return;
    }
    const archive = `${folder}.zip`;
    await this.#download(assets, archive);
    try {
      await unpackInto(folder, await readFile(archive));
    } catch (error) {
      if (error instanceof ArchiveError) throw corrupt(assets, `it cannot be unpacked: ${error.message}`);
      const message = `${assets.path} cannot be unpacked here: ${messageOf(error)}`;
      throw new BundleError('BundleUnavailable', message, true, { cause: error });
    } finally {
      await rm(archive, { force: true });
    }
    await this.#trim().catch(() => {});
  }

  async #trim(): Promise<void> {
    const { inUse, mostBytes = MAX_BYTES } = this.options;
    const names = (await readdir(this.#directory)).filter((name) => name.endsWith(SUFFIX) || SHA256.test(name));
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#directory, name);
        const found = await stat(path).catch(() => undefined);
        const size = found?.isDirectory() ? (await all(folderUse(path))).bytes : (found?.size ?? 0);
        return { name, sha256: name.slice(0, 64), size, usedAt: found?.mtimeMs ?? 0 };
      }),
    );
    let size = files.reduce((sum, file) => sum + file.size, 0);
    for (const file of files.sort((a, b) => a.usedAt - b.usedAt)) {
      if (size <= mostBytes) return;
      // Asked each time: a pod may have come while others were removed.
      const wanted = inUse().has(file.sha256) || [...this.#underway.keys()].some((key) => key.includes(file.sha256));
      if (wanted) continue;
      await removeUnpacked(join(this.#directory, file.name));
      size -= file.size;
    }
  }

  async #download(bundle: BundleRef, path: string): Promise<void> {
    const content = await this.options.source(bundle);
    const aside = join(this.#directory, `${bundle.sha256}.${randomUUID()}.tmp`);
    try {
      await receive(bundle, content, aside);
      await rename(aside, path);
    } catch (error) {
      await rm(aside, { force: true });
      if (error instanceof BundleError) throw error;
      throw new BundleError('BundleUnavailable', `download of ${bundle.path} failed: ${messageOf(error)}`, true, {
        cause: error,
      });
    }
  }
}

/** Where the assets of a bundle stand, by where the bundle does. */
export function assetsOf(bundlePath: string, { assets }: BundleRef): string | undefined {
  return assets === undefined ? undefined : assetsFolder(dirname(bundlePath), assets.sha256);
}

const assetsFolder = (directory: string, sha256: string) => join(directory, sha256);

async function receive(bundle: BundleRef, content: AsyncIterable<Uint8Array>, aside: string): Promise<void> {
  const hash = createHash('sha256');
  let size = 0;
  const file = await open(aside, 'wx', 0o600);
  try {
    for await (const chunk of content) {
      size += chunk.length;
      if (size > bundle.size_bytes)
        throw corrupt(bundle, `it is larger than the registered ${bundle.size_bytes} bytes`);
      hash.update(chunk);
      await file.write(chunk);
    }
    if (size !== bundle.size_bytes) throw corrupt(bundle, `it has ${size} bytes, registered are ${bundle.size_bytes}`);
    const digest = hash.digest('hex');
    if (digest !== bundle.sha256) throw corrupt(bundle, `its SHA-256 is ${digest}, registered is ${bundle.sha256}`);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function isIntact(path: string, bundle: BundleRef): Promise<boolean> {
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of createReadStream(path)) {
      size += (chunk as Buffer).length;
      hash.update(chunk as Buffer);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw new BundleError('BundleUnavailable', `cannot read ${path}: ${messageOf(error)}`, true, { cause: error });
  }
  return size === bundle.size_bytes && hash.digest('hex') === bundle.sha256;
}

function corrupt(bundle: BundleRef, what: string): BundleError {
  return new BundleError('BundleCorrupt', `the bundle ${bundle.path} is not what was registered: ${what}`, false);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
