import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../../base/command.js';
import { names, yesFlag } from '../../base/flags.js';
import { confirm, mayAsk } from '../../base/prompt.js';
import { changeNodes, type NodeCall } from '../../data/nodes.js';

export default class NodeDelete extends StarkCommand<typeof NodeDelete> {
  static override summary = 'Delete nodes; their agents end, and what they joined with is void.';
  static override examples = [
    '<%= config.bin %> node delete node-1',
    '<%= config.bin %> node delete node-1 node-2 --force --yes',
  ];
  static override args = { node: names('node') };
  static override flags = {
    force: Flags.boolean({ summary: 'Evict pods that have not ended, instead of refusing.' }),
    ...yesFlag,
  };

  async run(): Promise<void> {
    const wanted = this.args.node;
    const { force, yes } = this.flags;
    const { context } = await this.settings();
    const list = wanted.join(', ');
    const question = force
      ? `Evict the pods of ${list} and delete ${wanted.length === 1 ? 'it' : 'them'} in context ${context}?`
      : `Delete node${wanted.length === 1 ? '' : 's'} ${list} in context ${context}?`;
    // A script that names them has said so, unless pods go with them.
    if ((force || mayAsk()) && !(await confirm(question, yes))) return;
    const calls: NodeCall[] = [
      (call, name) => call('delete_node', { p_name: name, ...(force ? { p_force: true } : {}) }),
    ];
    await changeNodes(await this.connection(), wanted, { calls, done: 'deleted' }, await this.format());
  }
}
