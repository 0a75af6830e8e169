import type { JsonObject } from './json.js';
import type { LabelSelector } from './label-selector.js';
import type { Labels } from './labels.js';
import type { PodStatus } from './pod-status.js';
import type { Toleration } from './taints.js';

/** Amounts as the scheduler counts them: millicores and MB. */
export interface ResourceAmounts {
  cpu?: number;
  memory?: number;
}

export interface NodeSelectorRequirement {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  values?: string[];
}

export interface NodeSelectorTerm {
  matchExpressions?: NodeSelectorRequirement[];
}

export interface PodAffinityTerm {
  labelSelector?: LabelSelector;
  topologyKey: string;
  namespaces?: string[];
}

export interface PodAffinity {
  requiredDuringSchedulingIgnoredDuringExecution?: PodAffinityTerm[];
  preferredDuringSchedulingIgnoredDuringExecution?: { weight: number; podAffinityTerm: PodAffinityTerm }[];
}

/** Kubernetes' affinity, names and meanings unchanged. */
export interface Affinity {
  nodeAffinity?: {
    requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms: NodeSelectorTerm[] };
    preferredDuringSchedulingIgnoredDuringExecution?: { weight: number; preference: NodeSelectorTerm }[];
  };
  podAffinity?: PodAffinity;
  podAntiAffinity?: PodAffinity;
}

/** A port a pod listens on: `random` lets the agent choose a free one, `fixed` names it. */
export interface PodPort {
  name: string;
  strategy: 'random' | 'fixed';
  port?: number;
}

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

/** What a pod asks for. Fixed once the pod exists. */
export interface PodSpec {
  nodeName?: string;
  nodeSelector?: Record<string, string>;
  tolerations?: Toleration[];
  affinity?: Affinity;
  resources?: { requests?: ResourceAmounts };
  /** Handed to the pack as `ctx.config`. */
  config?: JsonObject;
  /** Handed to the pack as `ctx.env`. */
  env?: Record<string, string>;
  ports?: PodPort[];
  restartPolicy?: RestartPolicy;
  terminationGracePeriodSeconds?: number;
  isolation?: 'process' | 'worker';
}

/** One run of a pack version on one node, as `stark.pods` shows it. */
export interface Pod {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly pack_id: string;
  readonly pack_name: string;
  readonly pack_version_id: string;
  readonly version: string;
  readonly node_id: string | null;
  readonly node_name: string | null;
  readonly status: PodStatus;
  readonly status_reason: string | null;
  readonly status_message: string | null;
  readonly exit_code: number | null;
  readonly restarts: number;
  readonly ready: boolean;
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Labels;
  readonly spec: PodSpec;
  readonly priority: number;
  readonly created_by: string | null;
  readonly incarnation: number | null;
  readonly created_at: string;
  readonly scheduled_at: string | null;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly resource_version: number;
}
