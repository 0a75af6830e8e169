import type { PodUsage } from '../reconciler/adapters.js';

/** What the pods of a node use together, and each of them. */
export interface NodeUsage {
  cpu: number;
  memory: number;
  pods: Record<string, PodUsage>;
}

/** What a heartbeat may carry of what pods tell of themselves, as characters of JSON: with the most pods that a node may have it is taken still. */
const MOST_METRICS = 12_000;

/** Sums up what the pods of a node use. Where their numbers are too many for one message, those of the pods that come last are left out. */
export function usageOfNode(usage: ReadonlyMap<string, PodUsage>): NodeUsage {
  const sum = (kind: 'cpu' | 'memory') => [...usage.values()].reduce((total, pod) => total + (pod[kind] ?? 0), 0);
  let room = MOST_METRICS;
  const pods = [...usage].map(([id, { metrics, ...measured }]) => {
    if (metrics === undefined) return [id, measured];
    room -= JSON.stringify({ metrics }).length;
    return [id, room < 0 ? measured : { ...measured, metrics }];
  });
  return { cpu: sum('cpu'), memory: sum('memory'), pods: Object.fromEntries(pods) };
}
