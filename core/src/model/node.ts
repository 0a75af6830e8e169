import type { RowOf } from './database.js';
import type { JsonObject } from './json.js';
import type { Labels } from './labels.js';
import type { Taint } from './taints.js';

export const NODE_STATUSES = ['healthy', 'unhealthy', 'offline', 'unknown'] as const;
export type NodeStatus = (typeof NODE_STATUSES)[number];

/** What a node offers and what of it is taken: millicores, MB, MB, a count. */
export interface NodeResources {
  cpu?: number;
  memory?: number;
  storage?: number;
  pods?: number;
}

/** One agent, as `stark.nodes` shows it. */
export type Node = RowOf<
  'nodes',
  {
    runtime: 'node' | 'browser';
    status: NodeStatus;
    labels: Labels;
    taints: readonly Taint[];
    capabilities: JsonObject;
    allocatable: NodeResources;
    allocated: NodeResources;
  }
>;
