import type { PackRecord } from '../model/pack.js';
import { ageOf, momentOf } from './cells.js';
import { KINDS } from './kinds.js';
import { actionOf, defineResource } from './resource.js';

/** What is shown of a pack. */
export type PackRow = Pick<PackRecord, (typeof fields)[number]>;

const fields = ['id', 'name', 'description', 'visibility', 'latest_version', 'owner_id', 'created_at'] as const;

/** Packs. */
export const packs = defineResource<PackRecord>()({
  ...KINDS.pack,
  source: { table: 'packs' },
  fields,
  nameColumn: 'name',
  notFound: 'PACK_NOT_FOUND',
  idColumn: 'id',
  eventKind: 'pack',
  columns: [
    { header: 'NAME', value: (pack) => pack.name },
    { header: 'LATEST', value: (pack) => pack.latest_version },
    { header: 'VISIBILITY', value: (pack) => pack.visibility },
    { header: 'DESCRIPTION', value: (pack) => pack.description, wide: true },
    { header: 'ID', value: (pack) => pack.id, wide: true },
    { header: 'AGE', value: (pack) => ageOf(pack.created_at) },
  ],
  details: (pack) => [
    ['Name', pack.name],
    ['Latest version', pack.latest_version],
    ['Visibility', pack.visibility],
    ['Description', pack.description],
    ['Owner', pack.owner_id],
    ['Created', momentOf(pack.created_at)],
    ['Id', pack.id],
  ],
  related: [{ title: 'Pods', kind: 'pod', column: 'pack_name', value: (pack) => pack.name }],
  conditions: [{ name: 'ready', holds: (pack) => pack.latest_version !== null }],
  remove: actionOf('delete_pack', {
    right: 'packs:delete',
    confirm: 'name',
    done: 'deleted',
    args: (pack: PackRow) => ({ p_name: pack.name }),
  }),
});
