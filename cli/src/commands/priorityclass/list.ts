import { priorityClasses } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { optionalNames } from '../../base/flags.js';

export default class PriorityClassList extends StarkCommand<typeof PriorityClassList> {
  static override summary = 'List the priorities that pods can refer to by name.';
  static override examples = [
    '<%= config.bin %> priorityclass list',
    '<%= config.bin %> priorityclass list high --output yaml',
  ];
  static override args = { priorityclass: optionalNames('priorityclass') };

  async run(): Promise<void> {
    await this.list(priorityClasses, { names: this.args.priorityclass });
  }
}
