import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../../base/command.js';
import { names, yesFlag } from '../../base/flags.js';
import { confirm } from '../../base/prompt.js';
import { changeNodes } from '../../data/nodes.js';

export default class NodeDelete extends StarkCommand<typeof NodeDelete> {
  static override summary = 'Delete nodes; their agents end, and what they joined with is void.';
  static override examples = [
    '<%= config.bin %> node delete node-1',
    '<%= config.bin %> node delete node-1 node-2 --force --yes',
  ];
  static override args = { node: names('node', { required: true }) };
  static override flags = {
    force: Flags.boolean({ summary: 'Evict pods that have not ended, instead of refusing.' }),
    ...yesFlag,
  };

  async run(): Promise<void> {
    const wanted = this.args.node as unknown as string[];
    const { force, yes } = this.flags;
    const list = wanted.join(', ');
    if (force && !(await confirm(`Evict the pods of ${list} and delete ${wanted.length === 1 ? 'it' : 'them'}?`, yes)))
      return;
    const change = { calls: [{ fn: 'delete_node', args: force ? { p_force: true } : {} }], done: 'deleted' };
    await changeNodes(await this.connection(), wanted, change, await this.format());
  }
}
