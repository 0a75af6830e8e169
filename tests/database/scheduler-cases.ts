// Random clusters for the scheduler, small enough that everything meets everything, and the SQL that makes one.
import fc from 'fast-check';
import type {
  Amounts,
  Cluster,
  LabelSelector,
  Labels,
  Node,
  NodeTerm,
  Pack,
  Pod,
  PodAffinity,
  PodTerm,
  Requirement,
  Spec,
  SpreadConstraint,
  Taint,
  Toleration,
} from './scheduler-oracle.js';

/** What a case looks at. `ladder` is how many pods come, by template. */
export type Kind = 'filters' | 'scores' | 'preemption' | 'batches';
export const kinds: Kind[] = ['filters', 'scores', 'preemption', 'batches'];

export interface Case {
  cluster: Cluster;
  /** Pods that are to be placed, the oldest first. Those of a group have the same constraints. */
  groups: Pod[][];
  pending: Pod[];
}

export const users = { ann: '0000000a-0000-4000-8000-000000000000', bob: '0000000b-0000-4000-8000-000000000000' };
export const packs: Pack[] = [
  { name: 'plain', owner: 'ann', visibility: 'public', runtime: 'node' },
  { name: 'secret', owner: 'cyd', visibility: 'private', runtime: 'node' },
  { name: 'page', owner: 'ann', visibility: 'public', runtime: 'browser' },
  { name: 'both', owner: 'ann', visibility: 'public', runtime: 'isomorphic' },
];
export const namespaces = [
  { name: 'default', labels: {} },
  { name: 'other', labels: { team: 'red' } },
];

// What things are made of ---------------------------------------------------------------------------------------------

/** One of these, the first of them so much more often. */
const oneOf = <T>(...values: T[]) => fc.constantFrom(...values);
/** The value in so many of a hundred cases, else nothing. */
const sometimes = <T>(percent: number, value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => {
  const weight = Math.round(Math.min(100, percent));
  return fc.oneof({ weight: 100 - weight, arbitrary: fc.constant(undefined) }, { weight, arbitrary: value });
};
const mostly = (percent: number) => sometimes(percent, fc.constant(true)).map((it) => it === true);

/** The object without what is undefined. */
function given<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, it]) => it !== undefined)) as T;
}
const object = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K] | undefined> }): fc.Arbitrary<T> =>
  fc.record(fields as Record<string, fc.Arbitrary<unknown>>).map((it) => given<T>(it as never));
const list = <T>(items: fc.Arbitrary<T>, minLength: number, maxLength: number) =>
  fc.array(items, { minLength, maxLength });

const requirement = (keys: string[], values: string[]): fc.Arbitrary<Requirement> =>
  fc.oneof(
    fc.record({ key: oneOf(...keys), operator: oneOf('In', 'NotIn'), values: list(oneOf(...values), 1, 2) }),
    fc.record({ key: oneOf(...keys), operator: oneOf('Exists', 'DoesNotExist') }),
  ) as fc.Arbitrary<Requirement>;

const nodeRequirement: fc.Arbitrary<Requirement> = fc.oneof(
  { weight: 3, arbitrary: requirement(['zone', 'disk'], ['a', 'b', 'ssd']) },
  {
    weight: 1,
    arbitrary: fc.record({
      key: fc.constant('cores'),
      operator: oneOf('Gt' as const, 'Lt' as const),
      values: list(oneOf('2', '4', '8'), 1, 1),
    }),
  },
);
const nodeTerm: fc.Arbitrary<NodeTerm> = object<NodeTerm>({
  matchExpressions: sometimes(85, list(nodeRequirement, 1, 2)),
  matchFields: sometimes(
    10,
    list(
      fc.record({
        key: fc.constant('metadata.name'),
        operator: oneOf('In' as const, 'NotIn' as const),
        values: list(oneOf('n0', 'n1', 'n2'), 1, 1),
      }),
      1,
      1,
    ),
  ),
});

const podLabels: fc.Arbitrary<Labels> = object<Labels>({
  app: sometimes(90, oneOf('web', 'cache')),
  tier: sometimes(50, oneOf('1', '2')),
});
const selector: fc.Arbitrary<LabelSelector> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ matchLabels: fc.record({ app: oneOf('web', 'cache') }) }) },
  { weight: 1, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.record({ matchExpressions: list(requirement(['app', 'tier'], ['web', '1']), 1, 2) }) },
);
const topologyKey = oneOf('zone', 'host', 'rack');

/** Keys of the pod's own labels go with a selector that does not speak of them. */
const withKeys = <T extends { labelSelector?: LabelSelector }>(term: T, keys: object): T =>
  term.labelSelector !== undefined && !JSON.stringify(term.labelSelector).includes('tier')
    ? { ...term, ...keys }
    : term;
const podTerm: fc.Arbitrary<PodTerm> = fc
  .tuple(
    object<PodTerm>({
      topologyKey,
      labelSelector: sometimes(95, selector),
      namespaces: sometimes(15, list(oneOf('default', 'other'), 1, 2)),
      namespaceSelector: sometimes(15, oneOf<LabelSelector>({}, { matchLabels: { team: 'red' } })),
    }),
    oneOf({}, {}, {}, { matchLabelKeys: ['tier'] }, { mismatchLabelKeys: ['tier'] }),
  )
  .map(([term, keys]) => withKeys(term, keys));
const podAffinity = (requires: number, prefers: number): fc.Arbitrary<PodAffinity> =>
  object<PodAffinity>({
    requiredDuringSchedulingIgnoredDuringExecution: sometimes(requires, list(podTerm, 1, 2)),
    preferredDuringSchedulingIgnoredDuringExecution: sometimes(
      prefers,
      list(fc.record({ weight: oneOf(1, 10, 50, 100), podAffinityTerm: podTerm }), 1, 2),
    ),
  });
const spread = (hard: number): fc.Arbitrary<SpreadConstraint[]> =>
  list(
    fc
      .tuple(
        object<SpreadConstraint>({
          maxSkew: oneOf(1, 1, 2, 3),
          topologyKey,
          whenUnsatisfiable: mostly(hard).map((it) => (it ? 'DoNotSchedule' : 'ScheduleAnyway')),
          labelSelector: sometimes(95, selector),
          minDomains: sometimes(15, oneOf(2, 3)),
          nodeAffinityPolicy: sometimes(20, oneOf('Honor' as const, 'Ignore' as const)),
          nodeTaintsPolicy: sometimes(20, oneOf('Honor' as const, 'Ignore' as const)),
        }),
        oneOf({}, {}, {}, { matchLabelKeys: ['tier'] }),
      )
      .map(([constraint, keys]) => {
        const { minDomains, ...rest } = withKeys(constraint, keys);
        return rest.whenUnsatisfiable === 'DoNotSchedule' && minDomains !== undefined ? { ...rest, minDomains } : rest;
      }),
    1,
    2,
  ).map((constraints) =>
    constraints.filter(
      (it, i) =>
        !constraints
          .slice(0, i)
          .some((before) => before.topologyKey === it.topologyKey && before.whenUnsatisfiable === it.whenUnsatisfiable),
    ),
  );

const taint = (soft: number): fc.Arbitrary<Taint> =>
  object<Taint>({
    key: oneOf('gpu', 'slow'),
    value: sometimes(50, oneOf('yes', 'no')),
    effect: mostly(soft).chain((it) =>
      it ? fc.constant('PreferNoSchedule' as const) : oneOf('NoSchedule' as const, 'NoExecute' as const),
    ),
  });
const toleration: fc.Arbitrary<Toleration> = fc.oneof(
  object<Toleration>({
    key: oneOf('gpu', 'slow', 'node.kubernetes.io/unschedulable'),
    operator: fc.constant('Exists' as const),
    effect: sometimes(40, oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute')),
  }),
  object<Toleration>({
    key: oneOf('gpu', 'slow'),
    operator: sometimes(50, fc.constant('Equal' as const)),
    value: sometimes(60, oneOf('yes', 'no')),
    effect: sometimes(40, oneOf('NoSchedule', 'NoExecute')),
  }),
  fc.constant({ operator: 'Exists' as const }),
);

const ports = list(oneOf(80, 81), 1, 2).map((numbers) =>
  // A number alone means fixed, too.
  [...new Set(numbers)].map((port) => ({
    name: `p${port}`,
    port,
    ...(port === 80 ? { strategy: 'fixed' as const } : {}),
  })),
);

/** How likely the parts of a case are, by its kind. */
interface Likelihoods {
  nodes: [number, number];
  /** What nodes have that keeps pods away, and pods that keeps them from nodes. */
  trouble: number;
  tainted: number;
  softTaints: number;
  tolerant: number;
  pods: [number, number];
  fill: number;
  rules: number;
  preferences: number;
  pending: [number, number];
  replicas: number;
  priorities: number[];
}

const likelihoods: Record<Kind, Likelihoods> = {
  filters: {
    nodes: [3, 6],
    trouble: 13,
    tainted: 20,
    softTaints: 20,
    tolerant: 30,
    pods: [0, 9],
    fill: 330,
    rules: 26,
    preferences: 8,
    pending: [1, 1],
    replicas: 1,
    priorities: [0],
  },
  scores: {
    nodes: [3, 6],
    trouble: 2,
    tainted: 36,
    softTaints: 92,
    tolerant: 12,
    pods: [0, 9],
    fill: 120,
    rules: 4,
    preferences: 58,
    pending: [1, 1],
    replicas: 1,
    priorities: [0],
  },
  preemption: {
    nodes: [2, 5],
    trouble: 4,
    tainted: 12,
    softTaints: 50,
    tolerant: 25,
    pods: [4, 12],
    fill: 500,
    rules: 24,
    preferences: 8,
    pending: [1, 3],
    replicas: 3,
    priorities: [500, 600, 0],
  },
  batches: {
    nodes: [2, 6],
    trouble: 4,
    tainted: 20,
    softTaints: 80,
    tolerant: 25,
    pods: [0, 6],
    fill: 150,
    rules: 20,
    preferences: 25,
    pending: [1, 3],
    replicas: 6,
    priorities: [0, 0, 100],
  },
};

const amounts = (most: number): fc.Arbitrary<Amounts> =>
  fc.record({ cpu: oneOf(0, 100, 250, most), memory: oneOf(0, 100, 300), storage: oneOf(0, 0, 0, 50) });

function spec(how: Likelihoods): fc.Arbitrary<Spec> {
  return object<Spec>({
    nodeName: sometimes(how.trouble, oneOf('n0', 'n1', 'n2')),
    nodeSelector: sometimes(how.trouble, oneOf<Labels>({ disk: 'ssd' }, { zone: 'a' }, { zone: 'a', disk: 'hdd' }, {})),
    tolerations: sometimes(how.tolerant, list(toleration, 1, 2)),
    affinity: sometimes(
      85,
      object<NonNullable<Spec['affinity']>>({
        nodeAffinity: sometimes(
          how.trouble * 2 + how.preferences,
          object({
            requiredDuringSchedulingIgnoredDuringExecution: sometimes(
              how.trouble * 3,
              fc.record({ nodeSelectorTerms: list(nodeTerm, 1, 2) }),
            ),
            preferredDuringSchedulingIgnoredDuringExecution: sometimes(
              how.preferences * 2,
              list(fc.record({ weight: oneOf(1, 20, 60, 100), preference: nodeTerm }), 1, 3),
            ),
          }),
        ),
        podAffinity: sometimes(how.rules + how.preferences, podAffinity(how.rules * 2, how.preferences * 2)),
        podAntiAffinity: sometimes(how.rules + how.preferences, podAffinity(how.rules * 2, how.preferences * 2)),
      }),
    ),
    topologySpreadConstraints: sometimes(
      how.rules + how.preferences,
      spread((100 * how.rules) / (how.rules + how.preferences)),
    ),
    ports: sometimes(Math.max(12, how.rules), ports),
    preemptionPolicy: sometimes(6, fc.constant('Never' as const)),
    resources: fc.record({ requests: amounts(how.fill) }),
  }) as fc.Arbitrary<Spec>;
}

function nodesOf(how: Likelihoods): fc.Arbitrary<Node[]> {
  const node = fc.record({
    owner: oneOf('ann', 'ann', 'cyd', 'dan'),
    runtime: mostly(100 - how.trouble).map((it) => (it ? ('node' as const) : ('browser' as const))),
    status: mostly(100 - how.trouble / 2).chain((it) =>
      it ? fc.constant('healthy' as const) : oneOf('unhealthy' as const, 'offline' as const),
    ),
    unschedulable: mostly(how.trouble),
    labels: object<Labels>({
      zone: sometimes(80, oneOf('a', 'b', 'c')),
      rack: sometimes(75, oneOf('1', '2')),
      disk: sometimes(70, oneOf('ssd', 'hdd')),
      cores: sometimes(70, oneOf('2', '4', '8')),
    }),
    hasHost: mostly(88),
    taints: list(taint(how.softTaints), 1, 2),
    isTainted: mostly(how.tainted),
    allocatable: fc.record({
      cpu: oneOf(500, 1000, 2000),
      memory: oneOf(600, 1000, 2000),
      storage: oneOf(0, 100),
      pods: oneOf(2, 4, 8, 16),
    }),
  });
  return list(node, ...how.nodes).map((nodes) =>
    nodes.map(({ hasHost, isTainted, ...it }, i) => ({
      ...it,
      name: `n${i}`,
      labels: hasHost ? { ...it.labels, host: `n${i}` } : it.labels,
      taints: isTainted
        ? it.taints.filter(
            (one, at) => !it.taints.slice(0, at).some((two) => two.key === one.key && two.effect === one.effect),
          )
        : [],
    })),
  );
}

/** A case of this kind. */
export function caseOf(kind: Kind): fc.Arbitrary<Case> {
  const how = likelihoods[kind];
  const namespace = oneOf('default', 'default', 'default', 'other');
  const there = fc.record({
    at: fc.nat(),
    namespace,
    labels: podLabels,
    priority: oneOf(0, 0, 1, 10, 10),
    isStopping: mostly(12),
    spec: spec({ ...how, trouble: 0, preferences: how.preferences / 2 }),
  });
  const template = fc.record({
    namespace,
    pack: fc.oneof(
      { weight: 100 - how.trouble * 2, arbitrary: fc.constant(packs[0] as Pack) },
      { weight: 1 + how.trouble * 2, arbitrary: oneOf(...packs, packs[1] as Pack) },
    ),
    labels: podLabels,
    priority: oneOf(...how.priorities),
    replicas: fc.integer({ min: 1, max: how.replicas }),
    spec: spec(how),
    ownKind: sometimes(how.rules / 2, topologyKey),
  });
  const parts = fc.record({
    policy: oneOf(
      'spread' as const,
      'spread' as const,
      'least_loaded' as const,
      'bin_pack' as const,
      'affinity' as const,
    ),
    nodes: nodesOf(how),
    pods: list(there, ...how.pods),
    templates: list(template, ...how.pending),
  });
  // Without fast-check's taste for small values: the likelihoods above are what a case is made by.
  return fc.noBias(parts).map(({ policy, nodes, pods, templates }) => {
    const groups = templates.map(({ replicas, ownKind, ...it }, t) =>
      Array.from({ length: replicas }, (_, i) => ({
        ...it,
        // Its own toleration makes each template a group of its own.
        spec: {
          ...nearItsKind(nameable(it.spec, it.pack, nodes), it.labels, ownKind),
          tolerations: [...(it.spec.tolerations ?? []), { key: `t${t}`, value: 'x' }],
        },
        name: `new-${t}-${i}`,
      })),
    );
    const cluster = {
      policy,
      admins: ['ann'],
      namespaces,
      nodes,
      pods: pods.map(({ at, ...it }, i) => ({
        ...it,
        name: `there-${i}`,
        pack: packs[0] as Pack,
        node: nodes[at % nodes.length]?.name as string,
        hasBegun: i % 4 === 0,
        since: i,
      })),
    };
    return { cluster, groups, pending: groups.flat() };
  });
}

/** The first of its kind is a rule of its own, which wants a pod that speaks of itself. */
function nearItsKind(of: Spec, matchLabels: Labels, topologyKey: string | undefined): Spec {
  if (topologyKey === undefined) return of;
  const podAffinity = {
    ...of.affinity?.podAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, labelSelector: { matchLabels } }],
  };
  return { ...of, affinity: { ...of.affinity, podAffinity } };
}

/** A pod is not made with the name of a node that is not there, or of another runtime. */
function nameable({ nodeName, ...spec }: Spec, pack: Pack, nodes: Node[]): Spec {
  const runtime = nodes.find(({ name }) => name === nodeName)?.runtime;
  const isMade = runtime !== undefined && (pack.runtime === 'isomorphic' || pack.runtime === runtime);
  return isMade && nodeName !== undefined ? { ...spec, nodeName } : spec;
}

// As SQL --------------------------------------------------------------------------------------------------------------

const text = (value: string) => `'${value.replaceAll("'", "''")}'`;
const json = (value: unknown) => `${text(JSON.stringify(value))}::jsonb`;
const uuid = (kind: string, number: number) => `0000000${kind}-0000-4000-8000-${String(number).padStart(12, '0')}`;

export const idOf = { ann: uuid('a', 1), cyd: uuid('a', 2), dan: uuid('a', 3) } as Record<string, string>;

/** What all cases share: users, an admin among them, packs, namespaces. */
export const worldSql = `
insert into auth.users (id, email) select id::uuid, id || '@example.com' from unnest(array[${Object.values(idOf).map(text).join()}]) id;
insert into stark.role_bindings (user_id, role) values (${text(idOf.ann as string)}, 'admin');
insert into stark.namespaces (name, labels) values ('other', '{"team": "red"}');
${packs
  .map(
    ({ name, owner, visibility, runtime }) => `
insert into stark.packs (name, owner_id, visibility) values (${text(name)}, ${text(idOf[owner] as string)}, ${text(visibility)});
insert into stark.pack_versions (pack_id, pack_name, version, runtime, size_bytes, sha256, path, state, ready_at)
  select id, name, '1.0.0', ${text(runtime)}, 1, repeat('a', 64), id || '/x.js', 'ready', now() from stark.packs where name = ${text(name)};
update stark.packs set latest_version = '1.0.0' where name = ${text(name)};`,
  )
  .join('')}`;

function podRow(pod: Pod, number: number, nodes: Node[]): string {
  const node = nodes.findIndex(({ name }) => name === pod.node);
  const since = `timestamptz '2026-01-01' + ${pod.since ?? number} * interval '1 second'`;
  const placed =
    pod.node === undefined
      ? `'pending', null, null, null, null`
      : `${text(pod.isStopping ? 'stopping' : pod.hasBegun ? 'running' : 'scheduled')}, ${text(uuid('e', node))}, ${text(pod.node)}, 1, ${since}`;
  return `(${text(uuid(pod.node === undefined ? 'd' : 'c', number))}, ${text(pod.name)}, ${text(pod.namespace)}, ${text(pod.pack.name)}, ${json(pod.labels)}, ${json(pod.spec)}, ${pod.priority}, ${since}, ${placed})`;
}

const podsSql = (rows: string[]) =>
  rows.length === 0
    ? ''
    : `insert into stark.pods (id, name, namespace, pack_id, pack_name, pack_version_id, version, labels, spec, priority, created_at, status, node_id, node_name, incarnation, started_at)
  select p.id::uuid, p.name, p.namespace, v.pack_id, v.pack_name, v.id, v.version, p.labels, p.spec, p.priority, p.created_at, p.status, p.node_id::uuid, p.node_name, p.incarnation::bigint, p.started_at::timestamptz
  from (values
    ${rows.join(',\n    ')}) as p (id, name, namespace, pack, labels, spec, priority, created_at, status, node_id, node_name, incarnation, started_at)
  join stark.pack_versions v on v.pack_name = p.pack;`;

/** The nodes of a case and the pods that run there. Triggers are off, so what the nodes have given away is worked out here. */
export function clusterSql({ cluster }: Case): string {
  const rows = cluster.nodes.map((node, i) => {
    const here = cluster.pods.filter((pod) => pod.node === node.name);
    const sum = (what: keyof Amounts) => here.reduce((all, pod) => all + pod.spec.resources.requests[what], 0);
    const allocated = { cpu: sum('cpu'), memory: sum('memory'), storage: sum('storage'), pods: here.length };
    return `(${text(uuid('e', i))}, ${text(node.name)}, ${text(idOf[node.owner] as string)}, ${text(node.runtime)}, ${text(node.status)}, ${node.unschedulable}, 1, ${json(node.labels)}, ${json(node.taints)}, ${json(node.allocatable)}, ${json(allocated)})`;
  });
  return `update stark.cluster_config set scheduling_policy = ${text(cluster.policy)} where true;
insert into stark.nodes (id, name, owner_id, runtime, status, unschedulable, incarnation, labels, taints, allocatable, allocated) values
    ${rows.join(',\n    ')};
${podsSql(cluster.pods.map((pod, i) => podRow(pod, i, cluster.nodes)))}`;
}

export function pendingSql({ cluster, pending }: Case): string {
  return podsSql(pending.map((pod, i) => podRow(pod, cluster.pods.length + i, cluster.nodes)));
}

export function explainSql(pod: Pod): string {
  const { namespace, pack, labels, priority, spec } = pod;
  return `select stark.explain_placement(${json({ pack: pack.name, namespace, labels, priority, spec })}) as told;`;
}

/** What the pass has made of the pending pods. */
export const outcomeSql = `select stark_internal.schedule_pods();
select p.name, p.node_name, n.name as nominated, p.status_message as message,
       (select coalesce(jsonb_agg(v.name order by v.name), '[]') from stark.pods v
        where v.status_reason = 'Preempted' and v.status_message = format('makes room for pod %s of priority %s', p.id, p.priority)) as victims
from stark.pods p left join stark.nodes n on n.id = p.nominated_node_id where p.name like 'new-%';`;

/** A case by itself, for psql: sign in as the admin, look, and leave nothing behind. */
export function scriptOf(one: Case): string {
  return `-- after worldSql of tests/database/scheduler-cases.ts, as supabase_admin
begin;
set local session_replication_role = replica;
select set_config('request.jwt.claims', '{"sub": "${idOf.ann}", "role": "authenticated"}', true);
${clusterSql(one)}
${one.pending.length === 1 ? explainSql(one.pending[0] as Pod) : ''}
${pendingSql(one)}
${outcomeSql}
rollback;`;
}
