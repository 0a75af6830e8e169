import * as v from 'valibot';
import { PACK_VISIBILITIES, type PackRuntime, type PackVisibility } from '../model/pack.js';
import { packName, version } from './fields.js';
import { checkManifest } from './problems.js';

/** What a project says about the pack it is bundled into. */
export interface PackManifest {
  name: string;
  version: string;
  /** The source file that exports the pack, from the project's folder. */
  entry: string;
  runtime: PackRuntime;
  visibility?: PackVisibility;
  description?: string;
  /** Files and folders that the pack reads, from the project's folder. */
  assets?: string[];
}

// A package.json holds much that is not ours: only the parts read here are checked.
const packageJsonSchema = v.object({
  name: packName,
  version,
  description: v.optional(v.string()),
  stark: v.optional(
    v.strictObject({
      entry: v.optional(v.string()),
      runtime: v.optional(v.picklist(['node', 'browser', 'isomorphic', 'universal'])),
      visibility: v.optional(v.picklist(PACK_VISIBILITIES)),
      assets: v.optional(v.array(v.string())),
    }),
  ),
});

/** Reads a project's package.json: name, version and description as npm has them, the rest from its member `stark`. */
export function toPackManifest(packageJson: unknown, what = 'package.json'): PackManifest {
  const { name, version, description, stark = {} } = checkManifest(packageJsonSchema, packageJson, what);
  const runtime = stark.runtime ?? 'node';
  return {
    name,
    version,
    entry: stark.entry ?? 'src/index.ts',
    runtime: runtime === 'universal' ? 'isomorphic' : runtime,
    ...(stark.visibility !== undefined && { visibility: stark.visibility }),
    ...(description !== undefined && { description }),
    ...(stark.assets !== undefined && { assets: stark.assets }),
  };
}
