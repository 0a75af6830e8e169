import type { Autoscale } from './autoscale.js';
import type { RowOf } from './database.js';
import type { Labels } from './labels.js';
import type { PodSpec } from './pod.js';

export const DEPLOYMENT_STATUSES = ['complete', 'progressing', 'paused', 'failed', 'deleting'] as const;
export type DeploymentStatus = (typeof DEPLOYMENT_STATUSES)[number];

/** A number of pods, or percents of the wanted count. */
export type PodAmount = number | string;

/** A step of a canary: so many percents of the pods, or a pause; an empty one ends when it is promoted. */
export type CanaryStep = { weight: number } | { pause: string | number | Record<string, never> };

/** What makes a pod of a deployment; scaling is not part of it. */
export interface DeploymentTemplate {
  labels?: Record<string, string | null>;
  annotations?: Record<string, string | null>;
  priority?: number;
  spec?: PodSpec;
}

/** What `create_deployment` is given; `update_deployment` takes a merge patch of it. */
export interface DeploymentRequest {
  name?: string;
  namespace?: string;
  pack?: string;
  version?: string;
  mode?: 'replicated' | 'daemon';
  replicas?: number;
  labels?: Record<string, string | null>;
  annotations?: Record<string, string | null>;
  template?: DeploymentTemplate;
  followLatest?: boolean | string;
  includePrerelease?: boolean;
  strategy?: { type?: 'RollingUpdate' | 'Recreate'; maxSurge?: PodAmount; maxUnavailable?: PodAmount };
  minReadySeconds?: number;
  progressDeadlineSeconds?: number;
  revisionHistoryLimit?: number;
  autoRollback?: boolean;
  canary?: { steps: CanaryStep[] };
  disruption?: { maxUnavailable: PodAmount };
  autoscale?: Autoscale | null;
  paused?: boolean;
  changeCause?: string;
}

/** Kubernetes': one thing that is so of a deployment, or not. */
export interface DeploymentCondition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message?: string;
  lastTransitionTime: string;
}

/** Wanted pods of a pack, as `stark.deployments` shows them. */
export type Deployment = RowOf<
  'deployments',
  {
    mode: 'replicated' | 'daemon';
    status: DeploymentStatus;
    labels: Labels;
    annotations: Labels;
    max_surge: PodAmount;
    max_unavailable: PodAmount;
    canary_steps: readonly CanaryStep[];
    disruption_max_unavailable: PodAmount | null;
    autoscale: Autoscale | null;
    conditions: readonly DeploymentCondition[];
  }
>;

/** One template that a deployment has had, and how it fared. */
export type DeploymentRevision = RowOf<
  'deployment_revisions',
  {
    status: 'progressing' | 'stable' | 'failed' | 'superseded';
    cause: 'create' | 'update' | 'restart' | 'follow' | 'undo' | 'rollback';
    template: DeploymentTemplate;
  }
>;
