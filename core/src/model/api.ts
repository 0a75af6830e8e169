import type { Deployment } from './deployment.js';
import type { Facts } from './diagnostics.js';
import type { JoinToken, NewJoinToken } from './join-token.js';
import type { Namespace } from './namespace.js';
import type { Node } from './node.js';
import type { PackRuntime, PackVersion } from './pack.js';
import type { Pod, PodSpec } from './pod.js';
import type { PodStatus } from './pod-status.js';
import type { User } from './user.js';

/** Answer of `whoami`. */
export interface WhoAmI {
  user_id: string;
  email: string | null;
  display_name: string | null;
  roles: { role: string; namespace: string | null }[];
}

/** Answer of `register_pack_version`: where to upload the bundle. */
export interface PackUpload {
  pack_id: string;
  version_id: string;
  bucket: string;
  path: string;
  /** Where to upload the archive of assets, if one was announced. */
  assets_path?: string;
}

/** A file in Storage, and what it must hash to. */
export interface StoredFile {
  bucket: string;
  path: string;
  sha256: string;
  size_bytes: number;
}

/** A pod as its agent must know it, from `node_sync` and the command `pods.start`. */
export interface WantedPod {
  id: string;
  name: string;
  namespace: string;
  /** Whose pod it is; null once the user is gone. */
  owner: string | null;
  status: PodStatus;
  pack: string;
  version: string;
  version_id: string;
  runtime: PackRuntime;
  /** The bundle, and the archive of its assets where it has one. */
  bundle: StoredFile & { assets?: StoredFile };
  spec: PodSpec;
  restarts: number;
  wanted: 'running' | 'stopped';
}

/** Answer of `node_sync`: what the node should run. */
export interface NodeSync {
  node_id: string;
  incarnation: number;
  /** Only when a new incarnation was made. */
  secret?: string;
  topic: string;
  /** What time it is in the cluster. */
  now: string;
  /** How often to give a sign of life, and after what silence the node is given up; seconds. */
  heartbeat: { interval: number; timeout: number };
  pods: WantedPod[];
}

/** One line of `report_pods`. */
export interface PodReport {
  pod_id: string;
  status: PodStatus;
  reason?: string;
  message?: string;
  exit_code?: number;
  restarts?: number;
  ready?: boolean;
  ports?: Record<string, number>;
  observed_at?: string;
}

/** What `report_pods` says to one report. */
export interface PodReportAnswer {
  pod_id: string;
  accepted: boolean;
  code?: string;
  message?: string;
}

/** One line of `append_pod_logs`. */
export interface PodLogLine {
  pod_id: string;
  seq: number;
  time: string;
  stream: 'stdout' | 'stderr' | 'platform';
  level?: string;
  message: string;
  /** How often the pod had been restarted before the run that printed it. */
  run?: number;
}

/** Answer of `follow_logs`: the topic on which the pod's agent tells of new lines for so many seconds. */
export interface LogFollowing {
  topic: string;
  seconds: number;
  status: PodStatus;
}

/**
 * What is told on that topic, after it was stored: the lines that follow line `previous_seq`. Without lines there are too
 * many to be told, and they are read from `pod_logs`.
 */
export interface LiveLogLines {
  previous_seq: number;
  lines: readonly Omit<PodLogLine, 'pod_id'>[];
  /** The pod is about to end; these were its last. */
  ending?: true;
}

/** One entry of `create_pods`. */
export interface PodRequest {
  pack: string;
  version?: string;
  namespace?: string;
  name?: string;
  replicas?: number;
  labels?: Record<string, string>;
  priority?: number;
  spec?: PodSpec;
}

/** Answer of `explain_placement`: what would become of a pod now. */
export interface PlacementExplanation {
  namespace: string;
  policy: string;
  /** How many nodes would take it. */
  feasible: number;
  message: string | null;
  /** In the order in which the pod would take them; those that the caller may not read are counted, not named. */
  nodes: {
    node: string;
    feasible: boolean;
    reasons: string[];
    scores: Record<string, number> | null;
    score: number | null;
  }[];
}

/** A pod that has to leave a node that is drained, and what it waits for. */
export interface PendingEviction {
  pod_id: string;
  namespace: string;
  pod_name: string;
  deployment_name: string;
  /** `ReplacementNotAvailable` or `DisruptionBudget`. */
  reason: string;
  message: string;
  retry_after_seconds: number;
}

/** What was, or would be, done to an object. */
export interface AppliedChange {
  kind: string;
  namespace: string | null;
  name: string;
  action: 'created' | 'changed' | 'unchanged' | 'deleted' | 'kept' | 'absent';
}

/** A field that is another one then; null where there is none. What is secret is not told. */
export interface ChangedField {
  path: string[];
  before: unknown;
  after: unknown;
}

/** Answer of `apply_objects`: what was done, or in a dry run what would be. */
export interface AppliedObjects {
  project: string | null;
  /** Of the state that was looked at; with it the next call does this and nothing else. */
  digest: string;
  /** How many of the objects that are stated or pruned were in the project's set. */
  members: number;
  changes: (AppliedChange & { fields: ChangedField[] })[];
  /** Where new pods are, those of one object on one node together. */
  placements: {
    kind: 'deployment' | 'pod';
    namespace: string;
    name: string;
    node: string | null;
    pods: number;
    status: PodStatus;
    message: string | null;
  }[];
  rollouts: {
    namespace: string;
    name: string;
    from_revision: number | null;
    to_revision: number;
    from_version: string | null;
    to_version: string;
  }[];
  /** How many deployments are looked at soon after, and not in this call. */
  deferred: number;
  /** Join tokens that were made: the only time that they are shown. */
  tokens: { name: string; token: string; expires_at: string }[];
}

/** Results of the functions that answer with a document, or with rows whose columns core types more exactly. */
export interface FunctionResults {
  cordon_node: Node;
  uncordon_node: Node;
  update_node: Node;
  delete_node: Node;
  drain_node: Pod[];
  pending_evictions: PendingEviction[];
  roll_back_pod: Pod;
  create_deployment: Deployment;
  update_deployment: Deployment;
  scale_deployment: Deployment;
  pause_deployment: Deployment;
  resume_deployment: Deployment;
  delete_deployment: Deployment;
  pause_rollout: Deployment;
  resume_rollout: Deployment;
  promote_rollout: Deployment;
  undo_rollout: Deployment;
  restart_rollout: Deployment;
  create_namespace: Namespace;
  update_namespace: Namespace;
  delete_namespace: Namespace;
  list_users: User[];
  diagnostics: Facts;
  explain_placement: PlacementExplanation;
  needs_setup: boolean;
  whoami: WhoAmI;
  can_i: boolean;
  register_pack_version: PackUpload;
  finish_pack_version: PackVersion;
  apply_objects: AppliedObjects;
  delete_objects: { digest: string; changes: AppliedChange[] };
  create_pods: Pod[];
  stop_pods: Pod[];
  delete_pods: Pod[];
  update_pods: Pod[];
  create_join_token: NewJoinToken;
  revoke_join_token: JoinToken;
  register_node: { node_id: string; name: string };
  node_sync: NodeSync;
  report_pods: PodReportAnswer[];
  append_pod_logs: number;
  follow_logs: LogFollowing;
}
