import { joinTokens } from '@stark-o/core/resources';
import { StarkCommand } from '../../../base/command.js';
import { say } from '../../../base/terminal.js';

export default class NodeTokenList extends StarkCommand<typeof NodeTokenList> {
  static override summary = 'List join tokens: yours, or all of them when you may delete any node.';
  static override examples = ['<%= config.bin %> node token list', '<%= config.bin %> node token list --output wide'];

  async run(): Promise<void> {
    const tokens = await this.list(joinTokens, {});
    if (tokens.length === 0) {
      say('no join tokens');
      this.next('stark node token create');
    }
  }
}
