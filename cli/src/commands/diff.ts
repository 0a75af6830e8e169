import type { AppliedObjects } from '@stark-o/core/model';
import { StarkCommand } from '../base/command.js';
import { apartFromDifference, compare, printCompared } from '../project/compare.js';
import { applyFlags, fileFlags } from '../project/flags.js';
import { printDiff } from '../project/show.js';

export default class Diff extends StarkCommand<typeof Diff> {
  static override summary = 'Say what an apply of files would change, field by field; nothing is changed.';
  static override description =
    'Ends with 0 when nothing would change, with 1 when something would, with 2 or more after an error. What stands in env and config is not shown.';
  static override examples = [
    '<%= config.bin %> diff --filename stark.yaml',
    '<%= config.bin %> diff --filename ./deploy --prune --output json',
  ];
  static override flags = { ...fileFlags, ...applyFlags };

  async run(): Promise<void> {
    const { filename: files = [], recursive, prune, 'take-over': takeOver } = this.flags;
    const { namespace } = await this.settings();
    const connection = await this.connection();
    const answer = await compare(connection, { files, recursive, namespace, prune, takeOver });
    await printCompared(answer, await this.format(), () => this.print(answer));
  }

  /** For people; machines get all of the answer. */
  protected async print(answer: AppliedObjects): Promise<void> {
    await printDiff(answer);
  }

  protected override async catch(error: Error): Promise<never> {
    throw await super.catch(error).catch(apartFromDifference);
  }
}
