import * as Flags from '@oclif/core/flags';
import { roles } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { argument, repeated } from '../../base/flags.js';
import { printChanged } from '../../base/output.js';

export default class RoleCreate extends StarkCommand<typeof RoleCreate> {
  static override summary = 'Make a role of your own out of rights that you have.';
  static override examples = [
    '<%= config.bin %> role create restarter --permission pods:get --permission pods:update',
    '<%= config.bin %> role create auditor --permission events:get --description "Reads what happened."',
  ];
  static override args = { name: argument('Name of the role.') };
  static override flags = {
    permission: repeated({ summary: 'A right of the role; may be repeated.', helpValue: '<kind:verb>' }),
    description: Flags.string({ summary: 'What it is for.' }),
  };

  async run(): Promise<void> {
    const { permission = [], description } = this.flags;
    const connection = await this.connection();
    const made = await connection.call('create_role', {
      ...{ p_name: this.args.name, p_permissions: permission },
      ...(description === undefined ? {} : { p_description: description }),
    });
    await printChanged(roles, [made], 'created', await this.format());
    this.next(`stark role grant ${this.args.name} <user>`);
  }
}
