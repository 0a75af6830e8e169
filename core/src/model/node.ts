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
export interface Node {
  readonly id: string;
  readonly name: string;
  readonly runtime: 'node' | 'browser';
  readonly status: NodeStatus;
  readonly labels: Labels;
  readonly taints: readonly Taint[];
  readonly capabilities: JsonObject;
  readonly allocatable: NodeResources;
  readonly allocated: NodeResources;
  readonly unschedulable: boolean;
  readonly owner_id: string | null;
  readonly incarnation: number;
  readonly created_at: string;
  readonly resource_version: number;
}
