import { StarkCommand } from '../../base/command.js';
import { names } from '../../base/flags.js';
import { changeNodes, type NodeCall } from '../../data/nodes.js';

export default class NodeUncordon extends StarkCommand<typeof NodeUncordon> {
  static override summary = 'Let nodes have new pods again.';
  static override examples = [
    '<%= config.bin %> node uncordon node-1',
    '<%= config.bin %> node uncordon node-1 node-2 --output json',
  ];
  static override args = { node: names('node') };

  async run(): Promise<void> {
    const calls: NodeCall[] = [(call, name) => call('uncordon_node', { p_name: name })];
    await changeNodes(await this.connection(), this.args.node, { calls, done: 'uncordoned' }, await this.format());
  }
}
