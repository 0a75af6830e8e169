import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../base/command.js';
import { namespaceFlag, selectorFlag, wordsToChange } from '../base/flags.js';
import { relabel } from '../data/relabel.js';

export default class Label extends StarkCommand<typeof Label> {
  static override summary = 'Set labels of things, or take them away.';
  static override description =
    'key=value sets one, key- takes it away. What has another value already is changed with --overwrite only.';
  static override examples = [
    '<%= config.bin %> label node/laptop tier=backend zone-',
    '<%= config.bin %> label deployments --selector app=web team=a --overwrite',
  ];
  static override args = { what: wordsToChange() };
  static override flags = {
    ...namespaceFlag,
    ...selectorFlag,
    all: Flags.boolean({ summary: 'All of the kind, of the namespace where they have one.', exclusive: ['selector'] }),
    overwrite: Flags.boolean({ summary: 'Also where it has another value.' }),
  };

  async run(): Promise<void> {
    const { selector, all, overwrite } = this.flags;
    const { namespace } = await this.settings();
    const wanted = { words: this.args.what, what: 'label' as const, namespace, selector, all, overwrite };
    await relabel(await this.connection(), wanted, await this.format());
  }
}
