import { StarkCommand } from '../base/command.js';
import { relabelArgs, relabelDescription, relabelFlags } from '../base/flags.js';
import { relabel } from '../data/relabel.js';

export default class Annotate extends StarkCommand<typeof Annotate> {
  static override summary = 'Set annotations of things, or take them away.';
  static override description = relabelDescription;
  static override examples = [
    '<%= config.bin %> annotate deployment/web owner=ada note-',
    '<%= config.bin %> annotate deployments --all reviewed=yes --overwrite',
  ];
  static override args = relabelArgs;
  static override flags = relabelFlags;

  async run(): Promise<void> {
    const { namespace } = await this.settings();
    const asked = { ...this.flags, words: this.args.what, what: 'annotation', namespace } as const;
    await relabel(await this.connection(), asked, await this.format());
  }
}
