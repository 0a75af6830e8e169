import type { RowOf } from '../model/database.js';
import { ageOf, momentOf } from './cells.js';
import { KINDS } from './kinds.js';
import { actionOf, defineResource } from './resource.js';

/** What is shown of a role that a user has. */
export type RoleBindingRow = Pick<RowOf<'role_bindings'>, (typeof fields)[number]>;

const fields = ['id', 'user_id', 'role', 'namespace', 'created_by', 'created_at'] as const;

/** Who has which role. */
export const roleBindings = defineResource<RowOf<'role_bindings'>>()({
  ...KINDS.rolebinding,
  source: { table: 'role_bindings' },
  fields,
  nameColumn: 'id',
  notFound: 'ROLE_BINDING_NOT_FOUND',
  eventKind: 'role_binding',
  columns: [
    { header: 'ID', value: ({ id }) => id },
    { header: 'ROLE', value: ({ role }) => role },
    { header: 'NAMESPACE', value: ({ namespace }) => namespace ?? '*' },
    { header: 'USER', value: ({ user_id }) => user_id },
    { header: 'AGE', value: ({ created_at }) => ageOf(created_at) },
  ],
  details: (binding) => [
    ['Id', binding.id],
    ['Role', binding.role],
    ['Namespace', binding.namespace ?? 'the whole cluster'],
    ['User', binding.user_id],
    ['Granted by', binding.created_by],
    ['Created', momentOf(binding.created_at)],
  ],
  related: [{ title: 'User', kind: 'user', column: 'id', value: ({ user_id }) => user_id }],
  remove: actionOf('revoke_role', {
    right: 'roles:delete',
    confirm: 'ask',
    done: 'revoked',
    args: ({ user_id, role, namespace }: RoleBindingRow) => ({
      p_user_id: user_id,
      p_role: role,
      p_namespace: namespace,
    }),
  }),
});
