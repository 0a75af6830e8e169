import type { RowOf } from './database.js';
import type { JsonObject } from './json.js';
import type { LabelSelector } from './label-selector.js';
import type { Labels } from './labels.js';
import type { PodStatus } from './pod-status.js';
import type { Toleration } from './taints.js';

/** Amounts as the scheduler counts them: millicores, MB, MB. */
export interface ResourceAmounts {
  cpu?: number;
  memory?: number;
  storage?: number;
}

export interface NodeSelectorRequirement {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  values?: string[];
}

export interface NodeSelectorTerm {
  matchExpressions?: NodeSelectorRequirement[];
  /** Of the node itself: the key is `metadata.name`. */
  matchFields?: NodeSelectorRequirement[];
}

export interface PodAffinityTerm {
  labelSelector?: LabelSelector;
  /** Keys of the pod's own labels, whose values the others must have, or must not. */
  matchLabelKeys?: string[];
  mismatchLabelKeys?: string[];
  topologyKey: string;
  namespaces?: string[];
  /** Namespaces by their labels, beside those that are named; neither means the pod's own. */
  namespaceSelector?: LabelSelector;
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

/** Kubernetes' topology spread constraint, names and meanings unchanged. */
export interface TopologySpreadConstraint {
  maxSkew: number;
  topologyKey: string;
  whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway';
  labelSelector?: LabelSelector;
  /** Keys of the pod's own labels, whose values the others must have. */
  matchLabelKeys?: string[];
  minDomains?: number;
  /** Default Honor. */
  nodeAffinityPolicy?: 'Honor' | 'Ignore';
  /** Default Ignore. */
  nodeTaintsPolicy?: 'Honor' | 'Ignore';
}

/** A port a pod listens on: with a number it is fixed, without one the agent chooses a free one. */
export interface PodPort {
  name: string;
  /** May say what the number, or its absence, says. */
  strategy?: 'random' | 'fixed';
  port?: number;
}

/** How an agent asks a pod over HTTP how it is; names, defaults and meanings are Kubernetes'. */
export interface HttpProbe {
  /** Any status from 200 to 399 is well. */
  httpGet: {
    /** Default `/`. */
    path?: string;
    /** Name, or fixed number, of one of the pod's own ports. */
    port: string | number;
  };
  /** Default 0. */
  initialDelaySeconds?: number;
  /** Default 10. */
  periodSeconds?: number;
  /** Default 1. */
  timeoutSeconds?: number;
  /** Default 1; more only for readiness. */
  successThreshold?: number;
  /** Default 3. */
  failureThreshold?: number;
}

/** Ready as the pack says itself, by `ctx.ready()`. */
export interface PackReadyProbe {
  packReady: Record<string, never>;
}

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

/** What a pod asks for. Fixed once the pod exists. */
export interface PodSpec {
  nodeName?: string;
  nodeSelector?: Record<string, string>;
  tolerations?: Toleration[];
  affinity?: Affinity;
  topologySpreadConstraints?: TopologySpreadConstraint[];
  priorityClassName?: string;
  /** Never: the pod pushes nobody out. */
  preemptionPolicy?: 'PreemptLowerPriority' | 'Never';
  resources?: { requests?: ResourceAmounts; limits?: ResourceAmounts };
  /** Handed to the pack as `ctx.config`. */
  config?: JsonObject;
  /** Handed to the pack as `ctx.env`. */
  env?: Record<string, string>;
  ports?: PodPort[];
  restartPolicy?: RestartPolicy;
  terminationGracePeriodSeconds?: number;
  isolation?: 'process' | 'worker';
  /** While it fails, the two others are not asked; a pod that never gets through it is restarted. */
  startupProbe?: HttpProbe;
  /** Whether the pod can serve. Without it a pod is ready as soon as it runs. */
  readinessProbe?: HttpProbe | PackReadyProbe;
  /** A pod that fails it is restarted. */
  livenessProbe?: HttpProbe;
}

/** One run of a pack version on one node, as `stark.pods` shows it. */
export type Pod = RowOf<
  'pods',
  { status: PodStatus; ports: Readonly<Record<string, number>>; labels: Labels; annotations: Labels; spec: PodSpec }
>;
