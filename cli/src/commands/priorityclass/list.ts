import { StarkCommand } from '../../base/command.js';
import { names } from '../../base/flags.js';
import { findPriorityClasses, priorityClassView } from '../../data/cluster-objects.js';

export default class PriorityClassList extends StarkCommand<typeof PriorityClassList> {
  static override summary = 'List the priorities that pods can refer to by name.';
  static override examples = [
    '<%= config.bin %> priorityclass list',
    '<%= config.bin %> priorityclass list high --output yaml',
  ];
  static override args = { priorityclass: names('priorityclass', { required: false }) };

  async run(): Promise<void> {
    const wanted = this.args.priorityclass as unknown as string[] | undefined;
    await this.printList(priorityClassView, await findPriorityClasses(await this.connection(), wanted));
  }
}
