import { matchesSelector, parseSelector } from '@stark-o/core/model';
import { StarkCommand } from '../../base/command.js';
import { names, selectorFlag, watchFlag } from '../../base/flags.js';
import { say } from '../../base/terminal.js';
import { findNodes, type NodeRow, nodeView } from '../../data/nodes.js';
import { watchList } from '../../data/watch-list.js';

export default class NodeList extends StarkCommand<typeof NodeList> {
  static override summary = 'List nodes.';
  static override aliases = ['node agent list'];
  static override examples = [
    '<%= config.bin %> node list --selector tier=backend',
    '<%= config.bin %> node list --output wide',
  ];
  static override args = { node: names('node', { required: false }) };
  static override flags = { ...selectorFlag, ...watchFlag };

  async run(): Promise<void> {
    const names = this.args.node as unknown as string[] | undefined;
    const { selector } = this.flags;
    const connection = await this.connection();
    if (this.flags.watch) {
      const chosen = selector === undefined ? undefined : parseSelector(selector);
      const matches = (node: NodeRow) =>
        (names === undefined || names.includes(node.name) || names.includes(node.id)) &&
        (chosen === undefined || matchesSelector(chosen, node.labels));
      const { watchCluster } = await import('@stark-o/core');
      const watch = watchCluster(await connection.starkClient());
      const rows = () => watch.store.nodes.values();
      return watchList(watch, { kind: 'node', view: nodeView, matches, rows, format: await this.format() });
    }
    const nodes = await findNodes(connection, { names, selector });
    await this.printList(nodeView, nodes);
    if (nodes.length === 0) {
      say('no nodes');
      this.next('stark node agent start');
    }
  }
}
