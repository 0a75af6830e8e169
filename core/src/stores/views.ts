import { type ComputedRef, computed, toRaw } from '@vue/reactivity';
import type { Node, NodeStatus } from '../model/node.js';
import type { PackVersion } from '../model/pack.js';
import type { Pod } from '../model/pod.js';
import { isTerminal, type PodStatus } from '../model/pod-status.js';

/** What views are computed from. */
export interface ClusterRows {
  readonly pods: ReadonlyMap<string, Pod>;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly packVersions: ReadonlyMap<string, PackVersion>;
}

/** What every surface shows of a cluster. */
export interface ClusterViews {
  /** Pods that are placed, by the id of their node; ended pods included. */
  readonly podsByNode: ComputedRef<ReadonlyMap<string, readonly Pod[]>>;
  /** By the name of the pack. */
  readonly podsByPack: ComputedRef<ReadonlyMap<string, readonly Pod[]>>;
  /** How many pods have each status; a status that no pod has is absent. */
  readonly podCounts: ComputedRef<Readonly<Partial<Record<PodStatus, number>>>>;
  /** Pods that have not ended. */
  readonly livePods: ComputedRef<readonly Pod[]>;
  readonly nodeCounts: ComputedRef<Readonly<Partial<Record<NodeStatus, number>>>>;
  /** Healthy and not cordoned: where a pod could be placed. */
  readonly schedulableNodes: ComputedRef<readonly Node[]>;
  readonly healthyNodes: ComputedRef<readonly Node[]>;
  /** Versions of each pack by the pack's id, newest first. */
  readonly versionsByPack: ComputedRef<ReadonlyMap<string, readonly PackVersion[]>>;
}

/** Makes the views; to be called inside an effect scope. */
export function createViews(store: ClusterRows): ClusterViews {
  const pods = () => rowsOf(store.pods);
  const nodes = () => rowsOf(store.nodes);
  return {
    podsByNode: computed(() => groupBy(pods().filter(isPlaced), (pod) => pod.node_id)),
    podsByPack: computed(() => groupBy(pods(), (pod) => pod.pack_name)),
    podCounts: computed(() => countBy(pods(), (pod) => pod.status)),
    livePods: computed(() => pods().filter((pod) => !isTerminal(pod.status))),
    nodeCounts: computed(() => countBy(nodes(), (node) => node.status)),
    schedulableNodes: computed(() => nodes().filter((node) => node.status === 'healthy' && !node.unschedulable)),
    healthyNodes: computed(() => nodes().filter((node) => node.status === 'healthy')),
    versionsByPack: computed(() => {
      const newestFirst = rowsOf(store.packVersions).sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
      return groupBy(newestFirst, (version) => version.pack_id);
    }),
  };
}

// Reading `size` makes a view depend on every change of the map; iterating the map underneath is then much cheaper than
// iterating through the proxy, which tracks and wraps at each step.
function rowsOf<Row>(map: ReadonlyMap<string, Row>): Row[] {
  void map.size;
  return [...toRaw(map).values()];
}

function isPlaced(pod: Pod): pod is Pod & { node_id: string } {
  return pod.node_id !== null;
}

// Map.groupBy is newer than the oldest Node.js that Stark runs on.
function groupBy<Row, Key>(rows: readonly Row[], key: (row: Row) => Key): Map<Key, Row[]> {
  const groups = new Map<Key, Row[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group) group.push(row);
    else groups.set(key(row), [row]);
  }
  return groups;
}

function countBy<Row, Key extends string>(rows: readonly Row[], key: (row: Row) => Key): Partial<Record<Key, number>> {
  const counts: Partial<Record<Key, number>> = {};
  for (const row of rows) counts[key(row)] = (counts[key(row)] ?? 0) + 1;
  return counts;
}
