import type { RowOf } from '../model/database.js';
import { KINDS } from './kinds.js';
import { actionOf, defineResource } from './resource.js';

/** What is shown of a priority class. */
export type PriorityClassRow = Pick<RowOf<'priority_classes'>, (typeof fields)[number]>;

const fields = ['name', 'value', 'global_default', 'preemption_policy', 'built_in', 'description'] as const;

/** Priority classes. */
export const priorityClasses = defineResource<RowOf<'priority_classes'>>()({
  ...KINDS.priorityclass,
  source: { table: 'priority_classes' },
  fields,
  nameColumn: 'name',
  notFound: 'PRIORITY_CLASS_NOT_FOUND',
  eventKind: 'priority_class',
  columns: [
    { header: 'NAME', value: ({ name }) => name },
    { header: 'VALUE', value: ({ value }) => value },
    { header: 'DEFAULT', value: ({ global_default }) => global_default },
    { header: 'PREEMPTION', value: ({ preemption_policy }) => preemption_policy },
    { header: 'DESCRIPTION', value: ({ description }) => description || null, wide: true },
  ],
  details: (row) => [
    ['Name', row.name],
    ['Value', row.value],
    ['Default', row.global_default],
    ['Preemption', row.preemption_policy],
    ['Built in', row.built_in],
    ['Description', row.description],
  ],
  remove: actionOf('delete_priority_class', {
    right: 'priorityclasses:delete',
    confirm: 'ask',
    done: 'deleted',
    args: ({ name }: PriorityClassRow) => ({ p_name: name }),
  }),
});
