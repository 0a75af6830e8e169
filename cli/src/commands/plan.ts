import type { AppliedObjects } from '@stark-o/core/model';
import { StarkCommand } from '../base/command.js';
import { apartFromDifference, compare, printCompared } from '../project/compare.js';
import { applyFlags, fileFlags } from '../project/flags.js';
import { printDiff, printPlacement } from '../project/show.js';

export default class Plan extends StarkCommand<typeof Plan> {
  static override summary =
    'Say what an apply of files would change, where new pods would run, and which rollouts begin; nothing is changed.';
  static override description =
    'The apply itself, taken back: packs are bundled and taken for uploaded. Ends with 0 when nothing would change, with 1 when something would, with 2 or more after an error. Which of several pods that are alike gets which place may be another one then.';
  static override examples = [
    '<%= config.bin %> plan --filename stark.yaml',
    '<%= config.bin %> plan --prune --output json',
  ];
  static override flags = { ...fileFlags, ...applyFlags };

  async run(): Promise<void> {
    const { filename: files = [], recursive, prune, 'take-over': takeOver } = this.flags;
    const { namespace } = await this.settings();
    const connection = await this.connection();
    const answer = await compare(connection, { files, recursive, namespace, prune, takeOver });
    await printCompared(answer, await this.format(), () => this.#print(answer));
  }

  protected override async catch(error: Error): Promise<never> {
    throw await super.catch(error).catch(apartFromDifference);
  }

  async #print(answer: AppliedObjects): Promise<void> {
    await printDiff(answer);
    await printPlacement(answer);
  }
}
