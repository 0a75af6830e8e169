import type { AppliedObjects } from '@stark-o/core/model';
import { printPlacement } from '../project/show.js';
import Diff from './diff.js';

export default class Plan extends Diff {
  static override summary =
    'Say what an apply of files would change, where new pods would run, and which rollouts begin; nothing is changed.';
  static override description =
    'The apply itself, taken back: packs are bundled and taken for uploaded. Ends with 0 when nothing would change, with 1 when something would, with 2 or more after an error. Which of several pods that are alike gets which place may be another one then.';
  static override examples = [
    '<%= config.bin %> plan --filename stark.yaml',
    '<%= config.bin %> plan --prune --output json',
  ];

  protected override async print(answer: AppliedObjects): Promise<void> {
    await super.print(answer);
    await printPlacement(answer);
  }
}
