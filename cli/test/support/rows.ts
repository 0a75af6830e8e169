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
    status: 'running',
    status_reason: null,
    status_message: null,
    exit_code: null,
    restarts: 0,
    ready: true,
    ports: { http: 41234 },
    labels: { app: 'web' },
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
