import { packs } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { optionalNames } from '../../base/flags.js';
import { say } from '../../base/terminal.js';

export default class PackList extends StarkCommand<typeof PackList> {
  static override summary = 'List packs with their newest version.';
  static override examples = ['<%= config.bin %> pack list', '<%= config.bin %> pack list --output json'];
  static override args = { pack: optionalNames('pack') };

  async run(): Promise<void> {
    const found = await this.list(packs, { names: this.args.pack });
    if (found.length === 0) {
      say('no packs');
      this.next(
        'stark pack bundle ./my-pack --out my-pack.js',
        'stark pack register my-pack.js --name my-pack --ver 1.0.0',
      );
    }
  }
}
