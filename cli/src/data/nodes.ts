import { formatCpu, formatMemory, formatTaint, type Node, type NodeResources } from '@stark-o/core/model';
import type { OutputFormat } from '../base/format.js';
import { printChanged, type View } from '../base/output.js';
import type { Connection } from '../session/connection.js';
import { ageOf, labelsCell } from './cells.js';
import { type Filter, findRows } from './query.js';

/** What `-o json` promises of a node. */
export const nodeColumns = [
  'id',
  'name',
  'runtime',
  'status',
  'unschedulable',
  'accepts',
  'accepted_namespaces',
  'labels',
  'taints',
  'capabilities',
  'allocatable',
  'allocated',
  'incarnation',
  'created_at',
] as const;

export type NodeRow = Pick<Node, (typeof nodeColumns)[number]>;

export function findNodes(connection: Connection, filter: Filter): Promise<NodeRow[]> {
  return findRows<NodeRow>(connection, 'nodes', nodeColumns, filter);
}

export const nodeView: View<NodeRow> = {
  kind: 'node',
  name: (node) => node.name,
  object: (node) => Object.fromEntries(nodeColumns.map((column) => [column, node[column] ?? null])),
  columns: [
    { header: 'NAME', value: (node) => node.name },
    { header: 'STATUS', value: (node) => (node.unschedulable ? `${node.status},cordoned` : node.status) },
    { header: 'RUNTIME', value: (node) => node.runtime },
    { header: 'PODS', value: (node) => share(node, 'pods', String) },
    { header: 'CPU', value: (node) => share(node, 'cpu', formatCpu) },
    { header: 'MEMORY', value: (node) => share(node, 'memory', formatMemory) },
    { header: 'ISOLATION', value: isolationOf, wide: true },
    { header: 'ACCEPTS', value: acceptanceOf, wide: true },
    { header: 'TAINTS', value: (node) => node.taints.map(formatTaint), wide: true },
    { header: 'LABELS', value: (node) => labelsCell(node.labels), wide: true },
    { header: 'AGE', value: (node) => ageOf(node.created_at) },
  ],
};

/** What holds the pods of a node, as the cluster shows it. */
export function isolationOf({ labels }: NodeRow): string {
  return labels['stark/isolation'] ?? 'unknown';
}

/** Whose pods a node takes, beside its owner's and admins'. */
export function acceptanceOf({ accepts, accepted_namespaces: namespaces }: NodeRow): string {
  return accepts === 'namespaces' ? `namespaces:${namespaces.join(',')}` : accepts;
}

/** Calls functions for each node, by name or id, and prints the nodes that the last of them answers. */
export async function changeNodes(
  connection: Connection,
  names: readonly string[],
  change: { calls: readonly { fn: string; args?: Record<string, unknown> }[]; done: string },
  format: OutputFormat,
): Promise<void> {
  const changed: NodeRow[] = [];
  for (const node of await findNodes(connection, { names })) {
    let after = node;
    for (const { fn, args } of change.calls) {
      after = await connection.call<NodeRow>(fn, { p_name: node.name, ...args });
    }
    changed.push(after);
  }
  await printChanged(nodeView, changed, change.done, format);
}

function share(node: NodeRow, what: keyof NodeResources, format: (amount: number) => string): string {
  const total = node.allocatable[what];
  return `${format(node.allocated[what] ?? 0)}/${total === undefined ? '?' : format(total)}`;
}
