import type { User } from '../model/user.js';
import { ageOf, momentOf } from './cells.js';
import { KINDS } from './kinds.js';
import { actionOf, defineResource } from './resource.js';

/** What is shown of a user. */
export type UserRow = Pick<User, (typeof fields)[number]>;

const fields = ['id', 'email', 'display_name', 'roles', 'disabled_at', 'last_sign_in_at', 'created_at'] as const;

/** Users, as an admin sees them. */
export const users = defineResource<User>()({
  ...KINDS.user,
  source: { fn: 'list_users' },
  fields,
  nameColumn: 'email',
  notFound: 'USER_NOT_FOUND',
  idColumn: 'id',
  eventKind: 'user',
  // Accounts that machines got when they joined, which nobody signs in with; each goes with its node.
  unlisted: { column: 'email', like: 'node-*@nodes.stark.invalid' },
  columns: [
    { header: 'E-MAIL', value: ({ email }) => email },
    { header: 'NAME', value: ({ display_name }) => display_name, wide: true },
    { header: 'ROLES', value: rolesOf },
    { header: 'STATUS', value: ({ disabled_at }) => (disabled_at === null ? 'active' : 'disabled') },
    { header: 'SIGNED-IN', value: ({ last_sign_in_at }) => last_sign_in_at && ageOf(last_sign_in_at) },
    { header: 'AGE', value: ({ created_at }) => ageOf(created_at) },
  ],
  details: (user) => [
    ['E-mail', user.email],
    ['Name', user.display_name],
    ['Roles', rolesOf(user)],
    ['Status', user.disabled_at === null ? 'active' : `disabled since ${momentOf(user.disabled_at)}`],
    ['Signed in', momentOf(user.last_sign_in_at)],
    ['Created', momentOf(user.created_at)],
    ['Id', user.id],
  ],
  stays: true,
  remove: actionOf('disable_user', {
    right: 'users:update',
    confirm: 'ask',
    done: 'disabled: what the user owns stays',
    args: ({ id }: UserRow) => ({ p_user_id: id }),
  }),
});

function rolesOf({ roles }: Pick<User, 'roles'>): string[] {
  return roles.map(({ role, namespace }) => (namespace === null ? role : `${namespace}/${role}`));
}
