import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import { roles } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { argument, repeated } from '../../base/flags.js';
import { printChanged } from '../../base/output.js';

export default class RoleUpdate extends StarkCommand<typeof RoleUpdate> {
  static override summary = 'Change a role of your own, for everybody who has it.';
  static override examples = [
    '<%= config.bin %> role update restarter --permission pods:get --permission pods:update',
    '<%= config.bin %> role update restarter --description "Restarts pods." --output json',
  ];
  static override args = { name: argument('Name of the role.') };
  static override flags = {
    permission: repeated({
      summary: 'A right of the role, in place of all it had; may be repeated.',
      helpValue: '<kind:verb>',
    }),
    description: Flags.string({ summary: 'What it is for.' }),
  };

  async run(): Promise<void> {
    const { permission, description } = this.flags;
    if (permission === undefined && description === undefined) {
      throw usageError('say what to change', 'e.g. --permission pods:get');
    }
    const connection = await this.connection();
    const changed = await connection.call('update_role', {
      p_name: this.args.name,
      ...(permission === undefined ? {} : { p_permissions: permission }),
      ...(description === undefined ? {} : { p_description: description }),
    });
    await printChanged(roles, [changed], 'updated', await this.format());
  }
}
