import type { PackRecord, PackVersion } from '@stark-o/core/model';
import type { View } from '../base/output.js';
import type { Connection } from '../session/connection.js';
import { ageOf, sizeOf } from './cells.js';
import { type Filter, findRows } from './query.js';

/** What `-o json` promises of a pack. */
export const packColumns = [
  'id',
  'name',
  'description',
  'visibility',
  'latest_version',
  'owner_id',
  'created_at',
] as const;

/** What `-o json` promises of a version. */
export const versionColumns = [
  'id',
  'pack_name',
  'version',
  'runtime',
  'entry',
  'state',
  'size_bytes',
  'sha256',
  'assets_size_bytes',
  'assets_sha256',
  'created_at',
] as const;

export type PackRow = Pick<PackRecord, 'id' | 'name' | 'description' | 'visibility' | 'owner_id' | 'created_at'> & {
  latest_version: string | null;
};
export type VersionRow = Pick<
  PackVersion,
  'id' | 'version' | 'runtime' | 'entry' | 'state' | 'size_bytes' | 'sha256' | 'assets_size_bytes' | 'assets_sha256'
> & {
  pack_name: string;
  created_at: string;
};

export function findPacks(connection: Connection, filter: Filter): Promise<PackRow[]> {
  return findRows<PackRow>(connection, 'packs', packColumns, filter);
}

/** Every version of some packs, newest first. */
export async function findVersions(connection: Connection, names: readonly string[]): Promise<VersionRow[]> {
  const packs = await findRows<{ id: string; name: string }>(connection, 'packs', ['id', 'name'], { names });
  const client = await connection.client();
  const query = client
    .from('pack_versions')
    .select(versionColumns.join(','))
    .in(
      'pack_id',
      packs.map((pack) => pack.id),
    );
  return connection.rows<VersionRow>(query.order('pack_name').order('version_key', { ascending: false }));
}

/** A version with the promised members only, in their order. */
export function versionObject(version: VersionRow): Record<string, unknown> {
  return Object.fromEntries(versionColumns.map((column) => [column, version[column] ?? null]));
}

export const packView: View<PackRow> = {
  kind: 'pack',
  name: (pack) => pack.name,
  object: (pack) => Object.fromEntries(packColumns.map((column) => [column, pack[column] ?? null])),
  columns: [
    { header: 'NAME', value: (pack) => pack.name },
    { header: 'LATEST', value: (pack) => pack.latest_version },
    { header: 'VISIBILITY', value: (pack) => pack.visibility },
    { header: 'DESCRIPTION', value: (pack) => pack.description, wide: true },
    { header: 'ID', value: (pack) => pack.id, wide: true },
    { header: 'AGE', value: (pack) => ageOf(pack.created_at) },
  ],
};

export const versionView: View<VersionRow> = {
  kind: 'pack',
  name: (version) => `${version.pack_name}@${version.version}`,
  object: versionObject,
  columns: [
    { header: 'NAME', value: (version) => version.pack_name },
    { header: 'VERSION', value: (version) => version.version },
    { header: 'RUNTIME', value: (version) => version.runtime },
    { header: 'STATE', value: (version) => version.state },
    { header: 'SIZE', value: (version) => sizeOf(version.size_bytes + (version.assets_size_bytes ?? 0)) },
    { header: 'SHA256', value: (version) => version.sha256.slice(0, 12) },
    { header: 'ENTRY', value: (version) => version.entry, wide: true },
    { header: 'AGE', value: (version) => ageOf(version.created_at) },
  ],
};
