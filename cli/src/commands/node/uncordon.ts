import { StarkCommand } from '../../base/command.js';
import { names } from '../../base/flags.js';
import { changeNodes } from '../../data/nodes.js';

export default class NodeUncordon extends StarkCommand<typeof NodeUncordon> {
  static override summary = 'Let nodes have new pods again.';
  static override examples = [
    '<%= config.bin %> node uncordon node-1',
    '<%= config.bin %> node uncordon node-1 node-2 --output json',
  ];
  static override args = { node: names('node', { required: true }) };

  async run(): Promise<void> {
    const nodes = this.args.node as unknown as string[];
    await changeNodes(
      await this.connection(),
      nodes,
      { calls: [{ fn: 'uncordon_node' }], done: 'uncordoned' },
      await this.format(),
    );
  }
}
