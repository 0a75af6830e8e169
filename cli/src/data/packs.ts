import type { PackVersion } from '@stark-o/core/model';
import { ageOf, packs, sizeOf } from '@stark-o/core/resources';
import type { View } from '../base/output.js';
import type { Connection } from '../session/connection.js';
import { findObjects } from './query.js';

/** What `-o json` promises of a version. */
export const versionColumns = [
  'id',
  'pack_name',
  'version',
  'runtime',
  'entry',
  'ports',
  'state',
  'size_bytes',
  'sha256',
  'assets_size_bytes',
  'assets_sha256',
  'created_at',
] as const;

export type VersionRow = Pick<PackVersion, (typeof versionColumns)[number]>;

/** Every version of some packs, newest first. */
export async function findVersions(connection: Connection, names: readonly string[]): Promise<VersionRow[]> {
  const found = await findObjects(connection, packs, { names });
  const client = await connection.client();
  const query = client
    .from('pack_versions')
    .select(versionColumns.join(','))
    .in(
      'pack_id',
      found.map((pack) => pack.id),
    );
  return connection.rows<VersionRow>(query.order('pack_name').order('version_key', { ascending: false }));
}

/** A version with the promised members only, in their order. */
export function versionObject(version: VersionRow): Record<string, unknown> {
  return Object.fromEntries(versionColumns.map((column) => [column, version[column] ?? null]));
}

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
    { header: 'PORTS', value: (version) => version.ports.map(({ name }) => name), wide: true },
    { header: 'AGE', value: (version) => ageOf(version.created_at) },
  ],
};
