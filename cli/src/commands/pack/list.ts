import { StarkCommand } from '../../base/command.js';
import { names } from '../../base/flags.js';
import { say } from '../../base/terminal.js';
import { findPacks, packView } from '../../data/packs.js';

export default class PackList extends StarkCommand<typeof PackList> {
  static override summary = 'List packs with their newest version.';
  static override examples = ['<%= config.bin %> pack list', '<%= config.bin %> pack list --output json'];
  static override args = { pack: names('pack', { required: false }) };

  async run(): Promise<void> {
    const packs = await findPacks(await this.connection(), {
      names: this.args.pack as unknown as string[] | undefined,
    });
    await this.printList(packView, packs);
    if (packs.length === 0) {
      say('no packs');
      this.next(
        'stark pack bundle ./my-pack --out my-pack.js',
        'stark pack register my-pack.js --name my-pack --ver 1.0.0',
      );
    }
  }
}
