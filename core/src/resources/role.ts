import type { RowOf } from '../model/database.js';
import { KINDS } from './kinds.js';
import { actionOf, defineResource } from './resource.js';

/** What is shown of a role. */
export type RoleRow = Pick<RowOf<'roles'>, (typeof fields)[number]>;

const fields = ['name', 'alias_of', 'built_in', 'description'] as const;

/** Roles. */
export const roles = defineResource<RowOf<'roles'>>()({
  ...KINDS.role,
  source: { table: 'roles' },
  fields,
  nameColumn: 'name',
  notFound: 'ROLE_NOT_FOUND',
  eventKind: 'role',
  columns: [
    { header: 'NAME', value: ({ name }) => name },
    { header: 'ALIAS-OF', value: ({ alias_of }) => alias_of },
    { header: 'DESCRIPTION', value: ({ description }) => description || null },
  ],
  details: (role) => [
    ['Name', role.name],
    ['Another name of', role.alias_of],
    ['Built in', role.built_in],
    ['Description', role.description],
  ],
  related: [{ title: 'Who has it', kind: 'rolebinding', column: 'role', value: ({ name }) => name }],
  remove: actionOf('delete_role', {
    right: 'roles:delete',
    confirm: 'ask',
    done: 'deleted',
    args: ({ name }: RoleRow) => ({ p_name: name }),
  }),
});
