import { StarkCommand } from '../../base/command.js';
import type { View } from '../../base/output.js';
import { ageOf } from '../../data/cells.js';

/** What `-o json` promises of a user. */
interface UserRow {
  id: string;
  email: string | null;
  display_name: string | null;
  roles: { role: string; namespace: string | null }[];
  disabled_at: string | null;
  last_sign_in_at: string | null;
  created_at: string;
}

const view: View<UserRow> = {
  kind: 'user',
  name: ({ email, id }) => email ?? id,
  object: ({ id, email, display_name, roles, disabled_at, last_sign_in_at, created_at }) => ({
    ...{ id, email, display_name, roles, disabled_at, last_sign_in_at, created_at },
  }),
  columns: [
    { header: 'E-MAIL', value: ({ email }) => email },
    { header: 'NAME', value: ({ display_name }) => display_name, wide: true },
    {
      header: 'ROLES',
      value: ({ roles }) => roles.map(({ role, namespace }) => (namespace ? `${namespace}/${role}` : role)).join(','),
    },
    { header: 'STATUS', value: ({ disabled_at }) => (disabled_at === null ? 'active' : 'disabled') },
    { header: 'SIGNED-IN', value: ({ last_sign_in_at }) => last_sign_in_at && ageOf(last_sign_in_at) },
    { header: 'AGE', value: ({ created_at }) => ageOf(created_at) },
  ],
};

export default class AuthListUsers extends StarkCommand<typeof AuthListUsers> {
  static override summary = 'List users with their roles.';
  static override examples = ['<%= config.bin %> auth list-users', '<%= config.bin %> auth list-users --output json'];

  async run(): Promise<void> {
    await this.printList(view, await (await this.connection()).call<UserRow[]>('list_users'));
  }
}
