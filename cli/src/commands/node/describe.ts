import { nodes } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { names } from '../../base/flags.js';
import { describeObjects } from '../../data/describe.js';
import { findNodes } from '../../data/nodes.js';

export default class NodeDescribe extends StarkCommand<typeof NodeDescribe> {
  static override summary = 'Show nodes in full: what they offer, what holds their pods, and whose they take.';
  static override examples = [
    '<%= config.bin %> node describe node-1',
    '<%= config.bin %> node describe node-1 node-2 --output yaml',
  ];
  static override args = { node: names('node') };

  async run(): Promise<void> {
    const connection = await this.connection();
    const found = await findNodes(connection, { names: this.args.node });
    await describeObjects(connection, nodes, found, await this.format());
    const [first] = found;
    if (first !== undefined) this.next(`stark node update ${first.name} --label key=value`);
  }
}
