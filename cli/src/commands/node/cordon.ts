import { StarkCommand } from '../../base/command.js';
import { names } from '../../base/flags.js';
import { changeNodes } from '../../data/nodes.js';

export default class NodeCordon extends StarkCommand<typeof NodeCordon> {
  static override summary = 'Keep new pods off nodes; those that run stay.';
  static override examples = [
    '<%= config.bin %> node cordon node-1',
    '<%= config.bin %> node cordon node-1 node-2 --output json',
  ];
  static override args = { node: names('node', { required: true }) };

  async run(): Promise<void> {
    const nodes = this.args.node as unknown as string[];
    await changeNodes(
      await this.connection(),
      nodes,
      { calls: [{ fn: 'cordon_node' }], done: 'cordoned' },
      await this.format(),
    );
  }
}
