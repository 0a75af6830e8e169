import { StarkCommand } from '../base/command.js';
import { relabelArgs, relabelDescription, relabelFlags } from '../base/flags.js';
import { relabel } from '../data/relabel.js';

export default class Label extends StarkCommand<typeof Label> {
  static override summary = 'Set labels of things, or take them away.';
  static override description = relabelDescription;
  static override examples = [
    '<%= config.bin %> label node/laptop tier=backend zone-',
    '<%= config.bin %> label deployments --selector app=web team=a --overwrite',
  ];
  static override args = relabelArgs;
  static override flags = relabelFlags;

  async run(): Promise<void> {
    const { namespace } = await this.settings();
    const asked = { ...this.flags, words: this.args.what, what: 'label', namespace } as const;
    await relabel(await this.connection(), asked, await this.format());
  }
}
