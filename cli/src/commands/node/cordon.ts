import { StarkCommand } from '../../base/command.js';
import { names } from '../../base/flags.js';
import { changeNodes, type NodeCall } from '../../data/nodes.js';

export default class NodeCordon extends StarkCommand<typeof NodeCordon> {
  static override summary = 'Keep new pods off nodes; those that run stay.';
  static override examples = [
    '<%= config.bin %> node cordon node-1',
    '<%= config.bin %> node cordon node-1 node-2 --output json',
  ];
  static override args = { node: names('node') };

  async run(): Promise<void> {
    const calls: NodeCall[] = [(call, name) => call('cordon_node', { p_name: name })];
    await changeNodes(await this.connection(), this.args.node, { calls, done: 'cordoned' }, await this.format());
  }
}
