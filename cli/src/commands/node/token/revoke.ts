import { type JoinTokenRow, joinTokens } from '@stark-o/core/resources';
import { StarkCommand } from '../../../base/command.js';
import { names } from '../../../base/flags.js';
import { printChanged } from '../../../base/output.js';

export default class NodeTokenRevoke extends StarkCommand<typeof NodeTokenRevoke> {
  static override summary = 'Take join tokens back; nodes that have joined stay.';
  static override examples = [
    '<%= config.bin %> node token revoke 3f9a2c1d07',
    '<%= config.bin %> node token revoke 3f9a2c1d07 0b7e55aa12 --output json',
  ];
  static override args = { id: names('join token') };

  async run(): Promise<void> {
    const connection = await this.connection();
    const revoked: JoinTokenRow[] = [];
    for (const id of this.args.id) revoked.push(await connection.call('revoke_join_token', { p_id: id }));
    await printChanged(joinTokens, revoked, 'revoked', await this.format());
  }
}
