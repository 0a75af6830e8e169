import type { Node, NodeResources } from '../model/node.js';
import { formatCpu, formatMemory } from '../model/quantity.js';
import { formatTaint } from '../model/taints.js';
import { ageOf, labelsCell, momentOf } from './cells.js';
import { KINDS } from './kinds.js';
import { actionOf, defineResource, relabelOf } from './resource.js';

/** What is shown of a node. */
export type NodeRow = Pick<Node, (typeof fields)[number]>;

const fields = [
  'id',
  'name',
  'runtime',
  'status',
  'unschedulable',
  'draining',
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

/** Nodes. */
export const nodes = defineResource<Node>()({
  ...KINDS.node,
  source: { table: 'nodes' },
  fields,
  nameColumn: 'name',
  notFound: 'NODE_NOT_FOUND',
  idColumn: 'id',
  eventKind: 'node',
  labels: (node) => node.labels,
  columns: [
    { header: 'NAME', value: (node) => node.name },
    { header: 'STATUS', value: (node) => [node.status, cordonOf(node)].filter(Boolean).join(',') },
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
  details: (node) => {
    // What its agent said of whose pods it takes; it may have been said otherwise since.
    const { isolation, accepts: _, acceptedNamespaces: __, ...capabilities } = node.capabilities;
    return [
      ['Name', node.name],
      ['Runtime', node.runtime],
      ['Status', node.status],
      ['Unschedulable', node.unschedulable],
      ['Draining', node.draining],
      ['Isolation', `${isolationOf(node)}${meansOf(isolation)}`],
      ['Accepts', acceptanceOf(node)],
      ['Labels', node.labels],
      ['Taints', node.taints.map(formatTaint).join(', ')],
      ['Allocatable', node.allocatable],
      ['Allocated', node.allocated],
      ['Capabilities', capabilities],
      ['Incarnation', node.incarnation],
      ['Created', momentOf(node.created_at)],
      ['Id', node.id],
    ];
  },
  related: [{ title: 'Pods', kind: 'pod', column: 'node_name', value: (node) => node.name }],
  conditions: [
    { name: 'ready', holds: ({ status }) => status === 'healthy' },
    { name: 'schedulable', holds: ({ status, unschedulable }) => status === 'healthy' && !unschedulable },
  ],
  why: (node) => (node.status === 'healthy' ? cordonOf(node) : node.status),
  relabel: relabelOf('update_node', ['label'], (node: NodeRow, { labels = {} }) => ({
    ...{ p_name: node.name, p_labels: { ...labels } },
  })),
  remove: actionOf('delete_node', {
    right: 'nodes:delete',
    confirm: 'ask',
    forcible: true,
    done: 'deleted',
    args: (node: NodeRow, { force = false }) => ({ p_name: node.name, p_force: force }),
  }),
});

/** What holds the pods of a node, as the cluster shows it. */
export function isolationOf({ labels }: Pick<NodeRow, 'labels'>): string {
  return labels['stark/isolation'] ?? 'unknown';
}

/** What keeps new pods off a node. */
function cordonOf({ unschedulable, draining }: NodeRow): string {
  return draining ? 'draining' : unschedulable ? 'cordoned' : '';
}

/** Whose pods a node takes, beside its owner's and admins'. */
function acceptanceOf({ accepts, accepted_namespaces: namespaces }: NodeRow): string {
  return accepts === 'namespaces' ? `namespaces:${namespaces.join(',')}` : accepts;
}

function meansOf(isolation: unknown): string {
  const by = (isolation as { by?: unknown } | undefined)?.by;
  return Array.isArray(by) && by.length > 0 ? ` (${by.join(', ')})` : '';
}

function share(node: NodeRow, what: keyof NodeResources, format: (amount: number) => string): string {
  const total = node.allocatable[what];
  return `${format(node.allocated[what] ?? 0)}/${total === undefined ? '?' : format(total)}`;
}
