import { CALL_LIMITS } from '@stark-o/core/model';

type Args = Record<string, unknown>;
/** What is one more than the most, and the code that answers it. */
export type More = [what: string, args: Args, code: string];

/** The largest input that a function takes, and what is one more. */
export interface Largest {
  as?: 'secret';
  args(world: LargestWorld): Args;
  more?(world: LargestWorld): More[];
}

export interface LargestWorld {
  user: string;
  node: string;
  /** One more than a call takes. */
  pods: string[];
  upload: string;
  token: string;
}

const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const fields = (count: number, value: unknown) => Object.fromEntries(many(count, (i) => [`k${i}`, value]));
const labels = (count: number) => fields(count, 'x'.repeat(63));
const taints = (count: number) => many(count, (i) => ({ key: `k${i}`, value: 'x'.repeat(63), effect: 'NoSchedule' }));
/** An object of one field whose text, as Postgres writes it, has so many bytes. */
const bytes = (count: number) => ({ x: 'x'.repeat(count - '{"x": ""}'.length) });
const name = 'n'.repeat(63);
const { pods, podEntries, podBytes, reports, reportsOfOnePod, logLines } = CALL_LIMITS;
/** Pods that one transaction makes for deployments; the rest is made by those that follow. */
const managedPods = 500;

/** What one apply_objects takes. */
const objects = 500;
const deployments = (count: number) => many(count, (i) => ({ kind: 'deployment', name: `d${i}`, pack: 'alpha' }));

const spaces = (count: number) => many(count, (i) => ({ kind: 'namespace', name: `n${i}`, labels: { a: 'b' } }));

const namespaces = (count: number) => many(count, (i) => `n${i}`);
const ofMachine = { p_labels: labels(64), p_taints: taints(64), p_capabilities: bytes(16_384) };
const manyOfMachine = (code: string): More[] => [
  ['labels', { p_labels: labels(65) }, 'INVALID_LABELS'],
  ['taints', { p_taints: taints(65) }, 'INVALID_TAINTS'],
  ['capabilities', { p_capabilities: bytes(16_385) }, code],
  ['pods', { p_allocatable: { pods: CALL_LIMITS.podsOfANode + 1 } }, 'INVALID_ARGUMENT'],
];
const ofNode = (args: Args = {}): Largest => ({
  args: () => ({ p_name: 'n1', ...args }),
  more: () => [['a name', { p_name: 'n'.repeat(1_000_000) }, 'NODE_NOT_FOUND']],
});
const ofPods: Largest = {
  args: (world) => ({ p_ids: world.pods.slice(1) }),
  more: (world) => [
    ['pods', { p_ids: world.pods }, 'LIMIT_EXCEEDED'],
    ['one pod ten thousand times', { p_ids: many(10_000, () => world.pods[0]) }, 'LIMIT_EXCEEDED'],
  ],
};
const long = (most: number) => 'x'.repeat(most);
const rules = { policies: many(8, (i) => ({ type: 'Pods', value: 1, periodSeconds: i + 1 })) };
const autoscale = {
  max: 10_000,
  metrics: many(8, (i) => ({ name: `${'m'.repeat(62)}${i}`, target: 1 })),
  behavior: { scaleUp: rules, scaleDown: rules },
};
const ofDeployment = { labels: labels(64), template: { labels: labels(63), spec: { config: bytes(60_000) } } };
const web = { p_namespace: 'default', p_name: 'web' };
const ofWeb = (args: Args = {}, more: More[] = []): Largest => ({
  args: () => ({ ...web, ...args }),
  more: () => [...more, ['a name', { p_name: long(1_000_000) }, 'DEPLOYMENT_NOT_FOUND']],
});
const space = { p_labels: labels(64), p_quota: { pods: 1e12 }, p_limit_range: { max: { cpu: 1e9 } } };
const manySpaces: More[] = [
  ['labels', { p_labels: labels(65) }, 'INVALID_LABELS'],
  ['a quota', { p_quota: { pods: 1e12 + 1 } }, 'INVALID_ARGUMENT'],
  ['a limit range', { p_limit_range: { max: { cpu: 1e9 + 1 } } }, 'INVALID_ARGUMENT'],
];
const description = (most = 2000): More => ['a description', { p_description: long(most + 1) }, 'INVALID_ARGUMENT'];
const permissions = (count: number) => many(count, () => 'pods:get');

/** One row for each function of schema stark. */
export const largest: Record<string, Largest> = {
  whoami: { args: () => ({}) },
  needs_setup: { args: () => ({}) },
  list_users: { args: () => ({}) },
  diagnostics: { args: () => ({}) },
  probe_watcher: { args: () => ({}) },
  can_i: { args: () => ({ p_verb: 'get', p_kind: 'pods', p_namespace: long(1000) }) },
  events_topic: {
    args: () => ({ p_namespace: 'default' }),
    more: () => [['a name', { p_namespace: long(1_000_000) }, 'NAMESPACE_NOT_FOUND']],
  },
  grant_role: {
    args: (world) => ({ p_user_id: world.user, p_role: 'viewer', p_namespace: 'default' }),
    more: () => [['a role', { p_role: long(1_000_000) }, 'ROLE_NOT_FOUND']],
  },
  revoke_role: { args: (world) => ({ p_user_id: world.user, p_role: long(1_000_000), p_namespace: long(1_000_000) }) },
  admit_user: {
    args: () => ({ p_email: `${long(242)}@example.com`, p_display_name: long(200) }),
    more: () => [
      ['an address', { p_email: `${long(243)}@example.com` }, 'INVALID_ARGUMENT'],
      ['a name', { p_display_name: long(201) }, 'INVALID_ARGUMENT'],
    ],
  },
  enable_user: { args: (world) => ({ p_user_id: world.user }) },
  disable_user: { args: (world) => ({ p_user_id: world.user }) },
  create_role: {
    args: () => ({ p_name: name, p_permissions: permissions(200), p_description: long(2000) }),
    more: () => [
      ['a name', { p_name: `${name}n` }, 'INVALID_NAME'],
      ['permissions', { p_permissions: permissions(201) }, 'INVALID_ARGUMENT'],
      ['half a million permissions', { p_permissions: permissions(500_000) }, 'INVALID_ARGUMENT'],
      description(),
    ],
  },
  update_role: {
    args: () => ({ p_name: 'helper', p_permissions: permissions(200), p_description: long(2000) }),
    more: () => [['permissions', { p_permissions: permissions(201) }, 'INVALID_ARGUMENT'], description()],
  },
  delete_role: {
    args: () => ({ p_name: 'helper' }),
    more: () => [['a name', { p_name: long(1_000_000) }, 'ROLE_NOT_FOUND']],
  },
  create_join_token: {
    args: () => ({ p_labels: labels(64), p_taints: taints(64), p_uses: 1000, p_ttl_seconds: 2_592_000 }),
    more: () => [
      ['labels', { p_labels: labels(65) }, 'INVALID_LABELS'],
      ['taints', { p_taints: taints(65) }, 'INVALID_TAINTS'],
      ['300,000 taints', { p_taints: many(300_000, () => ({ x: null })) }, 'LIMIT_EXCEEDED'],
      ['uses', { p_uses: 1001 }, 'INVALID_ARGUMENT'],
      ['time', { p_ttl_seconds: 2_592_001 }, 'INVALID_ARGUMENT'],
    ],
  },
  revoke_join_token: {
    args: (world) => ({ p_id: world.token }),
    more: () => [['an id', { p_id: long(1_000_000) }, 'JOIN_TOKEN_NOT_FOUND']],
  },
  create_priority_class: {
    args: () => ({ p_name: name, p_value: 1000, p_description: long(2000) }),
    more: () => [
      ['a name', { p_name: `${name}n` }, 'INVALID_NAME'],
      ['a value', { p_value: 1001 }, 'INVALID_ARGUMENT'],
      description(),
    ],
  },
  update_priority_class: { args: () => ({ p_name: 'silver', p_description: long(2000) }) },
  delete_priority_class: { args: () => ({ p_name: 'silver' }) },
  update_cluster_config: {
    args: () => ({ p_changes: { scheduling_policy: 'bin_pack', max_pods_per_node: CALL_LIMITS.podsOfANode } }),
    more: () => [['bytes', { p_changes: bytes(16_385) }, 'LIMIT_EXCEEDED']],
  },
  create_namespace: {
    args: () => ({ p_name: name, ...space }),
    more: () => [['a name', { p_name: `${name}n` }, 'INVALID_NAME'], ...manySpaces],
  },
  update_namespace: {
    args: () => ({ p_name: 'team', ...space }),
    more: () => [
      ...manySpaces,
      ['300,000 labels to remove', { p_labels: fields(300_000, null) }, 'LIMIT_EXCEEDED'],
      ['300,000 amounts to remove', { p_quota: fields(300_000, null) }, 'LIMIT_EXCEEDED'],
    ],
  },
  delete_namespace: {
    args: () => ({ p_name: 'team' }),
    more: () => [['a name', { p_name: long(1_000_000) }, 'NAMESPACE_NOT_FOUND']],
  },
  register_pack_version: {
    args: () => ({
      p_name: 'p'.repeat(214),
      p_version: `1.0.0-${'x'.repeat(122)}`,
      p_runtime: 'node',
      p_description: long(2000),
      p_size_bytes: 52_428_800,
      p_sha256: 'a'.repeat(64),
    }),
    more: () => [
      ['a name', { p_name: 'p'.repeat(215) }, 'INVALID_NAME'],
      ['a version', { p_version: `1.0.0-${'x'.repeat(123)}` }, 'INVALID_VERSION'],
      ['bytes', { p_size_bytes: 52_428_801 }, 'BUNDLE_TOO_LARGE'],
      description(),
    ],
  },
  finish_pack_version: { args: (world) => ({ p_version_id: world.upload }) },
  withdraw_pack_version: {
    args: () => ({ p_name: 'alpha', p_version: '1.0.0' }),
    more: () => [['a name', { p_name: long(1_000_000) }, 'PACK_NOT_FOUND']],
  },
  update_pack: {
    args: () => ({ p_name: 'alpha', p_description: long(2000) }),
    more: () => [['a name', { p_name: long(1_000_000) }, 'PACK_NOT_FOUND']],
  },
  delete_pack: {
    args: () => ({ p_name: 'spare' }),
    more: () => [['a name', { p_name: long(1_000_000) }, 'PACK_NOT_FOUND']],
  },
  register_node: {
    args: () => ({ ...ofMachine, p_name: 'fresh', p_runtime: 'node' }),
    more: () => [
      ...manyOfMachine('INVALID_ARGUMENT'),
      ['300,000 taints', { p_taints: many(300_000, () => ({ x: null })) }, 'LIMIT_EXCEEDED'],
      [
        'namespaces',
        { p_capabilities: { accepts: 'namespaces', acceptedNamespaces: namespaces(65) } },
        'INVALID_ARGUMENT',
      ],
    ],
  },
  update_node: {
    args: () => ({ ...ofMachine, p_name: 'n1', p_accepts: 'namespaces', p_accepted_namespaces: namespaces(64) }),
    more: () => [
      ...manyOfMachine('LIMIT_EXCEEDED'),
      ['namespaces', { p_accepts: 'namespaces', p_accepted_namespaces: namespaces(65) }, 'INVALID_ARGUMENT'],
      ['300,000 labels to remove', { p_labels: fields(300_000, null) }, 'LIMIT_EXCEEDED'],
      ['300,000 amounts to remove', { p_allocatable: fields(300_000, null) }, 'LIMIT_EXCEEDED'],
      ['300,000 capabilities to remove', { p_capabilities: fields(300_000, null) }, 'LIMIT_EXCEEDED'],
    ],
  },
  cordon_node: ofNode(),
  uncordon_node: ofNode(),
  drain_node: ofNode(),
  pending_evictions: ofNode(),
  delete_node: ofNode({ p_force: true }),
  create_pods: {
    args: () => ({ p_pods: [{ pack: 'alpha', replicas: pods }] }),
    more: () => [
      ['pods', { p_pods: [{ pack: 'alpha', replicas: pods + 1 }] }, 'LIMIT_EXCEEDED'],
      ['entries', { p_pods: many(podEntries + 1, () => ({ pack: 'alpha' })) }, 'LIMIT_EXCEEDED'],
      ['bytes', { p_pods: [{ pack: 'alpha', spec: { config: bytes(podBytes) } }] }, 'LIMIT_EXCEEDED'],
      ['a bad one among good ones', { p_pods: [{ pack: 'alpha' }, { pack: 'none' }] }, 'PACK_NOT_FOUND'],
    ],
  },
  explain_placement: {
    args: () => ({ p_pod: { pack: 'alpha', labels: labels(64), spec: { config: bytes(65_000) } } }),
    more: () => [
      ['labels', { p_pod: { pack: 'alpha', labels: labels(65) } }, 'INVALID_LABELS'],
      ['bytes', { p_pod: { pack: 'alpha', spec: { config: bytes(65_536) } } }, 'INVALID_SPEC'],
    ],
  },
  apply_objects: {
    args: () => ({ p_objects: [...deployments(200), ...spaces(objects - 200)], p_project: name, p_prune: true }),
    more: () => [
      ['objects', { p_objects: spaces(objects + 1) }, 'LIMIT_EXCEEDED'],
      ['deployments', { p_objects: deployments(201) }, 'LIMIT_EXCEEDED'],
      ['bytes', { p_objects: bytes(1_048_577) }, 'LIMIT_EXCEEDED'],
      ['pods', { p_objects: many(pods + 1, (i) => ({ kind: 'pod', name: `p${i}`, pack: 'alpha' })) }, 'LIMIT_EXCEEDED'],
    ],
  },
  delete_objects: {
    args: () => ({ p_objects: [{ kind: 'deployment', name: 'web', pack: 'alpha' }, ...deployments(objects - 1)] }),
    more: () => [['objects', { p_objects: deployments(objects + 1) }, 'LIMIT_EXCEEDED']],
  },
  create_deployment: {
    args: () => ({ p_deployment: { name: 'd'.repeat(46), pack: 'alpha', replicas: managedPods, ...ofDeployment } }),
    more: () => [
      ['pods', { p_deployment: { name: 'more', pack: 'alpha', replicas: 10_001 } }, 'INVALID_ARGUMENT'],
      ['bytes', { p_deployment: bytes(131_073) }, 'LIMIT_EXCEEDED'],
      ['a name', { p_deployment: { name: 'd'.repeat(47), pack: 'alpha' } }, 'INVALID_NAME'],
      ['labels', { p_deployment: { name: 'more', pack: 'alpha', labels: labels(65) } }, 'INVALID_LABELS'],
    ],
  },
  update_deployment: {
    args: () => ({ ...web, p_changes: { ...ofDeployment, autoscale } }),
    more: () => [
      ['pods', { p_changes: { replicas: 10_001 } }, 'INVALID_ARGUMENT'],
      ['bytes', { p_changes: bytes(131_073) }, 'LIMIT_EXCEEDED'],
      ['labels', { p_changes: { labels: labels(65) } }, 'INVALID_LABELS'],
      ['env and config', { p_changes: { template: { spec: { config: bytes(65_536) } } } }, 'INVALID_SPEC'],
    ],
  },
  scale_deployment: {
    args: () => ({ ...web, p_replicas: managedPods }),
    more: () => [['pods', { p_replicas: 10_001 }, 'INVALID_ARGUMENT']],
  },
  report_metric: {
    args: () => ({ p_namespace: 'default', p_name: name, p_value: 1e15, p_valid_seconds: 86_400 }),
    more: () => [
      ['a name', { p_name: long(1_000_000) }, 'INVALID_NAME'],
      ['a namespace', { p_namespace: long(1_000_000) }, 'NAMESPACE_NOT_FOUND'],
      ['a number', { p_value: 1e16 }, 'INVALID_ARGUMENT'],
      ['a time', { p_valid_seconds: 86_401 }, 'INVALID_ARGUMENT'],
    ],
  },
  pause_deployment: ofWeb(),
  resume_deployment: ofWeb({ p_force: true }),
  delete_deployment: ofWeb({ p_force: true }),
  pause_rollout: ofWeb(),
  resume_rollout: ofWeb(),
  promote_rollout: ofWeb({ p_full: true }),
  undo_rollout: ofWeb({ p_change_cause: long(1024) }, [
    ['a cause', { p_change_cause: long(1025) }, 'INVALID_ARGUMENT'],
  ]),
  restart_rollout: ofWeb({ p_change_cause: long(1024) }, [
    ['a cause', { p_change_cause: long(1025) }, 'INVALID_ARGUMENT'],
  ]),
  stop_pods: ofPods,
  update_pods: {
    args: (world) => ({ ...ofPods.args(world), p_labels: labels(60), p_annotations: { note: long(16_000) } }),
    more: (world) => [
      ...(ofPods.more?.(world) ?? []),
      ['labels', { p_labels: labels(65) }, 'INVALID_LABELS'],
      ['annotations', { p_annotations: { note: long(17_000) } }, 'LIMIT_EXCEEDED'],
    ],
  },
  delete_pods: ofPods,
  roll_back_pod: {
    args: (world) => ({ p_id: world.pods[0], p_version: '0.9.0' }),
    more: () => [['a pod', { p_id: '00000000-0000-4000-8000-00000000dead' }, 'POD_NOT_FOUND']],
  },
  node_sync: { args: (world) => ({ p_node_id: world.node, p_incarnation: 1 }) },
  disconnect_node: { args: (world) => ({ p_node_id: world.node, p_incarnation: 1 }) },
  report_pods: {
    args: (world) => ({
      p_node_id: world.node,
      p_incarnation: 1,
      p_reports: many(pods, (i) => ({ pod_id: world.pods[i], status: 'succeeded', message: 'x'.repeat(4096) })),
    }),
    more: (world) => [
      ['reports', { p_reports: many(reports + 1, () => ({})) }, 'LIMIT_EXCEEDED'],
      [
        'reports on one pod',
        { p_reports: many(reportsOfOnePod + 1, () => ({ pod_id: world.pods[0], status: 'running' })) },
        'LIMIT_EXCEEDED',
      ],
      ['bytes', { p_reports: [{ message: 'x'.repeat(4_194_304) }] }, 'LIMIT_EXCEEDED'],
      ['another’s incarnation', { p_incarnation: 2 }, 'STALE_INCARNATION'],
    ],
  },
  append_pod_logs: {
    args: (world) => ({
      p_node_id: world.node,
      p_incarnation: 1,
      // As many rows as pods are written by create_pods, and not the 5,000 small ones that a call takes: limits.test.ts has these.
      p_lines: many(200, (seq) => ({
        pod_id: world.pods[0],
        seq,
        time: '2026-01-01T00:00:00Z',
        stream: 'stdout',
        message: 'x'.repeat(16_384),
      })),
    }),
    more: () => [['lines', { p_lines: many(logLines + 1, () => ({})) }, 'LIMIT_EXCEEDED']],
  },
  follow_logs: { args: (world) => ({ p_pod_id: world.pods[0] }) },
  setup_admin: { as: 'secret', args: (world) => ({ p_user_id: world.user, p_display_name: long(200) }) },
  admit_node: {
    as: 'secret',
    args: () => ({ p_secret_sha256: 'a'.repeat(64), p_name: 'fresh', p_runtime: 'node' }),
    more: () => [['a token', { p_secret_sha256: long(1_000_000) }, 'JOIN_TOKEN_INVALID']],
  },
  join_node: {
    as: 'secret',
    args: (world) => ({
      p_secret_sha256: 'a'.repeat(64),
      p_user_id: world.user,
      p_name: 'fresh',
      p_runtime: 'node',
    }),
  },
  is_this_database: { as: 'secret', args: (world) => ({ p_id: world.user }) },
  store_watch_secrets: {
    as: 'secret',
    args: () => ({ p_project_url: `https://${long(1991)}`, p_secret_key: `sb_secret_${long(1990)}` }),
    more: () => [
      ['a URL', { p_project_url: `https://${long(1993)}` }, 'INVALID_ARGUMENT'],
      ['a key', { p_secret_key: `sb_secret_${long(1991)}` }, 'INVALID_ARGUMENT'],
    ],
  },
  watch_nodes: {
    as: 'secret',
    args: (world) => ({
      p_observations: many(1000, () => ({ node_id: world.node, incarnation: 1, secret: 'x', sign: 'heartbeat' })),
      p_since: '2026-01-01T00:00:00Z',
      p_at: '2026-01-01T00:00:01Z',
    }),
    more: () => [['observations', { p_observations: many(1001, () => ({})) }, 'LIMIT_EXCEEDED']],
  },
};
