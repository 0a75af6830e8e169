import { StarkCommand } from '../../base/command.js';
import { names, selectorFlag } from '../../base/flags.js';
import { say } from '../../base/terminal.js';
import { findNodes, nodeView } from '../../data/nodes.js';

export default class NodeList extends StarkCommand<typeof NodeList> {
  static override summary = 'List nodes.';
  static override aliases = ['node agent list'];
  static override examples = [
    '<%= config.bin %> node list --selector tier=backend',
    '<%= config.bin %> node list --output wide',
  ];
  static override args = { node: names('node', { required: false }) };
  static override flags = { ...selectorFlag };

  async run(): Promise<void> {
    const nodes = await findNodes(await this.connection(), {
      names: this.args.node as unknown as string[] | undefined,
      selector: this.flags.selector,
    });
    await this.printList(nodeView, nodes);
    if (nodes.length === 0) {
      say('no nodes');
      this.next('stark node agent start');
    }
  }
}
