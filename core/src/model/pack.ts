/** Where a pack can run; `universal` is accepted as another name of `isomorphic`. */
export const PACK_RUNTIMES = ['node', 'browser', 'isomorphic'] as const;
export type PackRuntime = (typeof PACK_RUNTIMES)[number];

export const PACK_VISIBILITIES = ['private', 'public'] as const;
export type PackVisibility = (typeof PACK_VISIBILITIES)[number];

/** A bundle may be no larger than this. */
export const MAX_BUNDLE_BYTES = 50 * 1024 * 1024;

/** A named piece of software, as `stark.packs` shows it. */
export interface PackRecord {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly visibility: PackVisibility;
  readonly owner_id: string | null;
  readonly created_at: string;
  readonly resource_version: number;
}

/** One immutable bundle of a pack, as `stark.pack_versions` shows it. */
export interface PackVersion {
  readonly id: string;
  readonly pack_id: string;
  readonly version: string;
  readonly runtime: PackRuntime;
  readonly entry: string;
  readonly size_bytes: number;
  readonly sha256: string;
  readonly state: 'uploading' | 'ready' | 'withdrawn';
  readonly created_at: string;
}
