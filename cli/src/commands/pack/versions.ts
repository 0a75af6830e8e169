import { StarkCommand } from '../../base/command.js';
import { names } from '../../base/flags.js';
import { findVersions, versionView } from '../../data/packs.js';

export default class PackVersions extends StarkCommand<typeof PackVersions> {
  static override summary = 'List the versions of packs, newest first.';
  static override examples = [
    '<%= config.bin %> pack versions alpha',
    '<%= config.bin %> pack versions alpha --output json',
  ];
  static override args = { pack: names('pack') };

  async run(): Promise<void> {
    await this.printList(versionView, await findVersions(await this.connection(), this.args.pack));
  }
}
