import * as v from 'valibot';
import { PACK_VISIBILITIES, type PackRuntime, type PackVisibility } from '../model/pack.js';
import type { PodPort } from '../model/pod.js';
import { packName, version } from './fields.js';
import { ports } from './ports.js';
import { checkManifest } from './problems.js';

/** What a project says about the pack it is bundled into. */
export interface PackManifest {
  name: string;
  version: string;
  /** The source file that exports the pack, from the project's folder. */
  entry: string;
  /** Absent where the project does not say. */
  runtime?: PackRuntime;
  visibility?: PackVisibility;
  description?: string;
  /** Ports that its pods have where their spec names none. */
  ports?: PodPort[];
  /** Files and folders that the pack reads, from the project's folder. */
  assets?: string[];
}

/** What a bundle says of itself: what its project said when it was bundled, as far as it did. */
export interface BundleManifest extends Partial<Omit<PackManifest, 'entry' | 'assets'>> {
  /** The export that is the pack. */
  entry?: string;
}

const runtime = v.picklist(['node', 'browser', 'isomorphic', 'universal']);

/** A port as its declaration, or as its name alone: `http`. */
const portsOrNames = v.pipe(
  v.array(v.unknown()),
  v.transform((list) => list.map((one) => (typeof one === 'string' ? { name: one } : one))),
  ports,
);

// A package.json holds much that is not ours: only the parts read here are checked.
const packageJsonSchema = v.object({
  name: packName,
  version,
  description: v.optional(v.string()),
  stark: v.optional(
    v.strictObject({
      entry: v.optional(v.string()),
      runtime: v.optional(runtime),
      visibility: v.optional(v.picklist(PACK_VISIBILITIES)),
      ports: v.optional(portsOrNames),
      assets: v.optional(v.array(v.string())),
    }),
  ),
});

const bundleSchema = v.strictObject({
  name: v.optional(packName),
  version: v.optional(version),
  description: v.optional(v.string()),
  runtime: v.optional(runtime),
  visibility: v.optional(v.picklist(PACK_VISIBILITIES)),
  ports: v.optional(ports),
  entry: v.optional(v.string()),
});

/** Reads a project's package.json: name, version and description as npm has them, the rest from its member `stark`. */
export function toPackManifest(packageJson: unknown, what = 'package.json'): PackManifest {
  const { name, version, description, stark = {} } = checkManifest(packageJsonSchema, packageJson, what);
  return {
    name,
    version,
    entry: stark.entry ?? 'src/index.ts',
    ...(stark.runtime !== undefined && { runtime: toRuntime(stark.runtime) }),
    ...(stark.visibility !== undefined && { visibility: stark.visibility }),
    ...(description !== undefined && { description }),
    ...(stark.ports !== undefined && { ports: stark.ports as PodPort[] }),
    ...(stark.assets !== undefined && { assets: stark.assets }),
  };
}

/** Reads what stands in a bundle. */
export function toBundleManifest(document: unknown, what = 'the bundle'): BundleManifest {
  const { runtime, ...rest } = checkManifest(bundleSchema, document, what);
  return { ...rest, ...(runtime !== undefined && { runtime: toRuntime(runtime) }) } as BundleManifest;
}

function toRuntime(text: PackRuntime | 'universal'): PackRuntime {
  return text === 'universal' ? 'isomorphic' : text;
}
