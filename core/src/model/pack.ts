import type { RowOf } from './database.js';
import type { PodPort } from './pod.js';

/** Where a pack can run; `universal` is accepted as another name of `isomorphic`. */
export const PACK_RUNTIMES = ['node', 'browser', 'isomorphic'] as const;
export type PackRuntime = (typeof PACK_RUNTIMES)[number];

export const PACK_VISIBILITIES = ['private', 'public'] as const;
export type PackVisibility = (typeof PACK_VISIBILITIES)[number];

/** A bundle may be no larger than this. */
export const MAX_BUNDLE_BYTES = 50 * 1024 * 1024;

/** A named piece of software, as `stark.packs` shows it. */
export type PackRecord = RowOf<'packs', { visibility: PackVisibility }>;

/** One immutable bundle of a pack, as `stark.pack_versions` shows it. */
export type PackVersion = RowOf<
  'pack_versions',
  { runtime: PackRuntime; state: 'uploading' | 'ready' | 'withdrawn'; ports: PodPort[] }
>;
