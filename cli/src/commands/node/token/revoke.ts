import { StarkCommand } from '../../../base/command.js';
import { names } from '../../../base/flags.js';
import { printChanged } from '../../../base/output.js';
import { type JoinTokenRow, joinTokenView } from '../../../data/join-tokens.js';

export default class NodeTokenRevoke extends StarkCommand<typeof NodeTokenRevoke> {
  static override summary = 'Take join tokens back; nodes that have joined stay.';
  static override examples = [
    '<%= config.bin %> node token revoke 3f9a2c1d07',
    '<%= config.bin %> node token revoke 3f9a2c1d07 0b7e55aa12 --output json',
  ];
  static override args = { id: names('join token', { required: true }) };

  async run(): Promise<void> {
    const ids = this.args.id as unknown as string[];
    const connection = await this.connection();
    const revoked: JoinTokenRow[] = [];
    for (const id of ids) revoked.push(await connection.call<JoinTokenRow>('revoke_join_token', { p_id: id }));
    await printChanged(joinTokenView, revoked, 'revoked', await this.format());
  }
}
