import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestDatabase, type TestDatabase } from '../../scripts/db/test-database.mjs';
import { ApiSession, codeOf, connect, untilSomebodyWaits } from './sessions.js';

// What apply_objects promises of any files: applied twice they change nothing, what they state reads back, a dry run says what is done then,
// and who is refused leaves nothing behind.

type Json = Record<string, unknown>;
interface Answer extends Json {
  digest: string;
  placements: (Json & { node: string | null; pods: number })[];
  changes: { kind: string; namespace: string | null; name: string; action: string; fields: Json[] }[];
}

let database: TestDatabase;
let owner: pg.Client;
let ada: ApiSession;
let admin: string;

beforeAll(async () => {
  database = await startTestDatabase();
  owner = await connect(database);
  admin = randomUUID();
  await owner.query('insert into auth.users (id, email) values ($1, $2)', [admin, 'ada@example.com']);
  await owner.query(`insert into stark.role_bindings (user_id, role) values ($1, 'admin')`, [admin]);
  await owner.query(`insert into stark.packs (name, owner_id, visibility) values ('alpha', $1, 'public')`, [admin]);
  await owner.query(
    `insert into stark.pack_versions (pack_id, pack_name, version, runtime, size_bytes, sha256, path, state, ready_at)
     select id, name, v, 'node', 1, repeat('a', 64), id || v, 'ready', now() from stark.packs, unnest(array['1.0.0', '1.1.0']) v`,
  );
  await owner.query(
    `insert into stark.nodes (name, owner_id, runtime, status, incarnation, allocatable)
     select 'n' || i, $1, 'node', 'healthy', 1, '{"cpu": 100000, "memory": 102400, "storage": 10240, "pods": 500}' from generate_series(1, 3) i`,
    [admin],
  );
  ada = await ApiSession.open(database, admin);
});
afterAll(async () => {
  await Promise.all([ada?.close(), owner?.end()]);
  await database?.stop();
});

async function apply(
  objects: Json[],
  options: { prune?: boolean; dryRun?: boolean } = {},
  session = ada,
): Promise<Answer> {
  const [row] = await session.call(`select stark.apply_objects($1, 'shop', $2, $3) as answer`, [
    ...[JSON.stringify(objects), options.prune ?? false, options.dryRun ?? false],
  ]);
  return (row as { answer: Answer }).answer;
}

/** What an answer says, but which of pods that are alike gets which place: that is by chance. */
const word = ({ placements, ...answer }: Answer) => ({
  ...answer,
  placed: placements.flatMap(({ node: _, pods, ...one }) => Array<string>(pods).fill(JSON.stringify(one))).sort(),
});
const actions = ({ changes }: Answer) => [...new Set(changes.map(({ action }) => action))];

/** All that there is but when it was and which ids it has, so that two states can be compared. */
async function state(): Promise<unknown> {
  const { rows } = await owner.query(`select
    (select jsonb_agg(jsonb_build_array(d.namespace, d.name, stark_internal.manifest_of(d)) order by d.namespace, d.name) from stark.deployments d) as deployments,
    (select jsonb_agg(jsonb_build_array(p.namespace, p.name, p.spec, p.labels, p.version) order by p.id) from stark.pods p) as pods,
    (select jsonb_agg(jsonb_build_array(n.name, n.labels, n.quota, n.limit_range, n.phase) order by n.name) from stark.namespaces n) as namespaces,
    (select jsonb_agg(to_jsonb(c) - '{created_at,resource_version}'::text[] order by c.name) from stark.priority_classes c) as classes,
    (select jsonb_agg(to_jsonb(m) order by m.role, m.kind, m.verb, m.scope) from stark.role_permissions m) as permissions,
    (select jsonb_agg(jsonb_build_array(b.user_id, b.role, b.namespace) order by b.id) from stark.role_bindings b) as bindings,
    (select to_jsonb(c) - '{updated_at,resource_version}'::text[] from stark.cluster_config c) as settings,
    (select jsonb_agg(jsonb_build_array(a.kind, a.scope, a.name, a.project, a.stated) order by a.kind, a.scope, a.name) from stark_internal.applied_objects a) as applied,
    (select max(e.seq) from stark.events e) as events`);
  return rows[0];
}

// Files -------------------------------------------------------------------------------------------------------------------

const letter = fc.constantFrom('a', 'b', 'c');
const labels = fc.dictionary(fc.constantFrom('app', 'tier', 'zone'), letter, { maxKeys: 3 });
const some = { requiredKeys: [] };

const spec = fc.record(
  {
    env: fc.dictionary(fc.constantFrom('ONE', 'TWO'), letter, { maxKeys: 2 }),
    config: fc.dictionary(
      fc.constantFrom('x', 'y'),
      fc.oneof(letter, fc.integer({ min: 0, max: 9 }), fc.array(letter, { maxLength: 2 })),
      { maxKeys: 2 },
    ),
    resources: fc.record(
      { requests: fc.record({ cpu: fc.constantFrom(10, 20), memory: fc.constantFrom(16, 32) }, some) },
      some,
    ),
    nodeSelector: fc.constant({}),
    terminationGracePeriodSeconds: fc.constantFrom(5, 60),
    priorityClassName: fc.constantFrom('high-priority', 'low-priority'),
    ports: fc.constantFrom([{ name: 'http' }], [{ name: 'http' }, { name: 'admin' }]),
    readinessProbe: fc.constantFrom(
      { packReady: {} },
      { httpGet: { path: '/', port: 'http' } },
      { httpGet: { path: '/', port: 'http' }, periodSeconds: 3 },
    ),
    tolerations: fc.constantFrom([], [{ operator: 'Exists' }]),
  },
  some,
);
/** A probe of a port goes with that port. */
const specs = spec.map((one) => (one.readinessProbe === undefined ? one : { ports: [{ name: 'http' }], ...one }));
const deployment = fc.record(
  {
    kind: fc.constant('deployment'),
    name: fc.constantFrom('web', 'api'),
    namespace: fc.constantFrom('default', 'team-a'),
    pack: fc.constant('alpha'),
    version: fc.constantFrom('1.0.0', '1.1.0'),
    replicas: fc.integer({ min: 0, max: 3 }),
    labels,
    annotations: labels,
    template: fc.record({ labels, annotations: labels, spec: specs }, some),
    strategy: fc.constantFrom({ type: 'Recreate' }, { maxSurge: 1 }, { type: 'RollingUpdate', maxUnavailable: '50%' }),
    minReadySeconds: fc.integer({ min: 0, max: 5 }),
    autoRollback: fc.boolean(),
    paused: fc.boolean(),
    disruption: fc.constant({ maxUnavailable: 1 }),
    revisionHistoryLimit: fc.constantFrom(2, 3),
  },
  { requiredKeys: ['kind', 'name', 'namespace', 'pack'] },
);
const namespace = fc.record(
  {
    kind: fc.constant('namespace'),
    name: fc.constantFrom('team-a', 'team-b'),
    labels,
    quota: fc.record({ pods: fc.constantFrom(100, 200), cpu: fc.constantFrom(90000, 80000) }, some),
    limitRange: fc.record(
      {
        max: fc.record({ cpu: fc.constantFrom(5000, 6000), memory: fc.constant(4000) }, some),
        min: fc.constant({ cpu: 1 }),
      },
      some,
    ),
  },
  { requiredKeys: ['kind', 'name'] },
);
const others = fc.oneof(
  fc.record(
    {
      kind: fc.constant('priorityclass'),
      name: fc.constant('urgent'),
      value: fc.constant(900),
      description: letter,
      globalDefault: fc.boolean(),
    },
    { requiredKeys: ['kind', 'name', 'value'] },
  ),
  fc.record(
    {
      ...{ kind: fc.constant('role'), name: fc.constant('helper'), description: letter },
      permissions: fc.subarray(['pods:get', 'pods:update:own', 'logs:get', 'packs:get:any']),
    },
    { requiredKeys: ['kind', 'name', 'permissions'] },
  ),
  fc.record(
    {
      kind: fc.constant('rolebinding'),
      user: fc.constant('ada@example.com'),
      role: fc.constantFrom('viewer', 'user'),
      namespace: fc.constant('default'),
    },
    { requiredKeys: ['kind', 'user', 'role'] },
  ),
  fc.record(
    {
      ...{ kind: fc.constant('clusterconfig'), schedulingPolicy: fc.constantFrom('spread', 'bin_pack') },
      ...{ maxPodsPerNode: fc.integer({ min: 5, max: 7 }), allowRegistration: fc.boolean() },
    },
    { requiredKeys: ['kind'] },
  ),
);
const keyOf = ({ kind, name, namespace, role }: Json) =>
  [kind, kind === 'clusterconfig' ? '' : (name ?? role), namespace ?? ''].join('/');
/** A file: objects that have each a name of their own, and the namespaces that they are in. */
const file = fc
  .uniqueArray(
    fc.oneof(
      { arbitrary: deployment, weight: 4 },
      { arbitrary: namespace, weight: 2 },
      { arbitrary: others, weight: 3 },
    ),
    {
      selector: keyOf,
      maxLength: 7,
    },
  )
  .map((objects: Json[]): Json[] =>
    objects.some(({ kind, name }) => kind === 'namespace' && name === 'team-a')
      ? objects
      : [...objects, { kind: 'namespace', name: 'team-a' }],
  );

/** Whether everything that is stated stands in what is there; nothing and empty are the same. */
function holds(stated: unknown, present: unknown): boolean {
  if (typeof stated !== 'object' || stated === null || Array.isArray(stated))
    return JSON.stringify(stated) === JSON.stringify(present);
  return Object.entries(stated).every(([key, value]) => {
    const there = (present as Json | null | undefined)?.[key];
    return there === undefined && JSON.stringify(value) === '{}' ? key !== 'packReady' : holds(value, there);
  });
}

/** What is there of each stated object, read by other ways than apply_objects has. */
async function readBack(object: Json): Promise<unknown> {
  const one = async (text: string, values: unknown[]) =>
    Object.values((await owner.query(text, values)).rows[0] ?? {})[0];
  switch (object.kind) {
    case 'deployment':
      return one(
        `select stark_internal.manifest_of(d) || jsonb_build_object('kind', 'deployment', 'name', d.name, 'namespace', d.namespace, 'pack', d.pack_name, 'version', r.version)
         from stark.deployments d join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision where d.namespace = $1 and d.name = $2`,
        [object.namespace, object.name],
      );
    case 'namespace':
      return one(
        `select to_jsonb(n) || jsonb_build_object('kind', 'namespace', 'limitRange', n.limit_range) from stark.namespaces n where name = $1`,
        [object.name],
      );
    case 'priorityclass':
      return one(
        `select to_jsonb(c) || jsonb_build_object('kind', 'priorityclass', 'globalDefault', c.global_default) from stark.priority_classes c where name = $1`,
        [object.name],
      );
    case 'role':
      return one(
        `select to_jsonb(r) || jsonb_build_object('kind', 'role', 'permissions', to_jsonb(array(
           select concat_ws(':', m.kind, m.verb, nullif(m.scope, 'any')) from stark.role_permissions m where m.role = r.name order by 1)))
         from stark.roles r where r.name = $1`,
        [object.name],
      );
    case 'rolebinding':
      return one(
        `select jsonb_strip_nulls(jsonb_build_object('kind', 'rolebinding', 'user', u.email, 'role', b.role, 'namespace', b.namespace))
         from stark.role_bindings b join stark.profiles u on u.id = b.user_id where b.role = $1 and b.namespace is not distinct from $2`,
        [object.role, object.namespace ?? null],
      );
    default:
      return one(
        `select jsonb_build_object('kind', 'clusterconfig', 'schedulingPolicy', c.scheduling_policy, 'maxPodsPerNode', c.max_pods_per_node, 'allowRegistration', c.allow_registration) from stark.cluster_config c`,
        [],
      );
  }
}

const normal = (object: Json): Json =>
  object.kind === 'role'
    ? {
        ...object,
        permissions: [...new Set((object.permissions as string[]).map((one) => one.replace(/:any$/, '')))].sort(),
      }
    : object;

describe('files, one after the other', () => {
  it('are what is there, change nothing twice, and are foretold', async () => {
    const runs = { numRuns: Number(process.env.STARK_APPLY_RUNS ?? 12), seed: 47, endOnFailure: true };
    await fc.assert(
      fc.asyncProperty(file, async (objects) => {
        const before = await state();
        const foretold = await apply(objects, { dryRun: true });
        expect(await state()).toEqual(before);
        const done = await apply(objects);
        expect(word(done)).toEqual(word(foretold));
        for (const object of objects) {
          const present = await readBack(object);
          expect(
            holds(normal(object), present),
            `${JSON.stringify(object)} is there as ${JSON.stringify(present)}`,
          ).toBe(true);
        }
        const settled = await state();
        const again = await apply(objects);
        expect(again.changes.filter(({ action }) => action !== 'unchanged')).toEqual([]);
        expect(await state()).toEqual(settled);
      }),
      runs,
    );
  });

  it('leave nothing behind when one of them fails in the middle', async () => {
    const before = await state();
    const bad: Json[] = [
      { kind: 'deployment', name: 'late', namespace: 'default', pack: 'nowhere' },
      { kind: 'deployment', name: 'late', namespace: 'default', pack: 'alpha', version: '9.9.9' },
      { kind: 'deployment', name: 'late', namespace: 'nowhere', pack: 'alpha' },
      { kind: 'rolebinding', user: 'ada@example.com', role: 'nowhere' },
      { kind: 'clusterconfig', defaultNamespace: 'nowhere' },
      { kind: 'pod', name: 'late', namespace: 'default', pack: 'alpha', spec: { nodeName: 'nowhere' } },
    ];
    const good: Json[] = [
      { kind: 'namespace', name: 'first' },
      { kind: 'role', name: 'first', permissions: ['pods:get'] },
      { kind: 'deployment', name: 'first', namespace: 'first', pack: 'alpha' },
    ];
    for (const one of bad) {
      expect(await codeOf(apply([...good, one]))).toMatch(/_NOT_FOUND$/);
      expect(await state()).toEqual(before);
    }
  });

  it('are 500 in one call', async () => {
    const many = (count: number, make: (i: number) => Json) => Array.from({ length: count }, (_, i) => make(i));
    const objects = [
      ...many(200, (i) => ({ kind: 'namespace', name: `many-${i}`, quota: { pods: 500 } })),
      ...many(200, (i) => ({
        ...{ kind: 'deployment', name: `many-${i}`, namespace: 'many-0', pack: 'alpha' },
        ...{ replicas: i % 2, labels: { app: `a${i}` } },
      })),
      ...many(100, (i) => ({ kind: 'pod', name: `single-${i}`, namespace: 'default', pack: 'alpha' })),
    ];
    const foretold = await apply(objects, { dryRun: true });
    expect(word(await apply(objects))).toEqual(word(foretold));
    expect([actions(foretold), foretold.deferred]).toEqual([['created'], 100]);
    expect(actions(await apply(objects))).toEqual(['unchanged']);
    const more = many(201, (i) => ({ kind: 'deployment', name: `more-${i}`, namespace: 'default', pack: 'alpha' }));
    expect(await codeOf(apply(more))).toBe('LIMIT_EXCEEDED');
    // What one call leaves over is due at once.
    await owner.query('select stark_internal.reconcile_due()');
    const { rows } = await owner.query(`select count(*)::int from stark.pods where name like 'many-%'`);
    expect(rows[0]?.count).toBeGreaterThan(50);
  });
});

describe('two at once', () => {
  /** One applies while another waits for the cluster lock; gives what the other one met. */
  async function meanwhile(first: Json[], second: Json[]): Promise<string> {
    const [one, other] = [await ApiSession.open(database, admin), await ApiSession.open(database, admin)];
    try {
      await one.begin();
      await one.query(`select stark.apply_objects($1, 'shop')`, [JSON.stringify(first)]);
      const waiting = codeOf(apply(second, {}, other));
      await untilSomebodyWaits(owner);
      await one.commit();
      return await waiting;
    } finally {
      await Promise.all([one.close(), other.close()]);
    }
  }
  const both = (fields: Json) => [{ kind: 'deployment', name: 'both', namespace: 'default', pack: 'alpha', ...fields }];

  it('one wins, and the other says so', async () => {
    expect(await meanwhile(both({ minReadySeconds: 1 }), both({ minReadySeconds: 2 }))).toBe('CONFLICT');
    expect(await meanwhile(both({ minReadySeconds: 3 }), both({ minReadySeconds: 4 }))).toBe('CONFLICT');
    const { rows } = await owner.query(`select min_ready_seconds from stark.deployments where name = 'both'`);
    expect(rows).toEqual([{ min_ready_seconds: 3 }]);
  });

  it('that say the same, or are about other objects, are no conflict', async () => {
    expect(await meanwhile(both({ minReadySeconds: 5 }), both({ minReadySeconds: 5 }))).toBe('ok');
    expect(await meanwhile(both({ minReadySeconds: 6 }), [{ kind: 'namespace', name: 'beside' }])).toBe('ok');
  });
});
