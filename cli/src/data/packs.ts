import type { PackRecord, PackVersion } from '@stark-o/core/model';
import type { View } from '../base/output.js';
import type { Connection } from '../session/connection.js';
import { ageOf, sizeOf } from './cells.js';
import { type Filter, findRows } from './query.js';

const packColumns = ['id', 'name', 'description', 'visibility', 'owner_id', 'created_at'] as const;
const versionColumns = [
  'id',
  'pack_id',
  'version',
  'runtime',
  'entry',
  'size_bytes',
  'sha256',
  'state',
  'created_at',
] as const;

export type PackRow = Pick<PackRecord, (typeof packColumns)[number]> & {
  latest: string | null;
  runtime: string | null;
};
export type VersionRow = Pick<PackVersion, (typeof versionColumns)[number]> & { pack: string };

/** Packs, each with its newest ready version. */
export async function findPacks(connection: Connection, filter: Filter): Promise<PackRow[]> {
  const packs = await findRows<Omit<PackRow, 'latest' | 'runtime'>>(connection, 'packs', packColumns, filter);
  const versions = await versionsOf(connection, packs);
  return packs.map((pack) => {
    const latest = versions.find((version) => version.pack_id === pack.id && version.state === 'ready');
    return { ...pack, latest: latest?.version ?? null, runtime: latest?.runtime ?? null };
  });
}

/** Every version of some packs, newest version first. */
export async function findVersions(connection: Connection, names: readonly string[]): Promise<VersionRow[]> {
  const packs = await findRows<{ id: string; name: string }>(connection, 'packs', ['id', 'name'], { names });
  return versionsOf(connection, packs);
}

async function versionsOf(
  connection: Connection,
  packs: readonly { id: string; name: string }[],
): Promise<VersionRow[]> {
  if (packs.length === 0) return [];
  const { rcompare } = (await import('semver')).default;
  const client = await connection.client();
  const nameOf = new Map(packs.map((pack) => [pack.id, pack.name]));
  const rows: VersionRow[] = [];
  const ids = [...nameOf.keys()];
  // In portions: ids travel in the address line, which proxies cut at a few kilobytes.
  for (let from = 0; from < ids.length; from += 50) {
    const query = client
      .from('pack_versions')
      .select(versionColumns.join(','))
      .in('pack_id', ids.slice(from, from + 50));
    rows.push(...(await connection.rows<VersionRow>(query)));
  }
  return rows
    .map((row) => ({ ...row, pack: nameOf.get(row.pack_id) ?? '' }))
    .sort((a, b) => (a.pack === b.pack ? rcompare(a.version, b.version) : a.pack < b.pack ? -1 : 1));
}

export const packView: View<PackRow> = {
  kind: 'pack',
  name: (pack) => pack.name,
  columns: [
    { header: 'NAME', value: (pack) => pack.name },
    { header: 'LATEST', value: (pack) => pack.latest },
    { header: 'RUNTIME', value: (pack) => pack.runtime },
    { header: 'VISIBILITY', value: (pack) => pack.visibility },
    { header: 'ID', value: (pack) => pack.id, wide: true },
    { header: 'AGE', value: (pack) => ageOf(pack.created_at) },
  ],
};

export const versionView: View<VersionRow> = {
  kind: 'pack',
  name: (version) => `${version.pack}@${version.version}`,
  object: ({ pack, ...version }) => ({ pack, ...version }),
  columns: [
    { header: 'NAME', value: (version) => version.pack },
    { header: 'VERSION', value: (version) => version.version },
    { header: 'RUNTIME', value: (version) => version.runtime },
    { header: 'STATE', value: (version) => version.state },
    { header: 'SIZE', value: (version) => sizeOf(version.size_bytes) },
    { header: 'SHA256', value: (version) => version.sha256.slice(0, 12) },
    { header: 'ENTRY', value: (version) => version.entry, wide: true },
    { header: 'AGE', value: (version) => ageOf(version.created_at) },
  ],
};
