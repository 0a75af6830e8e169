import type { BadInputWorld, Caller } from './bad-input-world.js';

type World = BadInputWorld;
type Args = Record<string, unknown>;
/** What it is, the arguments it changes, the code that answers it, and what the message must name. */
export type Case = [what: string, args: Args, code: string, names?: string | undefined];

/** What a function must refuse. */
export interface Row {
  /** Who may call it. */
  as: Caller;
  /** Who may not, and the code they meet; absent where everybody who is signed in may. */
  denied?: [who: Caller, code: string];
  /** Arguments that would be taken from `as`; what is bad is put into them. */
  good(world: World): Args;
  /**
   * For each argument the code that any value of the wrong kind meets. `free` is a text that may be anything but too long or with a
   * NUL, `unless an object` and `unless a list` say that any of them is taken; `typed` is an argument that Postgres itself refuses when it is not of its type; `whatever` is never refused.
   */
  bad: Record<string, string>;
  /** What is well formed and yet refused: unknown names, amounts, states. */
  cases?(world: World): Case[];
}

const unknownId = '00000000-0000-4000-8000-00000000dead';
const many = (count: number, make: (i: number) => unknown = () => unknownId) =>
  Array.from({ length: count }, (_, i) => make(i));
const megabyte = 'x'.repeat(1_000_000);
const manyLabels = Object.fromEntries(many(50_000, (i) => [`label-${i}`, 'some-value']) as [string, string][]);
const badLabels: [what: string, labels: unknown, names?: string][] = [
  ['a megabyte of labels', manyLabels, '64'],
  ['a label of a megabyte', { app: megabyte }, '16 kB'],
  ['a label that is a number', { app: 1.5 }, 'app'],
  ['a label that is SQL', { app: "'; drop table stark.pods; --" }, 'app'],
  ['a label key with a quote', { "a'b": 'x' }, "a'b"],
];
const labelled = (argument: string) =>
  badLabels.map(([what, labels, names]): Case => [what, { [argument]: labels }, 'INVALID_LABELS', names]);
/** Of a patch the bytes are counted first. */
const patched = (argument: string) =>
  labelled(argument).map(
    ([what, args, code, names]): Case =>
      JSON.stringify(args).length > 16_384 ? [what, args, 'LIMIT_EXCEEDED', argument] : [what, args, code, names],
  );
const badTaints = (): Case[] => [
  ['a taint without effect', { p_taints: [{ key: 'a' }] }, 'INVALID_TAINTS', 'effect'],
  ['a taint with a key of SQL', { p_taints: [{ key: "';--", effect: 'NoSchedule' }] }, 'INVALID_TAINTS', 'key'],
  [
    'a thousand taints',
    { p_taints: many(1000, (i) => ({ key: `k${i}`, effect: 'NoSchedule' })) },
    'INVALID_TAINTS',
    '64',
  ],
];
const badAcceptance = { p_accepts: 'INVALID_ARGUMENT', p_accepted_namespaces: 'INVALID_ARGUMENT' };
/** What an owner may not say of the own node. */
const badOwnersKeys = (): Case[] => [
  ['a restricted label', { p_labels: { 'node-restriction.kubernetes.io/team': 'x' } }, 'FORBIDDEN', 'node-restriction'],
  ['a taint of the platform', { p_taints: [{ key: 'stark/any', effect: 'NoSchedule' }] }, 'FORBIDDEN', 'stark/any'],
];
const badOwnersWords = (): Case[] => [
  ...badOwnersKeys(),
  ['namespaces without a choice', { p_accepted_namespaces: ['a'] }, 'INVALID_ARGUMENT', 'accepts'],
  ['a choice without namespaces', { p_accepts: 'namespaces' }, 'INVALID_ARGUMENT', 'accepted_namespaces'],
  ['a thousand namespaces', { p_accepts: 'namespaces', p_accepted_namespaces: many(1000) }, 'INVALID_ARGUMENT', '64'],
];
const badAmounts = (argument: string): Case[] => [
  ['a fraction of a core', { [argument]: { cpu: 1.5 } }, 'INVALID_ARGUMENT', 'cpu'],
  ['an amount below nothing', { [argument]: { memory: -1 } }, 'INVALID_ARGUMENT', 'memory'],
  ['an amount as a text', { [argument]: { pods: '10' } }, 'INVALID_ARGUMENT', 'pods'],
  ['an amount that is unknown', { [argument]: { gpu: 1 } }, 'INVALID_ARGUMENT', 'gpu'],
];

/** What is wrong with a pod, by whatever function it is asked for: create_pods and explain_placement refuse the same. */
const badPods = (world: World): Case[] =>
  (
    [
      ['no pack', { pack: null }, 'PACK_NOT_FOUND', 'null'],
      ['an unknown pack', { pack: 'no-such-pack' }, 'PACK_NOT_FOUND', 'no-such-pack'],
      ['a pack of another', { pack: 'hidden' }, 'PACK_NOT_FOUND', 'hidden'],
      ['a pack that is a number', { pack: 5 }, 'INVALID_ARGUMENT', 'pack'],
      ['an unknown version', { version: '9.9.9' }, 'VERSION_NOT_FOUND', '9.9.9'],
      ['a version that is SQL', { version: "1' or '1'='1" }, 'VERSION_NOT_FOUND'],
      ['a version that is uploading', { version: '2.0.0' }, 'VERSION_NOT_READY', 'alpha@2.0.0'],
      ['a withdrawn version', { version: '0.9.0' }, 'VERSION_NOT_READY', 'alpha@0.9.0'],
      ['an unknown namespace', { namespace: 'nowhere' }, 'NAMESPACE_NOT_FOUND', 'nowhere'],
      ['the platform’s namespace', { namespace: 'stark-system' }, 'FORBIDDEN', 'stark-system'],
      ['an unknown field', { image: 'x' }, 'INVALID_ARGUMENT', 'image'],
      ['a priority above the default', { priority: 101 }, 'FORBIDDEN', '101'],
      ['a fractional priority', { priority: 1.5 }, 'INVALID_ARGUMENT', 'priority'],
      ['a priority above the users’', { priority: 1001 }, 'INVALID_ARGUMENT', 'priority'],
      ['an unknown field of the spec', { spec: { colour: 'red' } }, 'INVALID_SPEC', 'colour'],
      ['a spec that is a text', { spec: 'x' }, 'INVALID_SPEC', 'spec'],
      ['a fraction of a core', { spec: { resources: { requests: { cpu: 0.5 } } } }, 'INVALID_SPEC', 'cpu'],
      ['a selector of a node that is a list', { spec: { nodeSelector: [] } }, 'INVALID_SPEC', 'nodeSelector'],
      ['a toleration without sense', { spec: { tolerations: [{ operator: 'Near' }] } }, 'INVALID_SPEC', 'toleration'],
      [
        'a port of 70000',
        { spec: { ports: [{ name: 'http', strategy: 'fixed', port: 70_000 }] } },
        'INVALID_SPEC',
        'port',
      ],
      ['an affinity of 500 levels', { spec: { affinity: nested(500) } }, 'INVALID_ARGUMENT', '32 levels'],
      ['an unknown priority class', { spec: { priorityClassName: 'none' } }, 'PRIORITY_CLASS_NOT_FOUND', 'none'],
      [
        'the system’s priority class',
        { spec: { priorityClassName: 'system-node-critical' } },
        'FORBIDDEN',
        'system-node-critical',
      ],
      ['an unknown node', { spec: { nodeName: 'no-such-node' } }, 'NODE_NOT_FOUND', 'no-such-node'],
      ...badLabels.map(([what, labels, names]): Case => [what, { labels }, 'INVALID_LABELS', names]),
    ] as Case[]
  ).map(([what, item, code, names]) => [what, { ...world.pod, ...item }, code, names]);

function nested(depth: number): unknown {
  let value: unknown = {};
  for (let i = 0; i < depth; i += 1) value = { x: value };
  return value;
}

const node = (world: World) => ({ p_node_id: world.node.id, p_incarnation: world.node.incarnation });
const byNode = (as: Caller): Row => ({
  as,
  denied: ['other', 'NODE_NOT_FOUND'],
  good: () => ({ p_name: 'n1' }),
  bad: { p_name: 'NODE_NOT_FOUND' },
  cases: () => [['an unknown node', { p_name: 'n99' }, 'NODE_NOT_FOUND', 'n99']],
});
const byPods = (): Row => ({
  as: 'owner',
  denied: ['other', 'POD_NOT_FOUND'],
  good: (world) => ({ p_ids: [world.pods.running] }),
  bad: { p_ids: 'INVALID_ARGUMENT', p_if_version: 'typed' },
  cases: (world) => [
    ['no pod at all', { p_ids: [] }, 'INVALID_ARGUMENT', 'p_ids'],
    ['an unknown pod', { p_ids: [unknownId] }, 'POD_NOT_FOUND', unknownId],
    ['an unknown pod beside a known one', { p_ids: [world.pods.running, unknownId] }, 'POD_NOT_FOUND', unknownId],
    ['nothing for a pod', { p_ids: [null] }, 'POD_NOT_FOUND', 'null'],
    ['a revision that is gone', { p_if_version: -1 }, 'CONFLICT', '-1'],
    ['too many pods', { p_ids: many(201) }, 'LIMIT_EXCEEDED', '201'],
  ],
});

/** One row for each function of schema stark. */
const load = [{ name: 'load', target: 10 }];
/** What is wrong with a deployment, whether it is created or changed. */
const badDeployments: [what: string, item: Args, code: string, names?: string][] = [
  ['a name with SQL', { name: "x'; --" }, 'INVALID_NAME', "x'; --"],
  ['a name that is too long', { name: 'x'.repeat(47) }, 'INVALID_NAME', 'xxx'],
  ['a name that is taken', { name: 'web' }, 'DEPLOYMENT_EXISTS', 'web'],
  ['an unknown pack', { pack: 'no-such-pack' }, 'PACK_NOT_FOUND', 'no-such-pack'],
  ['a pack of another', { pack: 'hidden' }, 'PACK_NOT_FOUND', 'hidden'],
  ['an unknown namespace', { namespace: 'nowhere' }, 'NAMESPACE_NOT_FOUND', 'nowhere'],
  ['a namespace that is going', { namespace: 'dying' }, 'NAMESPACE_TERMINATING', 'dying'],
  ['the platform’s namespace', { namespace: 'stark-system' }, 'FORBIDDEN', 'stark-system'],
  ['an unknown version', { version: '9.9.9' }, 'VERSION_NOT_FOUND', '9.9.9'],
  ['a withdrawn version', { version: '0.9.0' }, 'VERSION_NOT_READY', 'alpha@0.9.0'],
  ['an unknown field', { image: 'x' }, 'INVALID_ARGUMENT', 'image'],
  ['a mode that is none', { mode: 'job' }, 'INVALID_ARGUMENT', 'mode'],
  ['a count of daemon mode', { mode: 'daemon', replicas: 3 }, 'INVALID_ARGUMENT', 'replicas'],
  ['a surge of daemon mode', { mode: 'daemon', strategy: { maxSurge: 1 } }, 'INVALID_ARGUMENT', 'maxSurge'],
  [
    'daemon mode that moves nothing',
    { mode: 'daemon', strategy: { maxUnavailable: '0%' } },
    'INVALID_ARGUMENT',
    'maxUnavailable',
  ],
  ['daemon mode by Recreate', { mode: 'daemon', strategy: { type: 'Recreate' } }, 'INVALID_ARGUMENT', 'Recreate'],
  ['a canary of daemon mode', { mode: 'daemon', canary: { steps: [{ weight: 1 }] } }, 'INVALID_ARGUMENT', 'canary'],
  ['a budget that is no object', { disruption: 1 }, 'INVALID_ARGUMENT', 'disruption'],
  ['a budget of another kind', { disruption: { minAvailable: 1 } }, 'INVALID_ARGUMENT', 'disruption'],
  ['a budget of 101 percent', { disruption: { maxUnavailable: '101%' } }, 'INVALID_ARGUMENT', 'disruption'],
  ['a budget of half a pod', { disruption: { maxUnavailable: 0.5 } }, 'INVALID_ARGUMENT', 'disruption'],
  ['a negative budget', { disruption: { maxUnavailable: -1 } }, 'INVALID_ARGUMENT', 'disruption'],
  ['replicas below nothing', { replicas: -1 }, 'INVALID_ARGUMENT', 'replicas'],
  ['half a replica', { replicas: 1.5 }, 'INVALID_ARGUMENT', 'replicas'],
  ['too many replicas', { replicas: 10_001 }, 'INVALID_ARGUMENT', '10000'],
  ['replicas as a text', { replicas: '3' }, 'INVALID_ARGUMENT', 'replicas'],
  ['no surge and nothing unavailable', { strategy: { maxSurge: 0, maxUnavailable: '0%' } }, 'INVALID_ARGUMENT', 'both'],
  ['a surge of 101 percent', { strategy: { maxSurge: '101%' } }, 'INVALID_ARGUMENT', 'maxSurge'],
  ['an unknown strategy', { strategy: { type: 'BlueGreen' } }, 'INVALID_ARGUMENT', 'strategy'],
  ['a surge of Recreate', { strategy: { type: 'Recreate', maxSurge: 1 } }, 'INVALID_ARGUMENT', 'RollingUpdate'],
  ['a canary of Recreate', { strategy: { type: 'Recreate' }, canary: { steps: [{ weight: 1 }] } }, 'INVALID_ARGUMENT'],
  ['a readiness as long as the deadline', { minReadySeconds: 600 }, 'INVALID_ARGUMENT', 'progressDeadlineSeconds'],
  ['a deadline of nothing', { progressDeadlineSeconds: 0 }, 'INVALID_ARGUMENT', 'progressDeadlineSeconds'],
  ['a long history', { revisionHistoryLimit: 101 }, 'INVALID_ARGUMENT', 'revisionHistoryLimit'],
  ['a weight of 101', { canary: { steps: [{ weight: 101 }] } }, 'INVALID_ARGUMENT', 'canary'],
  ['a pause of a moment', { canary: { steps: [{ pause: 'a moment' }] } }, 'INVALID_ARGUMENT', 'canary'],
  ['many steps', { canary: { steps: many(21, () => ({ weight: 1 })) } }, 'INVALID_ARGUMENT', '20'],
  ['a version beside following', { version: '1.0.0', followLatest: true }, 'INVALID_ARGUMENT', 'followLatest'],
  ['a range that is none', { version: null, followLatest: '>>1' }, 'INVALID_ARGUMENT', '>>1'],
  ['pre-releases of nothing', { includePrerelease: true }, 'INVALID_ARGUMENT', 'followLatest'],
  ['labels that are numbers', { labels: { app: 1.5 } }, 'INVALID_LABELS', 'app'],
  ['labels of pods that are SQL', { template: { labels: { app: "'; --" } } }, 'INVALID_LABELS', 'app'],
  ['annotations that are numbers', { annotations: { app: 1 } }, 'INVALID_ARGUMENT', 'app'],
  [
    'a cost that is none',
    { template: { annotations: { 'stark/pod-deletion-cost': 'much' } } },
    'INVALID_ARGUMENT',
    'cost',
  ],
  ['a pod that runs once', { template: { spec: { restartPolicy: 'Never' } } }, 'INVALID_SPEC', 'restartPolicy'],
  ['an unknown field of the spec', { template: { spec: { colour: 'red' } } }, 'INVALID_SPEC', 'colour'],
  ['a template that is a text', { template: 'x' }, 'INVALID_ARGUMENT', 'template'],
  ['a long cause', { changeCause: 'x'.repeat(1025) }, 'INVALID_ARGUMENT', '1024'],
  ['an autoscaler that is a number', { autoscale: 3 }, 'INVALID_ARGUMENT', 'autoscale'],
  ['an autoscaler without a most', { autoscale: { metrics: load } }, 'INVALID_ARGUMENT', 'max'],
  ['a least above the most', { autoscale: { min: 4, max: 3, metrics: load } }, 'INVALID_ARGUMENT', 'min 4'],
  ['too many at most', { autoscale: { max: 10_001, metrics: load } }, 'INVALID_ARGUMENT', '10000'],
  ['no metric', { autoscale: { max: 3, metrics: [] } }, 'INVALID_ARGUMENT', '1 to 8'],
  ['nine metrics', { autoscale: { max: 3, metrics: many(9, () => load[0]) } }, 'INVALID_ARGUMENT', '1 to 8'],
  ['a metric twice', { autoscale: { max: 3, metrics: [load[0], load[0]] } }, 'INVALID_ARGUMENT', 'twice'],
  ['a metric named by SQL', { autoscale: { max: 3, metrics: [{ name: "'; --", target: 1 }] } }, 'INVALID_ARGUMENT'],
  [
    'a target of nothing',
    { autoscale: { max: 3, metrics: [{ name: 'load', target: 0 }] } },
    'INVALID_ARGUMENT',
    'load',
  ],
  ['half a percent', { autoscale: { max: 3, metrics: [{ name: 'cpu', target: 0.5 }] } }, 'INVALID_ARGUMENT', 'cpu'],
  [
    'nothing that would wake it',
    { autoscale: { min: 0, max: 3, metrics: [{ name: 'cpu', target: 50 }] } },
    'INVALID_ARGUMENT',
    'wake',
  ],
  [
    'a window of a day',
    { autoscale: { max: 3, metrics: load, behavior: { scaleDown: { stabilizationWindowSeconds: 86_400 } } } },
    'INVALID_ARGUMENT',
    '3600',
  ],
  ['replicas of two', { replicas: 2, autoscale: { max: 3, metrics: load } }, 'INVALID_ARGUMENT', 'replicas'],
  ['a megabyte', { annotations: { app: megabyte } }, 'LIMIT_EXCEEDED', '131072'],
];

/** A call on a deployment by its name. */
function byDeployment(more: Args = {}, bad: Record<string, string> = {}) {
  return {
    as: 'owner' as const,
    denied: ['other', 'DEPLOYMENT_NOT_FOUND'] as [Caller, string],
    good: () => ({ p_namespace: 'default', p_name: 'web', ...more }),
    bad: { p_namespace: 'DEPLOYMENT_NOT_FOUND', p_name: 'DEPLOYMENT_NOT_FOUND', ...bad },
    cases: (): Case[] => [
      ['an unknown deployment', { p_name: 'no-such' }, 'DEPLOYMENT_NOT_FOUND', 'no-such'],
      ['an unknown namespace', { p_namespace: 'nowhere' }, 'DEPLOYMENT_NOT_FOUND', 'nowhere'],
      ['a deployment that is going', { p_name: 'going' }, 'DEPLOYMENT_TERMINATING', 'going'],
    ],
  };
}

/** What is wrong with objects that are stated, for calls that make or remove them. */
const badObjects = (): Case[] => {
  const one = (object: object) => ({ p_objects: [{ kind: 'namespace', name: 'first' }, object] });
  const ofKind = (kind: string, object: object) => one({ kind, name: 'x', ...object });
  return [
    ['no kind', one({ name: 'x' }), 'INVALID_ARGUMENT', 'object 2'],
    ['an unknown kind', one({ kind: 'node', name: 'x' }), 'INVALID_ARGUMENT', 'namespace'],
    ['a kind that is a number', one({ kind: 1 }), 'INVALID_ARGUMENT', 'object 2'],
    ['a text', { p_objects: ['x'] }, 'INVALID_ARGUMENT', 'object 1'],
    ['an unknown field', ofKind('namespace', { quotas: {} }), 'INVALID_ARGUMENT', 'quotas'],
    ['a name of SQL', ofKind('role', { name: "'; --", permissions: [] }), 'INVALID_NAME', 'role'],
    ['no name', one({ kind: 'pod', pack: 'alpha' }), 'INVALID_ARGUMENT', 'name'],
    ['an object twice', one({ kind: 'namespace', name: 'first' }), 'INVALID_ARGUMENT', 'twice'],
    ['501 objects', { p_objects: many(501, (i) => ({ kind: 'namespace', name: `n${i}` })) }, 'LIMIT_EXCEEDED', '500'],
    [
      '201 pods',
      { p_objects: many(201, (i) => ({ kind: 'pod', name: `n${i}`, pack: 'alpha' })) },
      'LIMIT_EXCEEDED',
      '200',
    ],
    ['two megabytes', ofKind('namespace', { labels: { a: megabyte, b: megabyte } }), 'LIMIT_EXCEEDED', 'p_objects'],
    ['labels that are none', ofKind('namespace', { labels: { a: 1 } }), 'INVALID_LABELS', 'namespace x'],
    ['a quota that is none', ofKind('namespace', { quota: { cpu: 'much' } }), 'INVALID_ARGUMENT', 'cpu'],
    ['a value of words', ofKind('priorityclass', { value: 'high' }), 'INVALID_ARGUMENT', 'value'],
    ['permissions of numbers', ofKind('role', { permissions: [1] }), 'INVALID_ARGUMENT', 'permissions'],
    [
      'a deployment that is none',
      ofKind('deployment', { pack: 'alpha', replicas: -1 }),
      'INVALID_ARGUMENT',
      'replicas',
    ],
    ['a spec that is none', ofKind('pod', { pack: 'alpha', spec: { gpu: 1 } }), 'INVALID_SPEC', 'gpu'],
    ['env of numbers', ofKind('pod', { pack: 'alpha', spec: { env: { A: 1 } } }), 'INVALID_SPEC', 'env'],
    ['a setting that is none', one({ kind: 'clusterconfig', colour: 'red' }), 'INVALID_ARGUMENT', 'colour'],
    ['a setting of another type', one({ kind: 'clusterconfig', liveness: 1 }), 'INVALID_ARGUMENT', 'liveness'],
    ['a bundle that is none', ofKind('pack', { bundle: { version: '1.0.0' } }), 'INVALID_ARGUMENT', 'runtime'],
    ['an unknown user', one({ kind: 'rolebinding', user: 'x@y.z', role: 'viewer' }), 'USER_NOT_FOUND', 'x@y.z'],
    ['taints of words', ofKind('jointoken', { taints: 'a' }), 'INVALID_ARGUMENT', 'taints'],
  ];
};

export const rows: Record<string, Row> = {
  apply_objects: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: () => ({ p_objects: [{ kind: 'namespace', name: 'applied' }], p_project: 'shop' }),
    bad: {
      p_objects: 'INVALID_ARGUMENT',
      p_project: 'INVALID_NAME',
      p_prune: 'typed',
      p_dry_run: 'typed',
      p_take_over: 'typed',
      p_if_digest: 'CONFLICT',
    },
    cases: () => [
      ...badObjects(),
      ['a pack that is not there', { p_objects: [{ kind: 'pack', name: 'nowhere' }] }, 'PACK_NOT_FOUND', 'nowhere'],
      ['pruning without a set', { p_project: null, p_prune: true }, 'INVALID_ARGUMENT', 'name'],
      [
        'another value of a class',
        { p_objects: [{ kind: 'priorityclass', name: 'silver', value: 1 }] },
        'FIELD_IMMUTABLE',
        'value',
      ],
      [
        'other bytes of a version',
        {
          p_objects: [
            {
              ...{ kind: 'pack', name: 'alpha' },
              bundle: { version: '1.0.0', runtime: 'node', sizeBytes: 1, sha256: 'b'.repeat(64) },
            },
          ],
        },
        'VERSION_EXISTS',
        'alpha@1.0.0',
      ],
      [
        'bytes that nobody announced',
        {
          p_objects: [
            {
              ...{ kind: 'pack', name: 'beta' },
              bundle: { version: '1.0.0', runtime: 'node', sizeBytes: 1, sha256: 'b'.repeat(64) },
            },
          ],
        },
        'BUNDLE_MISSING',
        'beta@1.0.0',
      ],
      [
        'the third thing being wrong',
        {
          p_objects: [
            { kind: 'namespace', name: 'first' },
            { kind: 'role', name: 'second', permissions: ['pods:get'] },
            { kind: 'deployment', name: 'third', pack: 'nowhere' },
          ],
        },
        'PACK_NOT_FOUND',
        'nowhere',
      ],
    ],
  },
  // What one may not see is not there.
  delete_objects: {
    as: 'admin',
    good: () => ({ p_objects: [{ kind: 'role', name: 'helper', permissions: [] }] }),
    bad: { p_objects: 'INVALID_ARGUMENT', p_dry_run: 'typed', p_if_digest: 'CONFLICT' },
    cases: () => [
      ...badObjects(),
      [
        'what is built in',
        { p_objects: [{ kind: 'role', name: 'viewer', permissions: [] }] },
        'ROLE_RESERVED',
        'viewer',
      ],
    ],
  },
  create_deployment: {
    as: 'owner',
    denied: ['viewer', 'FORBIDDEN'],
    good: () => ({ p_deployment: { name: 'new', pack: 'alpha', version: '1.0.0' } }),
    bad: { p_deployment: 'INVALID_ARGUMENT, INVALID_NAME' },
    cases: () =>
      badDeployments.map(
        ([what, item, code, names]): Case => [
          what,
          { p_deployment: { name: 'new', pack: 'alpha', version: '1.0.0', ...item } },
          code,
          names,
        ],
      ),
  },
  update_deployment: {
    ...byDeployment(
      { p_changes: { replicas: 2 } },
      { p_changes: 'INVALID_ARGUMENT unless an object', p_if_revision: 'typed' },
    ),
    cases: () => [
      ...byDeployment().cases(),
      ['a revision that is gone', { p_if_revision: -1 }, 'CONFLICT', '-1'],
      ['another name', { p_changes: { name: 'other' } }, 'INVALID_ARGUMENT', 'never change'],
      ['another pack', { p_changes: { pack: 'hidden' } }, 'INVALID_ARGUMENT', 'never change'],
      ['a version that is blocked', { p_changes: { version: '1.5.0' } }, 'VERSION_BLOCKED', 'alpha@1.5.0'],
      ['what the autoscaler sets', { p_name: 'scaled' }, 'AUTOSCALED', 'scaled'],
      ...badDeployments
        .filter(([, item]) => !('name' in item || 'pack' in item || 'namespace' in item))
        .map(([what, item, code, names]): Case => [what, { p_changes: item }, code, names]),
    ],
  },
  scale_deployment: {
    ...byDeployment(
      { p_replicas: 2 },
      { p_replicas: 'INVALID_ARGUMENT', p_mode: 'INVALID_ARGUMENT', p_if_revision: 'typed' },
    ),
    cases: () => [
      ...byDeployment().cases(),
      ['a revision that is gone', { p_if_revision: -1 }, 'CONFLICT', '-1'],
      ['fewer than none', { p_replicas: -1 }, 'INVALID_ARGUMENT', 'replicas'],
      ['too many', { p_replicas: 10_001 }, 'INVALID_ARGUMENT', '10000'],
      ['nothing', { p_replicas: null }, 'INVALID_ARGUMENT', 'replicas'],
      ['a count of daemon mode', { p_mode: 'daemon' }, 'INVALID_ARGUMENT', 'replicas'],
      ['another mode', { p_mode: 'job' }, 'INVALID_ARGUMENT', 'job'],
      ['what the autoscaler sets', { p_name: 'scaled' }, 'AUTOSCALED', 'scaled'],
    ],
  },
  report_metric: {
    as: 'owner',
    denied: ['viewer', 'FORBIDDEN'],
    good: () => ({ p_namespace: 'default', p_name: 'queue', p_value: 1 }),
    bad: {
      p_namespace: 'NAMESPACE_NOT_FOUND',
      p_name: 'INVALID_NAME',
      p_value: 'INVALID_ARGUMENT',
      p_valid_seconds: 'INVALID_ARGUMENT',
    },
    cases: () => [
      ['an unknown namespace', { p_namespace: 'nowhere' }, 'NAMESPACE_NOT_FOUND', 'nowhere'],
      ['a name that is measured', { p_name: 'cpu' }, 'INVALID_NAME', 'cpu'],
      ['a name with a space', { p_name: 'a b' }, 'INVALID_NAME', 'a b'],
      ['a long name', { p_name: 'x'.repeat(64) }, 'INVALID_NAME', 'xxx'],
      ['less than nothing', { p_value: -1 }, 'INVALID_ARGUMENT', 'queue'],
      ['no number', { p_value: 'NaN' }, 'INVALID_ARGUMENT', 'NaN'],
      ['an endless number', { p_value: 'Infinity' }, 'INVALID_ARGUMENT', 'Infinity'],
      ['too large a number', { p_value: '1e16' }, 'INVALID_ARGUMENT', 'queue'],
      ['no time', { p_valid_seconds: 0 }, 'INVALID_ARGUMENT', '86400'],
      ['two days', { p_valid_seconds: 172_800 }, 'INVALID_ARGUMENT', '86400'],
    ],
  },
  pause_deployment: byDeployment(),
  resume_deployment: byDeployment({}, { p_force: 'typed' }),
  delete_deployment: {
    ...byDeployment({}, { p_cascade: 'INVALID_ARGUMENT', p_force: 'typed', p_if_revision: 'typed' }),
    cases: () => [
      ...byDeployment()
        .cases()
        .filter(([, , code]) => code !== 'DEPLOYMENT_TERMINATING'),
      ['a revision that is gone', { p_if_revision: -1 }, 'CONFLICT', '-1'],
    ],
  },
  pause_rollout: byDeployment(),
  resume_rollout: byDeployment(),
  promote_rollout: {
    ...byDeployment({}, { p_full: 'NOT_PAUSED' }),
    cases: () => [...byDeployment().cases(), ['a rollout that does not pause', {}, 'NOT_PAUSED', 'web']],
  },
  undo_rollout: {
    ...byDeployment({}, { p_to_revision: 'typed', p_change_cause: 'INVALID_ARGUMENT, REVISION_NOT_FOUND' }),
    cases: () => [
      ...byDeployment().cases(),
      ['a revision that is not there', { p_to_revision: 99 }, 'REVISION_NOT_FOUND', '99'],
      ['the present revision', { p_to_revision: 1 }, 'REVISION_NOT_FOUND', 'already'],
      ['no revision to go back to', {}, 'REVISION_NOT_FOUND', 'web'],
    ],
  },
  restart_rollout: {
    ...byDeployment({}, { p_change_cause: 'free' }),
    cases: () => [
      ...byDeployment().cases(),
      ['a long cause', { p_change_cause: megabyte }, 'INVALID_ARGUMENT', '1024'],
    ],
  },
  whoami: { as: 'viewer', good: () => ({}), bad: {} },
  needs_setup: { as: 'viewer', good: () => ({}), bad: {} },
  can_i: {
    as: 'viewer',
    good: () => ({ p_verb: 'get', p_kind: 'pods' }),
    bad: { p_verb: 'INVALID_ARGUMENT', p_kind: 'INVALID_ARGUMENT', p_namespace: 'whatever', p_own: 'typed' },
  },
  setup_admin: {
    as: 'secret',
    denied: ['admin', '42501'],
    good: (world) => ({ p_user_id: world.id('other') }),
    bad: { p_user_id: 'SETUP_DONE', p_display_name: 'SETUP_DONE' },
    cases: (world) => [['a second time', { p_user_id: world.id('other') }, 'SETUP_DONE', 'first admin']],
  },
  grant_role: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: (world) => ({ p_user_id: world.id('other'), p_role: 'viewer', p_namespace: 'default' }),
    bad: { p_user_id: 'USER_NOT_FOUND', p_role: 'ROLE_NOT_FOUND', p_namespace: 'NAMESPACE_NOT_FOUND' },
    cases: () => [
      ['an unknown user', { p_user_id: unknownId }, 'USER_NOT_FOUND', unknownId],
      ['an unknown role', { p_role: 'emperor' }, 'ROLE_NOT_FOUND', 'emperor'],
      ['an unknown namespace', { p_namespace: 'nowhere' }, 'NAMESPACE_NOT_FOUND', 'nowhere'],
    ],
  },
  revoke_role: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: (world) => ({ p_user_id: world.id('owner'), p_role: 'user' }),
    bad: { p_user_id: 'typed', p_role: 'whatever', p_namespace: 'whatever' },
    cases: (world) => [
      ['the last admin', { p_user_id: world.id('admin'), p_role: 'admin' }, 'LAST_ADMIN', 'last admin'],
    ],
  },
  list_users: { as: 'admin', denied: ['owner', 'FORBIDDEN'], good: () => ({}), bad: {} },
  admit_user: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: () => ({ p_email: 'fresh@example.com', p_role: 'viewer' }),
    bad: {
      p_email: 'INVALID_ARGUMENT',
      p_role: 'ROLE_NOT_FOUND',
      p_namespace: 'NAMESPACE_NOT_FOUND',
      p_display_name: 'free',
    },
    cases: () => [
      ['an address that is taken', { p_email: 'owner@example.com' }, 'EMAIL_TAKEN', 'owner@example.com'],
      ['an unknown role', { p_role: 'emperor' }, 'ROLE_NOT_FOUND', 'emperor'],
      ['an unknown namespace', { p_namespace: 'nowhere' }, 'NAMESPACE_NOT_FOUND', 'nowhere'],
      ['a namespace without a role', { p_role: null, p_namespace: 'default' }, 'INVALID_ARGUMENT', 'role'],
      ['a long name', { p_display_name: megabyte }, 'INVALID_ARGUMENT', 'display_name'],
    ],
  },
  disable_user: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: (world) => ({ p_user_id: world.id('other') }),
    bad: { p_user_id: 'USER_NOT_FOUND' },
    cases: (world) => [
      ['an unknown user', { p_user_id: unknownId }, 'USER_NOT_FOUND', unknownId],
      ['the last admin', { p_user_id: world.id('admin') }, 'LAST_ADMIN', 'root@example.com'],
    ],
  },
  enable_user: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: (world) => ({ p_user_id: world.id('disabled') }),
    bad: { p_user_id: 'USER_NOT_FOUND' },
    cases: () => [['an unknown user', { p_user_id: unknownId }, 'USER_NOT_FOUND', unknownId]],
  },
  create_role: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: () => ({ p_name: 'fresh', p_permissions: ['pods:get'] }),
    bad: { p_name: 'INVALID_NAME', p_permissions: 'INVALID_ARGUMENT', p_description: 'free' },
    cases: () => [
      ['a name that is there', { p_name: 'viewer' }, 'ROLE_EXISTS', 'viewer'],
      ['an unknown verb', { p_permissions: ['pods:fly'] }, 'INVALID_ARGUMENT', 'verb'],
      ['a permission of SQL', { p_permissions: ["pods:get'; --"] }, 'INVALID_ARGUMENT', "pods:get'; --"],
      ['a thousand permissions', { p_permissions: many(1000, () => 'pods:get') }, 'INVALID_ARGUMENT', '200'],
      ['a long description', { p_description: megabyte }, 'INVALID_ARGUMENT', 'description'],
    ],
  },
  update_role: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: () => ({ p_name: 'helper', p_permissions: ['nodes:get'] }),
    bad: { p_name: 'ROLE_NOT_FOUND', p_permissions: 'INVALID_ARGUMENT', p_description: 'free' },
    cases: () => [
      ['an unknown role', { p_name: 'emperor' }, 'ROLE_NOT_FOUND', 'emperor'],
      ['a built-in role', { p_name: 'admin' }, 'ROLE_RESERVED', 'admin'],
      ['an unknown kind', { p_permissions: ['planets:get'] }, 'INVALID_ARGUMENT', 'kind'],
      ['a long description', { p_description: megabyte }, 'INVALID_ARGUMENT', 'description'],
    ],
  },
  delete_role: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: () => ({ p_name: 'helper' }),
    bad: { p_name: 'ROLE_NOT_FOUND' },
    cases: () => [
      ['an unknown role', { p_name: 'emperor' }, 'ROLE_NOT_FOUND', 'emperor'],
      ['a built-in role', { p_name: 'admin' }, 'ROLE_RESERVED', 'admin'],
    ],
  },
  create_join_token: {
    as: 'owner',
    denied: ['viewer', 'FORBIDDEN'],
    good: () => ({ p_ttl_seconds: 60 }),
    bad: {
      p_ttl_seconds: 'typed',
      p_labels: 'INVALID_ARGUMENT, INVALID_LABELS',
      p_taints: 'INVALID_ARGUMENT, INVALID_TAINTS',
      p_uses: 'typed',
      ...badAcceptance,
    },
    cases: () => [
      ['a token that is over', { p_ttl_seconds: 0 }, 'INVALID_ARGUMENT', '0 seconds'],
      ['a token for ever', { p_ttl_seconds: 2_592_001 }, 'INVALID_ARGUMENT', '2592001'],
      ['a token for nobody', { p_uses: 0 }, 'INVALID_ARGUMENT', 'not for 0'],
      ['a token for everybody', { p_uses: 1001 }, 'INVALID_ARGUMENT', '1001'],
      ...labelled('p_labels'),
      ...badTaints(),
      ...badOwnersWords(),
    ],
  },
  revoke_join_token: {
    as: 'owner',
    denied: ['other', 'JOIN_TOKEN_NOT_FOUND'],
    good: (world) => ({ p_id: world.token.id }),
    bad: { p_id: 'JOIN_TOKEN_NOT_FOUND' },
    cases: () => [['an unknown token', { p_id: 'abcdef' }, 'JOIN_TOKEN_NOT_FOUND', 'abcdef']],
  },
  admit_node: {
    as: 'secret',
    denied: ['admin', '42501'],
    good: (world) => ({ p_secret_sha256: world.token.sha256, p_name: 'fresh', p_runtime: 'node' }),
    bad: { p_secret_sha256: 'JOIN_TOKEN_INVALID', p_name: 'INVALID_NAME', p_runtime: 'INVALID_RUNTIME' },
    cases: () => [
      ['no token', { p_secret_sha256: null }, 'NODE_REGISTRATION_CLOSED', 'join token'],
      ['a name that is there', { p_name: 'n1' }, 'NODE_NAME_TAKEN', 'n1'],
    ],
  },
  join_node: {
    as: 'secret',
    denied: ['admin', '42501'],
    good: (world) => ({
      p_secret_sha256: world.token.sha256,
      p_user_id: world.id('nobody'),
      p_name: 'fresh',
      p_runtime: 'node',
    }),
    bad: {
      p_secret_sha256: 'JOIN_TOKEN_INVALID',
      p_user_id: 'USER_NOT_FOUND',
      p_name: 'INVALID_NAME',
      p_runtime: 'INVALID_RUNTIME',
    },
    cases: () => [
      ['an unknown user', { p_user_id: unknownId }, 'USER_NOT_FOUND', unknownId],
      ['a name that is there', { p_name: 'n1' }, 'NODE_NAME_TAKEN', 'n1'],
    ],
  },
  create_priority_class: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: () => ({ p_name: 'gold', p_value: 500 }),
    bad: {
      p_name: 'INVALID_NAME',
      p_value: 'typed',
      p_global_default: 'typed',
      p_preemption_policy: 'INVALID_ARGUMENT',
      p_description: 'free',
    },
    cases: () => [
      ['a name that is there', { p_name: 'default' }, 'PRIORITY_CLASS_EXISTS', 'default'],
      ['a name of the system', { p_name: 'system-mine' }, 'INVALID_NAME', 'system-mine'],
      ['a value above the users’', { p_value: 1001 }, 'INVALID_ARGUMENT', '1001'],
      ['no value', { p_value: null }, 'INVALID_ARGUMENT', 'value'],
    ],
  },
  update_priority_class: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: () => ({ p_name: 'silver', p_description: 'better' }),
    bad: {
      p_name: 'PRIORITY_CLASS_NOT_FOUND',
      p_global_default: 'typed',
      p_description: 'free',
      p_if_version: 'typed',
    },
    cases: () => [
      ['an unknown class', { p_name: 'none' }, 'PRIORITY_CLASS_NOT_FOUND', 'none'],
      ['a long description', { p_description: megabyte }, 'INVALID_ARGUMENT', 'description'],
      ['a revision that is gone', { p_if_version: -1 }, 'CONFLICT', '-1'],
    ],
  },
  delete_priority_class: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: () => ({ p_name: 'silver' }),
    bad: { p_name: 'PRIORITY_CLASS_NOT_FOUND', p_if_version: 'typed' },
    cases: () => [
      ['a revision that is gone', { p_if_version: -1 }, 'CONFLICT', '-1'],
      ['an unknown class', { p_name: 'none' }, 'PRIORITY_CLASS_NOT_FOUND', 'none'],
      ['a built-in class', { p_name: 'default' }, 'PRIORITY_CLASS_RESERVED', 'default'],
    ],
  },
  update_cluster_config: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: () => ({ p_changes: { scheduling_policy: 'bin_pack' } }),
    bad: { p_changes: 'INVALID_ARGUMENT', p_if_version: 'typed' },
    cases: () => [
      ['an unknown setting', { p_changes: { colour: 'red' } }, 'INVALID_ARGUMENT', 'colour'],
      ['an unknown policy', { p_changes: { scheduling_policy: 'luck' } }, 'INVALID_ARGUMENT', 'scheduling policy'],
      ['a fraction', { p_changes: { default_cpu_request: 0.5 } }, 'INVALID_ARGUMENT', 'default_cpu_request'],
      ['too much', { p_changes: { default_cpu_request: 2_000_000 } }, 'INVALID_ARGUMENT', 'default cpu request'],
      ['a deep value', { p_changes: { scheduling_seed: nested(500) } }, 'INVALID_ARGUMENT', '32 levels'],
      ['a megabyte', { p_changes: { default_namespace: megabyte } }, 'LIMIT_EXCEEDED', '16384'],
      ['an unknown namespace', { p_changes: { default_namespace: 'nowhere' } }, 'NAMESPACE_NOT_FOUND', 'nowhere'],
      ['a revision that is gone', { p_if_version: -1 }, 'CONFLICT', '-1'],
    ],
  },
  create_namespace: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: () => ({ p_name: 'fresh' }),
    bad: {
      p_name: 'INVALID_NAME',
      p_labels: 'INVALID_ARGUMENT, INVALID_LABELS',
      p_quota: 'INVALID_ARGUMENT',
      p_limit_range: 'INVALID_ARGUMENT',
    },
    cases: () => [
      ['a name that is there', { p_name: 'default' }, 'NAMESPACE_EXISTS', 'default'],
      ...labelled('p_labels'),
      ...badAmounts('p_quota'),
      ['a limit range upside down', { p_limit_range: { min: { cpu: 9 }, max: { cpu: 1 } } }, 'INVALID_ARGUMENT', 'cpu'],
    ],
  },
  update_namespace: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: () => ({ p_name: 'full', p_quota: { pods: 2 } }),
    bad: {
      p_name: 'NAMESPACE_NOT_FOUND',
      p_labels: 'INVALID_ARGUMENT, INVALID_LABELS',
      p_quota: 'INVALID_ARGUMENT',
      p_limit_range: 'INVALID_ARGUMENT',
      p_if_version: 'typed',
    },
    cases: () => [
      ['an unknown namespace', { p_name: 'nowhere' }, 'NAMESPACE_NOT_FOUND', 'nowhere'],
      ...patched('p_labels'),
      ...badAmounts('p_quota'),
      ['a revision that is gone', { p_if_version: -1 }, 'CONFLICT', '-1'],
    ],
  },
  delete_namespace: {
    as: 'admin',
    denied: ['owner', 'FORBIDDEN'],
    good: () => ({ p_name: 'full' }),
    bad: { p_name: 'NAMESPACE_NOT_FOUND', p_if_version: 'typed' },
    cases: () => [
      ['an unknown namespace', { p_name: 'nowhere' }, 'NAMESPACE_NOT_FOUND', 'nowhere'],
      ['a reserved one', { p_name: 'default' }, 'NAMESPACE_RESERVED', 'default'],
      ['a revision that is gone', { p_if_version: -1 }, 'CONFLICT', '-1'],
    ],
  },
  register_pack_version: {
    as: 'owner',
    denied: ['viewer', 'FORBIDDEN'],
    good: () => ({
      p_name: 'fresh',
      p_version: '1.0.0',
      p_runtime: 'node',
      p_size_bytes: 10,
      p_sha256: 'a'.repeat(64),
      p_assets_size_bytes: 10,
      p_assets_sha256: 'b'.repeat(64),
      p_ports: [{ name: 'http' }],
    }),
    bad: {
      p_name: 'INVALID_NAME',
      p_version: 'INVALID_VERSION',
      p_runtime: 'INVALID_RUNTIME',
      p_entry: 'INVALID_ARGUMENT',
      p_visibility: 'INVALID_ARGUMENT',
      p_description: 'free',
      p_size_bytes: 'typed',
      p_sha256: 'INVALID_ARGUMENT',
      p_assets_size_bytes: 'typed',
      p_assets_sha256: 'INVALID_ARGUMENT',
      p_ports: 'INVALID_ARGUMENT',
    },
    cases: () => [
      ['a port that is none', { p_ports: [{ name: 'HTTP' }] }, 'INVALID_ARGUMENT', 'each port'],
      ['assets that fill it', { p_assets_size_bytes: 52_428_800 }, 'BUNDLE_TOO_LARGE', '52428800'],
      ['a pack of another', { p_name: 'hidden' }, 'FORBIDDEN', 'hidden'],
      ['a version that is ready', { p_name: 'alpha' }, 'VERSION_EXISTS', 'alpha@1.0.0'],
      ['more than 50 MB', { p_size_bytes: 52_428_801 }, 'BUNDLE_TOO_LARGE', '52428801'],
      ['nothing', { p_size_bytes: 0 }, 'INVALID_ARGUMENT', 'size_bytes'],
      ['a long description', { p_description: megabyte }, 'INVALID_ARGUMENT', '1000000'],
    ],
  },
  finish_pack_version: {
    as: 'owner',
    denied: ['other', 'FORBIDDEN'],
    good: (world) => ({ p_version_id: world.versions.uploading }),
    bad: { p_version_id: 'VERSION_NOT_FOUND' },
    cases: (world) => [
      ['an unknown version', { p_version_id: unknownId }, 'VERSION_NOT_FOUND', unknownId],
      ['no upload', {}, 'BUNDLE_MISSING', 'alpha@2.0.0'],
      ['a withdrawn version', { p_version_id: world.versions.withdrawn }, 'VERSION_NOT_READY', 'alpha@0.9.0'],
    ],
  },
  withdraw_pack_version: {
    as: 'owner',
    denied: ['other', 'PACK_NOT_FOUND'],
    good: () => ({ p_name: 'alpha', p_version: '1.0.0' }),
    bad: { p_name: 'PACK_NOT_FOUND', p_version: 'VERSION_NOT_FOUND' },
    cases: () => [
      ['an unknown pack', { p_name: 'none' }, 'PACK_NOT_FOUND', 'none'],
      ['an unknown version', { p_version: '9.9.9' }, 'VERSION_NOT_FOUND', '9.9.9'],
    ],
  },
  update_pack: {
    as: 'owner',
    denied: ['other', 'PACK_NOT_FOUND'],
    good: () => ({ p_name: 'alpha', p_description: 'better' }),
    bad: { p_name: 'PACK_NOT_FOUND', p_visibility: 'INVALID_ARGUMENT', p_description: 'free', p_if_version: 'typed' },
    cases: () => [
      ['an unknown pack', { p_name: 'none' }, 'PACK_NOT_FOUND', 'none'],
      ['a revision that is gone', { p_if_version: -1 }, 'CONFLICT', '-1'],
      ['a long description', { p_description: megabyte }, 'INVALID_ARGUMENT', '1000000'],
    ],
  },
  delete_pack: {
    as: 'owner',
    denied: ['other', 'PACK_NOT_FOUND'],
    good: () => ({ p_name: 'alpha' }),
    bad: { p_name: 'PACK_NOT_FOUND', p_if_version: 'typed' },
    cases: () => [
      ['a revision that is gone', { p_if_version: -1 }, 'CONFLICT', '-1'],
      ['an unknown pack', { p_name: 'none' }, 'PACK_NOT_FOUND', 'none'],
      ['a pack with pods', {}, 'PACK_IN_USE', 'alpha'],
    ],
  },
  register_node: {
    as: 'owner',
    denied: ['viewer', 'FORBIDDEN'],
    good: () => ({ p_name: 'fresh', p_runtime: 'node' }),
    bad: {
      p_name: 'INVALID_NAME',
      p_runtime: 'INVALID_RUNTIME',
      p_labels: 'INVALID_ARGUMENT, INVALID_LABELS',
      p_taints: 'INVALID_ARGUMENT, INVALID_TAINTS',
      p_allocatable: 'INVALID_ARGUMENT',
      p_capabilities: 'INVALID_ARGUMENT unless an object',
      p_installation: 'typed',
      p_replaces: 'typed',
    },
    cases: () => [
      ['a name of another', { p_name: 'theirs' }, 'NODE_NAME_TAKEN', 'theirs'],
      ['another runtime', { p_name: 'n1', p_runtime: 'browser' }, 'RUNTIME_MISMATCH', 'n1'],
      ...labelled('p_labels'),
      ...badTaints(),
      ...badOwnersKeys(),
      ['namespaces without a choice', { p_capabilities: { acceptedNamespaces: ['a'] } }, 'INVALID_ARGUMENT', 'accepts'],
      ['a tier that is none', { p_capabilities: { isolation: { tier: 'paper' } } }, 'INVALID_ARGUMENT', 'tier'],
      ...badAmounts('p_allocatable'),
      ['a megabyte of capabilities', { p_capabilities: { x: megabyte } }, 'INVALID_ARGUMENT', 'capabilities'],
    ],
  },
  update_node: {
    as: 'owner',
    denied: ['other', 'NODE_NOT_FOUND'],
    good: () => ({ p_name: 'n1', p_labels: { zone: 'b' } }),
    bad: {
      p_name: 'NODE_NOT_FOUND',
      p_labels: 'INVALID_ARGUMENT, INVALID_LABELS',
      p_taints: 'INVALID_ARGUMENT, INVALID_TAINTS',
      p_allocatable: 'INVALID_ARGUMENT',
      p_capabilities: 'INVALID_ARGUMENT unless an object',
      p_if_version: 'typed',
      ...badAcceptance,
    },
    cases: () => [
      ['an unknown node', { p_name: 'n99' }, 'NODE_NOT_FOUND', 'n99'],
      ...patched('p_labels'),
      ...badTaints(),
      ...badOwnersWords(),
      ...badAmounts('p_allocatable'),
      ['a megabyte of capabilities', { p_capabilities: { x: megabyte } }, 'LIMIT_EXCEEDED', 'p_capabilities'],
      ['a revision that is gone', { p_if_version: -1 }, 'CONFLICT', '-1'],
    ],
  },
  cordon_node: byNode('owner'),
  uncordon_node: byNode('owner'),
  drain_node: { ...byNode('owner'), bad: { p_name: 'NODE_NOT_FOUND', p_ignores_budgets: 'typed' } },
  pending_evictions: byNode('owner'),
  delete_node: {
    ...byNode('owner'),
    bad: { p_name: 'NODE_NOT_FOUND', p_force: 'typed', p_if_version: 'typed' },
    cases: () => [
      ['an unknown node', { p_name: 'n99' }, 'NODE_NOT_FOUND', 'n99'],
      ['a node with pods', {}, 'NODE_IN_USE', 'n1'],
      ['a revision that is gone', { p_if_version: -1 }, 'CONFLICT', '-1'],
    ],
  },
  create_pods: {
    as: 'owner',
    denied: ['viewer', 'FORBIDDEN'],
    good: (world) => ({ p_pods: [world.pod] }),
    bad: { p_pods: 'INVALID_ARGUMENT' },
    cases: (world) => [
      ...badPods(world)
        // How much it is is looked at first.
        .filter(([, item]) => JSON.stringify(item).length < 500_000)
        .map(([what, item, code, names]): Case => [what, { p_pods: [item] }, code, names]),
      ['a megabyte of labels', { p_pods: [{ ...world.pod, labels: manyLabels }] }, 'LIMIT_EXCEEDED', '524288'],
      ['a name with SQL', { p_pods: [{ ...world.pod, name: "x'; --" }] }, 'INVALID_NAME', "x'; --"],
      ['a name that is taken', { p_pods: [{ ...world.pod, name: 'runs' }] }, 'POD_NAME_TAKEN', 'runs'],
      ['half a replica', { p_pods: [{ ...world.pod, replicas: 1.5 }] }, 'INVALID_ARGUMENT', 'replicas'],
      ['no replica', { p_pods: [{ ...world.pod, replicas: 0 }] }, 'INVALID_ARGUMENT', 'replicas'],
      ['too many replicas', { p_pods: [{ ...world.pod, replicas: 201 }] }, 'LIMIT_EXCEEDED', '201'],
      ['too many entries', { p_pods: many(51, () => world.pod) }, 'LIMIT_EXCEEDED', '51'],
      ['more than the quota', { p_pods: [{ ...world.pod, namespace: 'full' }] }, 'QUOTA_EXCEEDED', 'full'],
      [
        'more than the limit range',
        { p_pods: [{ ...world.pod, namespace: 'small' }] },
        'LIMIT_RANGE_VIOLATED',
        'small',
      ],
      [
        'a namespace that is being deleted',
        { p_pods: [{ ...world.pod, namespace: 'dying' }] },
        'NAMESPACE_TERMINATING',
        'dying',
      ],
      ['a node of another kind', { p_pods: [{ ...world.pod, spec: { nodeName: 'tab' } }] }, 'RUNTIME_MISMATCH', 'tab'],
      ['a good one before a bad one', { p_pods: [world.pod, { pack: 'none' }] }, 'PACK_NOT_FOUND', 'none'],
    ],
  },
  events_topic: {
    as: 'viewer',
    denied: ['owner', 'FORBIDDEN'],
    good: () => ({ p_namespace: 'default' }),
    bad: { p_namespace: 'NAMESPACE_NOT_FOUND' },
    cases: () => [['an unknown namespace', { p_namespace: 'nowhere' }, 'NAMESPACE_NOT_FOUND', 'nowhere']],
  },
  explain_placement: {
    as: 'owner',
    denied: ['viewer', 'FORBIDDEN'],
    good: (world) => ({ p_pod: world.pod }),
    bad: { p_pod: 'INVALID_ARGUMENT' },
    cases: (world) => badPods(world).map(([what, item, code, names]) => [what, { p_pod: item }, code, names]),
  },
  stop_pods: byPods(),
  delete_pods: byPods(),
  update_pods: {
    ...byPods(),
    good: (world) => ({ p_ids: [world.pods.running], p_labels: { tier: 'b' } }),
    bad: {
      ...byPods().bad,
      p_labels: 'INVALID_ARGUMENT, INVALID_LABELS',
      p_annotations: 'INVALID_ARGUMENT',
    },
    cases: (world) => [
      ...(byPods().cases?.(world) ?? []),
      ['a label that is none', { p_labels: { 'a b': 'x' } }, 'INVALID_LABELS', 'a b'],
      ['a value that is no text', { p_labels: { a: 1 } }, 'INVALID_LABELS', 'a'],
      ['an annotation that is no text', { p_annotations: { a: {} } }, 'INVALID_ARGUMENT', 'a'],
    ],
  },
  roll_back_pod: {
    as: 'owner',
    denied: ['other', 'POD_NOT_FOUND'],
    good: (world) => ({ p_id: world.pods.running }),
    bad: { p_id: 'POD_NOT_FOUND', p_version: 'VERSION_NOT_FOUND', p_if_version: 'typed' },
    cases: () => [
      ['an unknown pod', { p_id: unknownId }, 'POD_NOT_FOUND', unknownId],
      ['a later version', { p_version: '9.9.9' }, 'INVALID_ARGUMENT', '9.9.9'],
      ['a version that is not there', { p_version: '0.0.1' }, 'VERSION_NOT_FOUND', '0.0.1'],
      ['a withdrawn version', { p_version: '0.9.0' }, 'VERSION_NOT_READY', 'alpha@0.9.0'],
      ['a revision that is gone', { p_if_version: -1 }, 'CONFLICT', '-1'],
    ],
  },
  node_sync: {
    as: 'owner',
    denied: ['other', 'FORBIDDEN'],
    good: (world) => node(world),
    bad: { p_node_id: 'NODE_NOT_FOUND', p_incarnation: 'typed' },
    cases: () => [
      ['an unknown node', { p_node_id: unknownId }, 'NODE_NOT_FOUND', unknownId],
      ['an older incarnation', { p_incarnation: 0 }, 'STALE_INCARNATION', 'n1'],
    ],
  },
  report_pods: {
    as: 'owner',
    denied: ['other', 'FORBIDDEN'],
    good: (world) => ({ ...node(world), p_reports: [] }),
    bad: { p_node_id: 'NODE_NOT_FOUND', p_incarnation: 'typed', p_reports: 'INVALID_ARGUMENT unless a list' },
    cases: () => [
      ['an older incarnation', { p_incarnation: 0 }, 'STALE_INCARNATION', 'n1'],
      ['no incarnation', { p_incarnation: null }, 'INVALID_ARGUMENT', 'p_incarnation'],
      ['too many reports', { p_reports: many(501, () => ({})) }, 'LIMIT_EXCEEDED', '501'],
    ],
  },
  disconnect_node: {
    as: 'owner',
    denied: ['other', 'FORBIDDEN'],
    good: (world) => node(world),
    bad: { p_node_id: 'NODE_NOT_FOUND', p_incarnation: 'typed' },
    cases: () => [
      ['an older incarnation', { p_incarnation: 0 }, 'STALE_INCARNATION', 'n1'],
      ['no incarnation', { p_incarnation: null }, 'INVALID_ARGUMENT', 'p_incarnation'],
    ],
  },
  follow_logs: {
    as: 'owner',
    denied: ['other', 'POD_NOT_FOUND'],
    good: (world) => ({ p_pod_id: world.pods.running }),
    bad: { p_pod_id: 'POD_NOT_FOUND' },
    cases: () => [['an unknown pod', { p_pod_id: unknownId }, 'POD_NOT_FOUND', unknownId]],
  },
  append_pod_logs: {
    as: 'owner',
    denied: ['other', 'FORBIDDEN'],
    good: (world) => ({ ...node(world), p_lines: [] }),
    bad: { p_node_id: 'NODE_NOT_FOUND', p_incarnation: 'typed', p_lines: 'INVALID_ARGUMENT unless a list' },
    cases: () => [
      ['an older incarnation', { p_incarnation: 0 }, 'STALE_INCARNATION', 'n1'],
      ['too many lines', { p_lines: many(5001, () => ({})) }, 'LIMIT_EXCEEDED', '5001'],
    ],
  },
  diagnostics: { as: 'admin', denied: ['viewer', 'FORBIDDEN'], good: () => ({}), bad: {} },
  probe_watcher: { as: 'admin', denied: ['viewer', 'FORBIDDEN'], good: () => ({}), bad: {} },
  is_this_database: {
    as: 'secret',
    denied: ['admin', '42501'],
    good: () => ({ p_id: unknownId }),
    bad: { p_id: 'typed' },
  },
  store_watch_secrets: {
    as: 'secret',
    denied: ['admin', '42501'],
    good: () => ({ p_project_url: 'https://abc.supabase.co', p_secret_key: 'sb_secret_x' }),
    bad: { p_project_url: 'INVALID_ARGUMENT', p_secret_key: 'INVALID_ARGUMENT' },
    cases: () => [
      ['a URL with a password', { p_project_url: 'https://u:p@abc.supabase.co' }, 'INVALID_ARGUMENT', 'p@abc'],
      ['a URL with a path', { p_project_url: 'https://abc.supabase.co/x' }, 'INVALID_ARGUMENT', '/x'],
      ['a publishable key', { p_secret_key: 'sb_publishable_x' }, 'INVALID_ARGUMENT', 'secret'],
    ],
  },
  watch_nodes: {
    as: 'secret',
    denied: ['admin', '42501'],
    good: () => ({ p_observations: [], p_since: '2026-01-01T00:00:00Z', p_at: '2026-01-01T00:00:01Z' }),
    bad: { p_observations: 'INVALID_ARGUMENT', p_since: 'typed', p_at: 'typed' },
    cases: () => [
      ['no time', { p_at: null }, 'INVALID_ARGUMENT', 'p_at'],
      ['an observation that is a text', { p_observations: ['x'] }, 'INVALID_ARGUMENT', 'p_observations'],
      ['too many observations', { p_observations: many(1001, () => ({})) }, 'LIMIT_EXCEEDED', '1001'],
    ],
  },
};
