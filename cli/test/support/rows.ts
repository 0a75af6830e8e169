/** A pod as the database has it. */
export function podRow(name: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: `10000000-0000-4000-8000-${Buffer.from(name).toString('hex').padStart(12, '0').slice(-12)}`,
    name,
    namespace: 'default',
    pack_id: '20000000-0000-4000-8000-000000000001',
    pack_name: 'alpha',
    pack_version_id: '30000000-0000-4000-8000-000000000001',
    version: '1.0.0',
    node_id: '40000000-0000-4000-8000-000000000001',
    node_name: 'node-1',
    deployment_id: null,
    revision: null,
    pinned_node_id: null,
    status: 'running',
    status_reason: null,
    status_message: null,
    exit_code: null,
    restarts: 0,
    ready: true,
    ports: { http: 41234 },
    labels: { app: 'web' },
    annotations: {},
    spec: { resources: { requests: { cpu: 100, memory: 128 } } },
    priority: 100,
    created_by: null,
    incarnation: 1,
    created_at: '2026-01-01T00:00:00+00:00',
    scheduled_at: '2026-01-01T00:00:01+00:00',
    started_at: '2026-01-01T00:00:02+00:00',
    finished_at: null,
    resource_version: 5,
    ...changes,
  };
}

/** A node as the database has it. */
export function nodeRow(name: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: `40000000-0000-4000-8000-${Buffer.from(name).toString('hex').padStart(12, '0').slice(-12)}`,
    name,
    runtime: 'node',
    status: 'healthy',
    unschedulable: false,
    draining: false,
    accepts: 'anyone',
    accepted_namespaces: [],
    labels: { tier: 'backend' },
    taints: [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }],
    capabilities: { os: 'linux' },
    allocatable: { cpu: 2000, memory: 4096, pods: 10 },
    allocated: { cpu: 100, memory: 128, pods: 1 },
    incarnation: 1,
    created_at: '2026-01-01T00:00:00+00:00',
    ...changes,
  };
}

/** A pack as the database has it. */
export function packRow(name: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: '20000000-0000-4000-8000-000000000001',
    name,
    description: 'A pack.',
    visibility: 'private',
    latest_version: '1.0.0',
    owner_id: '00000000-0000-4000-8000-000000000001',
    created_at: '2026-01-01T00:00:00+00:00',
    ...changes,
  };
}

/** A version as the database has it. */
export function versionRow(
  pack: string,
  version: string,
  changes: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    id: '30000000-0000-4000-8000-000000000001',
    pack_id: '20000000-0000-4000-8000-000000000001',
    pack_name: pack,
    version,
    version_key: version,
    runtime: 'node',
    entry: 'default',
    ports: [],
    state: 'ready',
    size_bytes: 812,
    sha256: 'a'.repeat(64),
    created_at: '2026-01-01T00:00:00+00:00',
    ...changes,
  };
}

export function joinTokenRow(id: string, more: object = {}): Record<string, unknown> {
  return {
    id,
    owner_id: '00000000-0000-4000-8000-000000000001',
    labels: { zone: 'b' },
    taints: [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }],
    max_uses: 1,
    uses: 0,
    expires_at: '2126-01-01T00:00:00.123456+00:00',
    revoked_at: null,
    used_at: null,
    created_at: '2026-01-01T00:00:00+00:00',
    ...more,
  };
}

/** The configuration as the database has it. */
export function clusterConfigRow(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: 'cluster',
    scheduling_policy: 'spread',
    scheduling_seed: 0,
    default_namespace: 'default',
    default_cpu_request: 100,
    default_memory_request: 128,
    default_grace_seconds: 30,
    allow_registration: true,
    allow_node_registration: false,
    max_pods_per_node: 10,
    event_retention_days: 7,
    log_retention_days: 3,
    max_log_lines_per_pod: 10_000,
    ended_pod_retention_days: 30,
    liveness: 'fast',
    heartbeat_interval: 0,
    heartbeat_timeout: 0,
    updated_at: '2026-01-01T00:00:00+00:00',
    resource_version: 1,
    ...changes,
  };
}

/** One step of a pod's history as the database has it. */
export function historyRow(pod: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    ...{ seq: 1, time: '2026-01-01T00:00:00+00:00', type: 'pod.created', namespace: 'default', pod_name: pod },
    ...{ pod_id: podRow(pod).id, pack_name: 'alpha', version: '1.0.0', status: 'pending', status_reason: null },
    ...{ status_message: null, node_name: null, restarts: 0, actor: null },
    ...changes,
  };
}

/** What the database says of a pod that is not there: one node would take it, another would not. */
export function placement(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    ...{ namespace: 'default', policy: 'spread', feasible: 1, message: null },
    nodes: [
      { node: 'node-1', feasible: true, reasons: [], scores: { spread: 0.9 }, score: 0.9 },
      { node: 'node-2', feasible: false, reasons: ['insufficient memory', 'cordoned'], scores: null, score: null },
    ],
    ...changes,
  };
}

/** A deployment as the database has it. */
export function deploymentRow(name: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: `60000000-0000-4000-8000-${Buffer.from(name).toString('hex').padStart(12, '0').slice(-12)}`,
    ...{ name, namespace: 'default', pack_name: 'alpha', mode: 'replicated', replicas: 3, status: 'complete' },
    ...{ status_reason: 'AsWanted', status_message: '3 of 3 pods are available', revision: 1, generation: 1 },
    ...{ observed_generation: 1, desired_replicas: 3, current_replicas: 3, updated_replicas: 3, ready_replicas: 3 },
    ...{ available_replicas: 3, unavailable_replicas: 0, paused: false, rollout_paused: false, follow_latest: false },
    ...{ version_range: null, include_prerelease: false, follow_after: null, strategy: 'RollingUpdate' },
    ...{ max_surge: '25%', max_unavailable: '25%', min_ready_seconds: 10, progress_deadline_seconds: 600 },
    ...{
      revision_history_limit: 10,
      auto_rollback: true,
      canary_steps: [],
      disruption_max_unavailable: null,
      autoscale: null,
      labels: {},
      annotations: {},
    },
    conditions: [
      {
        ...{ type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' },
        lastTransitionTime: '2026-01-01T00:00:00+00:00',
      },
    ],
    ...{ next_reconcile_at: null, created_at: '2026-01-01T00:00:00+00:00', resource_version: 1 },
    ...changes,
  };
}

/** A revision of a deployment as the database has it. */
export function revisionRow(deployment: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    ...{ deployment_id: deploymentRow(deployment).id, deployment_name: deployment, namespace: 'default', revision: 1 },
    ...{ template_hash: 'abcdef0123', template: { labels: {}, priority: 100, spec: {} }, version: '1.0.0' },
    ...{ cause: 'create', change_cause: null, status: 'stable', status_reason: null, status_message: null },
    ...{ wanted: 3, current_replicas: 3, ready_replicas: 3, available_replicas: 3, step: 0, created_by: null },
    ...{ created_at: '2026-01-01T00:00:00+00:00', stable_at: '2026-01-01T00:01:00+00:00', failed_at: null },
    ...changes,
  };
}

/** The autoscaler of a deployment as the database has it. */
export function autoscalerRow(deployment: string): Record<string, unknown> {
  return {
    ...{ deployment_id: deploymentRow(deployment).id, namespace: 'default', name: deployment },
    ...{ min_replicas: 1, max_replicas: 10, recommended: 2, wanted: 3, reason: 'ScaleDownStabilized' },
    metrics: [
      { name: 'cpu', type: 'Utilization', target: 70, value: 45.01, pods: 3, missing: 0 },
      { name: 'queue', type: 'AverageValue', target: 10, value: 23, pods: 3, missing: 1 },
    ],
    ...{ idle_since: null, scaled_to_zero: false, scaled_at: null },
    ...{ looked_at: '2026-01-01T00:00:00+00:00', next_look_at: '2026-01-01T00:00:15+00:00' },
  };
}

/** The functions that answer with a deployment. */
export const deploymentFunctions = [
  ...['create', 'update', 'scale', 'pause', 'resume', 'delete'].map((verb) => `${verb}_deployment`),
  ...['pause', 'resume', 'promote', 'undo', 'restart'].map((verb) => `${verb}_rollout`),
];

/** An answer of `apply_objects` with something in each of its lists. */
export const appliedObjects = () => ({
  ...{ project: 'shop', digest: 'd41d8cd98f00b204e9800998ecf8427e', members: 2, deferred: 0 },
  changes: [
    {
      ...{ kind: 'deployment', namespace: 'default', name: 'web', action: 'changed' },
      fields: [{ path: ['replicas'], before: 1, after: null }],
    },
    { kind: 'role', namespace: null, name: 'helper', action: 'unchanged', fields: [] },
  ],
  placements: [
    ...[
      {
        kind: 'deployment',
        namespace: 'default',
        name: 'web',
        node: null,
        pods: 1,
        status: 'pending',
        message: 'full',
      },
    ],
  ],
  rollouts: [
    ...[
      {
        namespace: 'default',
        name: 'web',
        from_revision: null,
        to_revision: 1,
        from_version: null,
        to_version: '1.0.0',
      },
    ],
  ],
  tokens: [{ name: 'lab', token: 'stark_join_x', expires_at: '2026-01-01T00:00:00+00:00' }],
});
