import { formatTaint } from '@stark-o/core/model';
import { StarkCommand } from '../../base/command.js';
import { names } from '../../base/flags.js';
import { describe, printList, writeData } from '../../base/output.js';
import { ageOf } from '../../data/cells.js';
import { acceptanceOf, findNodes, isolationOf, type NodeRow, nodeView } from '../../data/nodes.js';

export default class NodeDescribe extends StarkCommand<typeof NodeDescribe> {
  static override summary = 'Show nodes in full: what they offer, what holds their pods, and whose they take.';
  static override examples = [
    '<%= config.bin %> node describe node-1',
    '<%= config.bin %> node describe node-1 node-2 --output yaml',
  ];
  static override args = { node: names('node', { required: true }) };

  async run(): Promise<void> {
    const connection = await this.connection();
    const nodes = await findNodes(connection, { names: this.args.node as unknown as string[] });
    const format = await this.format();
    if (format !== 'table') return printList(nodeView, nodes, format);
    await writeData(`${nodes.map((node) => linesOf(node).join('\n')).join('\n\n')}\n`);
    const [first] = nodes;
    if (first !== undefined) this.next(`stark node update ${first.name} --label key=value`);
  }
}

/** What an agent says; whose pods the node takes may have been said otherwise since. */
interface Capabilities {
  isolation?: { by?: readonly string[] };
  accepts?: unknown;
  acceptedNamespaces?: unknown;
}

function linesOf(node: NodeRow): string[] {
  const { isolation, accepts: _, acceptedNamespaces: __, ...capabilities } = node.capabilities as Capabilities;
  const by = Array.isArray(isolation?.by) && isolation.by.length > 0 ? ` (${isolation.by.join(', ')})` : '';
  return describe([
    ['Name', node.name],
    ['Runtime', node.runtime],
    ['Status', node.status],
    ['Unschedulable', node.unschedulable],
    ['Isolation', `${isolationOf(node)}${by}`],
    ['Accepts', acceptanceOf(node)],
    ['Labels', node.labels],
    ['Taints', node.taints.map(formatTaint).join(', ')],
    ['Allocatable', node.allocatable],
    ['Allocated', node.allocated],
    ['Capabilities', capabilities],
    ['Incarnation', node.incarnation],
    ['Created', `${node.created_at} (${ageOf(node.created_at)} ago)`],
    ['Id', node.id],
  ]);
}
