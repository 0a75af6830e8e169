import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { StarkError, usageError } from '@stark-o/core/errors';
import type { PackRuntime, PackVisibility, PodPort } from '@stark-o/core/model';
import { upwards } from '../config/directories.js';
import { readTextFile } from '../config/text.js';
import { findSite, type Site } from '../web/site.js';

/** What is to be bundled, and what its package.json says about it. */
export interface PackProject {
  directory: string;
  /** Absolute path of the source file whose default export is the pack, or the website that is to be one. */
  source: { entry: string } | { site: Site };
  about: PackAbout;
  /** Where that stands. */
  packageJson: string | undefined;
}

export interface PackAbout {
  name?: string;
  version?: string;
  runtime?: PackRuntime;
  visibility?: PackVisibility;
  description?: string;
  /** Ports that its pods have where their spec names none. */
  ports?: PodPort[];
  /** Files and folders of the project that travel with the bundle. */
  assets?: string[];
}

const usualEntries = ['src/index.ts', 'src/index.js', 'src/main.ts', 'index.ts', 'index.js', 'index.mjs'];

/** Finds the entry of a folder or file and reads the package.json that belongs to it. */
export async function readProject(path: string): Promise<PackProject> {
  const place = resolve(path);
  const found = await stat(place).catch(() => undefined);
  if (found === undefined) throw notFound(`${path} does not exist`);
  const packageJson = await nearestPackageJson(found.isDirectory() ? place : dirname(place));
  const manifest = packageJson === undefined ? undefined : await readManifest(packageJson);
  const about = manifest?.about ?? {};
  if (!found.isDirectory()) {
    const directory = packageJson === undefined ? dirname(place) : dirname(packageJson);
    return { directory, source: { entry: place }, about, packageJson };
  }
  const site = manifest?.declaredEntry === undefined ? await findSite(place) : undefined;
  if (site !== undefined)
    return { directory: site.kind === 'static' ? dirname(place) : place, source: { site }, about, packageJson };
  const candidates = [manifest?.entry, ...usualEntries, manifest?.main].filter((name) => name !== undefined);
  for (const candidate of candidates) {
    const entry = join(place, candidate);
    if ((await stat(entry).catch(() => undefined))?.isFile()) {
      return { directory: place, source: { entry }, about, packageJson };
    }
    if (candidate === manifest?.declaredEntry) {
      throw usageError(`package.json names ${candidate} as stark.entry, and ${entry} does not exist`);
    }
  }
  throw usageError(
    `${path} has no entry: none of ${usualEntries.join(', ')}, and no index.html or nuxt.config.ts of a website`,
    'set "stark": { "entry": … } in package.json',
  );
}

/**
 * What the package.json nearest to a bundle says, where the bundle says nothing itself: only one that has a member `stark` is about a
 * pack, since every repository has one further up.
 */
export async function aboutBundle(path: string): Promise<{ about: PackAbout; packageJson: string | undefined }> {
  const packageJson = await nearestPackageJson(dirname(resolve(path)));
  const manifest = packageJson === undefined ? undefined : await readManifest(packageJson);
  return manifest?.isPack ? { about: manifest.about, packageJson } : { about: {}, packageJson: undefined };
}

async function nearestPackageJson(from: string): Promise<string | undefined> {
  for (const folder of upwards(from)) {
    const path = join(folder, 'package.json');
    if ((await stat(path).catch(() => undefined))?.isFile()) return path;
  }
  return undefined;
}

/** What a package.json says: of the pack, and where its source is. */
interface ProjectManifest {
  about: PackAbout;
  /** It has a member `stark`. */
  isPack: boolean;
  entry?: string;
  declaredEntry?: string;
  main?: string;
}

async function readManifest(path: string): Promise<ProjectManifest> {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(await readTextFile(path));
  } catch (error) {
    throw usageError(`${path} is not valid JSON: ${(error as Error).message}`);
  }
  // A package that is not meant as a pack may lack what a pack needs; flags can say it instead.
  if (typeof json.name !== 'string' || typeof json.version !== 'string') return { about: {}, isPack: false };
  const { toPackManifest } = await import('@stark-o/core');
  const { entry, ...about } = toPackManifest(json, path);
  const declared = (json.stark as { entry?: string } | undefined)?.entry;
  // What a compiler wrote, where there is no source in a usual place.
  const main = typeof json.main === 'string' ? json.main : undefined;
  return {
    about,
    entry,
    isPack: json.stark !== undefined,
    ...(declared === undefined ? {} : { declaredEntry: declared }),
    ...(main === undefined ? {} : { main }),
  };
}

const notFound = (message: string) => new StarkError(message, { code: 'FILE_NOT_FOUND', status: 404 });
