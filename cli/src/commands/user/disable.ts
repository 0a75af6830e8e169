import { StarkCommand } from '../../base/command.js';
import { names, yesFlag } from '../../base/flags.js';
import { confirm, mayAsk } from '../../base/prompt.js';
import { changeUsers } from '../../data/users.js';

export default class UserDisable extends StarkCommand<typeof UserDisable> {
  static override summary = 'Take every right and session from users; what they own stays.';
  static override examples = [
    '<%= config.bin %> user disable eve@example.com',
    '<%= config.bin %> user disable eve@example.com --yes --output json',
  ];
  static override args = { user: names('user') };
  static override flags = { ...yesFlag };

  async run(): Promise<void> {
    const { yes } = this.flags;
    const list = this.args.user.join(', ');
    if (mayAsk() && !(await confirm(`Take every right and session from ${list}?`, yes))) return;
    const connection = await this.connection();
    const disable = ({ id }: { id: string }) => connection.call('disable_user', { p_user_id: id });
    await changeUsers(connection, this.args.user, disable, 'disabled', await this.format());
  }
}
