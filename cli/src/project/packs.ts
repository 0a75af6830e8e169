import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { StarkError, usageError } from '@stark-o/core/errors';
import type { PackRuntime, PodPort } from '@stark-o/core/model';
import type { Progress } from '../base/progress.js';
import { sha256 } from '../bundle/bundle.js';
import { makePack } from '../bundle/make-pack.js';
import { requireRuntime } from '../bundle/manifest.js';
import { announceVersion } from '../data/register-version.js';
import type { Connection } from '../session/connection.js';
import type { LoadedObject } from './load.js';

/** A pack that was bundled from its source, and what a file states of it. */
export interface BundledPack {
  name: string;
  version: string;
  runtime: PackRuntime;
  ports: PodPort[];
  code: Uint8Array;
  assets: Uint8Array | undefined;
  /** As `apply_objects` takes it. */
  object: Record<string, unknown>;
}

/** Bundles the source that a file states of a pack. What its package.json says counts where the file says nothing. */
export async function bundleStated(
  { fields, directory, place }: LoadedObject,
  progress: Progress,
): Promise<BundledPack> {
  const stated = fields as Record<string, string | undefined> & { external?: string[]; ports?: PodPort[] };
  const source = resolve(directory, stated.source ?? '.');
  progress.now(`bundling ${stated.source}`);
  const runtime = stated.runtime === 'universal' ? 'isomorphic' : (stated.runtime as PackRuntime | undefined);
  const { external } = stated;
  const { bundle, about } = await inFolderOf(source, () =>
    makePack(source, { runtime, minify: false, external, progress }),
  ).catch((cause: unknown) => {
    throw cause instanceof StarkError ? cause.reworded(`${place}: ${cause.message}`) : cause;
  });
  const { name, version, description, visibility } = { ...about, ...withoutAbsent(stated) };
  if (name === undefined || version === undefined) {
    const what = name === undefined ? 'name' : 'version';
    throw usageError(
      `${place}: the pack needs a ${what}: neither the file nor a package.json of ${stated.source} has one`,
    );
  }
  const ports = stated.ports ?? about.ports ?? [];
  const runs = requireRuntime(about.runtime, `${place}: ${name}`);
  const { code, assets } = bundle;
  return {
    ...{ name, version, runtime: runs, ports, code, assets },
    object: {
      ...{ kind: 'pack', name },
      ...(visibility !== undefined && { visibility }),
      ...(description !== undefined && { description }),
      bundle: {
        ...{ version, runtime: runs, sizeBytes: code.byteLength, sha256: bundle.sha256 },
        ...(assets !== undefined && { assetsSizeBytes: assets.byteLength, assetsSha256: sha256(assets) }),
        ...(ports.length > 0 && { ports }),
      },
    },
  };
}

/** Announces and uploads a bundle; the call that applies it finishes it. A pack that is new is private until then. */
export async function uploadBundle(connection: Connection, pack: BundledPack, progress: Progress): Promise<void> {
  const { name, version, runtime, ports, code, assets } = pack;
  await announceVersion(connection, { about: { name, version, runtime, ports }, bytes: code, assets }, progress);
}

/**
 * esbuild writes paths from the folder that one stands in into a bundle. The same source has to have the same bytes wherever `stark apply` is
 * typed, or its version would be refused.
 */
async function inFolderOf<T>(source: string, work: () => Promise<T>): Promise<T> {
  const there = await stat(source).catch(() => undefined);
  if (there === undefined) return work();
  const before = process.cwd();
  process.chdir(there.isDirectory() ? source : dirname(source));
  try {
    return await work();
  } finally {
    process.chdir(before);
  }
}

const withoutAbsent = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
