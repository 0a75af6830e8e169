import { StarkCommand } from '../../base/command.js';
import { names } from '../../base/flags.js';
import { changeUsers } from '../../data/users.js';

export default class UserEnable extends StarkCommand<typeof UserEnable> {
  static override summary = 'Give disabled users their rights back.';
  static override examples = [
    '<%= config.bin %> user enable eve@example.com',
    '<%= config.bin %> user enable eve@example.com --output json',
  ];
  static override args = { user: names('user') };

  async run(): Promise<void> {
    const connection = await this.connection();
    const enable = ({ id }: { id: string }) => connection.call('enable_user', { p_user_id: id });
    await changeUsers(connection, this.args.user, enable, 'enabled', await this.format());
  }
}
