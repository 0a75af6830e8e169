import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestDatabase, type TestDatabase } from '../../scripts/db/test-database.mjs';
import { connect } from './sessions.js';

let database: TestDatabase;
let owner: pg.Client;
let version: string;
const user = randomUUID();

beforeAll(async () => {
  database = await startTestDatabase();
  owner = await connect(database);
  await owner.query('insert into auth.users (id, email) values ($1, $2)', [user, 'ada@example.com']);
  await owner.query(`insert into stark.packs (name, owner_id, visibility) values ('alpha', $1, 'public')`, [user]);
  const { rows } = await owner.query<{ id: string }>(
    `insert into stark.pack_versions (pack_id, pack_name, version, runtime, size_bytes, sha256, path, state, ready_at)
     select id, name, '1.0.0', 'node', 1, repeat('a', 64), id || '/x.js', 'ready', now() from stark.packs returning id`,
  );
  version = rows[0]?.id ?? '';
});

afterAll(async () => {
  await owner?.end();
  await database?.stop();
});

afterEach(async () => {
  await owner.query('delete from stark.pods; delete from stark.nodes');
});

/** A generator of numbers below a bound; the same seed gives the same numbers. */
function chance(seed: number): (bound: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

async function makeNodes(random: (bound: number) => number, count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    await owner.query(
      `insert into stark.nodes (name, owner_id, runtime, status, unschedulable, incarnation, labels, taints, allocatable)
       values ($1, $2, 'node', $3, $4, 1, $5, $6, $7)`,
      [
        `n${i}`,
        user,
        random(8) === 0 ? 'offline' : 'healthy',
        random(8) === 0,
        { zone: `z${random(3)}`, host: `n${i}` },
        JSON.stringify(random(4) === 0 ? [{ key: 'gpu', effect: 'NoSchedule' }] : []),
        { cpu: 500 + random(1_500), memory: 500 + random(1_500), storage: 0, pods: 2 + random(8) },
      ],
    );
}

/** Pods of wave 0 have any priority up to 200, those of a later one more than all before. */
async function makePods(random: (bound: number) => number, count: number, wave = 0): Promise<void> {
  for (let i = 0; i < count; i++) {
    const app = `a${random(3)}`;
    const term = { topologyKey: 'host', labelSelector: { matchLabels: { app } } };
    const spec = {
      resources: { requests: { cpu: random(400), memory: random(400) } },
      ...(random(3) === 0 ? { tolerations: [{ operator: 'Exists' }] } : {}),
      ...(random(4) === 0 ? { nodeSelector: { zone: `z${random(4)}` } } : {}),
      ...(random(5) === 0
        ? { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }
        : {}),
      ...(wave > 0 && random(4) === 0
        ? {
            topologySpreadConstraints: [
              { ...term, topologyKey: 'zone', maxSkew: 2, whenUnsatisfiable: 'DoNotSchedule' },
            ],
          }
        : {}),
    };
    await owner.query(
      `insert into stark.pods (id, name, namespace, pack_id, pack_name, pack_version_id, version, labels, spec, priority, created_by, created_at)
       select $5, $1, 'default', pack_id, pack_name, id, version, $2, $3, $4, $6, timestamptz '2030-01-01' + $7 * interval '1 second'
       from stark.pack_versions where id = $8`,
      [
        `p${wave}-${i}`,
        { app },
        spec,
        random(3) * 100 + wave * 300,
        `0000000${wave}-0000-4000-8000-${String(i).padStart(12, '0')}`,
        user,
        i,
        version,
      ],
    );
  }
}

/** SQL of pods of the highest priority, of the owner of all nodes, that ask for this much and have no other wish. */
const GROUP = (cpu: string, memory: string, storage: string) =>
  `row(1000, 'node', 'public', null, '{"owner": "${user}"}', null, null, true, ${cpu}, ${memory}, ${storage})::stark_internal.pod_group`;

/** A pass, and those that continue what it has left. */
async function schedule(): Promise<void> {
  await owner.query('select stark_internal.schedule_pods()');
  while ((await owner.query<{ more: boolean }>('select stark_internal.continue_work() as more')).rows[0]?.more);
}

async function rowsOf(text: string): Promise<unknown[]> {
  return (await owner.query(text)).rows;
}

const besideWhomItAvoids = `
  select a.name, b.name from stark.pods a join stark.pods b on b.node_id = a.node_id and b.id <> a.id
  where a.spec #> '{affinity,podAntiAffinity}' is not null and a.labels ->> 'app' = b.labels ->> 'app'
    and stark_internal.occupies(a.status) and stark_internal.occupies(b.status)`;

const overcommitted = `
  select n.name from stark.nodes n join stark.pods p on p.node_id = n.id and stark_internal.occupies(p.status)
  group by n.id having sum(p.cpu_request) > (n.allocatable ->> 'cpu')::int
    or sum(p.memory_request) > (n.allocatable ->> 'memory')::int or count(*) > (n.allocatable ->> 'pods')::int`;

describe.each(['spread', 'bin_pack', 'least_loaded', 'random', 'affinity'])(
  'policy %s on random clusters',
  (policy) => {
    it.each([1, 2, 3])('seed %i', async (seed) => {
      await owner.query('update stark.cluster_config set scheduling_policy = $1, scheduling_seed = $2', [policy, seed]);
      const build = async () => {
        const random = chance(seed);
        await owner.query('delete from stark.pods; delete from stark.nodes');
        // Whose turn it is depends on what earlier passes have left.
        await owner.query('update stark_internal.pass_state set last_group = null');
        await makeNodes(random, 8);
        await makePods(random, 40);
        await schedule();
        return rowsOf('select name, status, node_name, status_message from stark.pods order by name');
      };
      const first = await build();

      // No node over its allocatable.
      expect(await rowsOf(overcommitted)).toEqual([]);
      // What a node says is taken is what its pods have asked for.
      expect(
        await rowsOf(`select n.name from stark.nodes n left join stark.pods p on p.node_id = n.id and stark_internal.occupies(p.status)
        group by n.id having coalesce(sum(p.cpu_request), 0) <> (n.allocated ->> 'cpu')::int or count(p.id) <> (n.allocated ->> 'pods')::int`),
      ).toEqual([]);
      // No pod on a node that a filter rejects.
      expect(
        await rowsOf(`select p.name, n.name from stark.pods p join stark.nodes n on n.id = p.node_id
        where n.status <> 'healthy'
           or (n.unschedulable and not stark_internal.tolerates(p.spec -> 'tolerations', '{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}'))
           or not n.labels @> coalesce(p.spec -> 'nodeSelector', '{}')
           or exists (select from jsonb_array_elements(n.taints) t where not stark_internal.tolerates(p.spec -> 'tolerations', t))`),
      ).toEqual([]);
      // Nobody beside a pod that keeps away from it.
      expect(await rowsOf(besideWhomItAvoids)).toEqual([]);
      // No pending pod without a reason.
      expect(
        await rowsOf(
          `select name from stark.pods where status = 'pending' and (status_reason is null or status_message !~ '^0/8 nodes: |^waits for room')`,
        ),
      ).toEqual([]);
      // No pod waits that a node would take.
      expect(await rowsOf('select stark_internal.schedule_pods() as placed')).toEqual([{ placed: 0 }]);
      // The same input gives the same output.
      expect(await build()).toEqual(first);
      expect(first.length).toBe(40);
    });
  },
);

describe('preemption on random clusters', () => {
  it.each([1, 2, 3])('pushes nobody out in vain, seed %i', async (seed) => {
    await owner.query(`update stark.cluster_config set scheduling_policy = 'spread'`);
    const random = chance(seed);
    await makeNodes(random, 8);
    await makePods(random, 60);
    await schedule();
    // A pod that has not begun would end at once.
    await owner.query(`update stark.pods set status = 'running' where status = 'scheduled'`);
    await makePods(random, 12, 1);
    await schedule();
    await owner.query(
      `create temporary table promises as select id, name, nominated_node_id as node_id from stark.pods where nominated_node_id is not null`,
    );
    try {
      expect(await rowsOf(`select from stark.pods where status = 'stopping'`)).not.toEqual([]);
      // Each leaves a node that was promised to a pod of higher priority.
      expect(
        await rowsOf(`select v.name from stark.pods v where v.status = 'stopping'
          and not exists (select from stark.pods w where w.nominated_node_id = v.node_id and w.priority > v.priority)`),
      ).toEqual([]);
      await owner.query(`update stark.pods set status = 'stopped', finished_at = now() where status = 'stopping'`);
      // A pod that was promised a place has it, and no other pod is evicted for it. Topology spread promises less: where all
      // pods of a domain leave, the emptiest domain is another.
      expect(
        await rowsOf(`select p.name, p.status_message from promises r join stark.pods p using (id)
          where p.node_id is distinct from r.node_id and not p.spec ? 'topologySpreadConstraints'`),
      ).toEqual([]);
      expect(
        await rowsOf(`select p.name from stark.pods p join promises r on p.status_message like 'makes room for pod ' || r.id || ' %'
          where p.status = 'stopping' and r.name not in (select w.name from stark.pods w where w.spec ? 'topologySpreadConstraints')`),
      ).toEqual([]);
      expect(await rowsOf(overcommitted)).toEqual([]);
      expect(await rowsOf(besideWhomItAvoids)).toEqual([]);
    } finally {
      await owner.query('drop table promises');
    }
  });

  // Pods that ask for different amounts share one look at the nodes, as far as the look says that its answers hold.
  it.each([4, 5, 6])(
    'would push out the same pods for each request up to the bounds it gives, seed %i',
    async (seed) => {
      const random = chance(seed);
      await makeNodes(random, 8);
      await makePods(random, 60);
      await schedule();
      await owner.query('begin');
      try {
        await owner.query('select stark_internal.lock_cluster()');
        for (const step of ['open_tables', 'load_nodes', 'load_pods', 'unify_templates', 'load_rules'])
          await owner.query(`select stark_internal.${step}()`);
        const requests = Array.from({ length: 40 }, () => [
          random(3) && random(4000),
          random(3) && random(4000),
          random(3) && random(300),
        ]);
        const [row] = (await rowsOf(`
        with asked as (
          select ${GROUP('u.cpu', 'u.memory', 'u.storage')} as pods from (values ${requests.map((r) => `(${r.join()})`).join()}) u (cpu, memory, storage)
        ), answers as materialized (
          select v.* from asked a, stark_internal.choose_victims(a.pods, (select array_agg(node_no) from pg_temp.pass_nodes)) v
        ), corners as (
          select a.node_no, a.victims, c.request
          from answers a, lateral (values (a.least_request), (a.most_request), (array[a.least_request[1], a.most_request[2], a.least_request[3]])) c (request)
        )
        select count(*)::int as compared, count(*) filter (where c.victims is null)::int as in_vain, count(*) filter (where c.victims <> '{}')::int as of_use,
               count(*) filter (where c.victims is distinct from v.victims)::int as different
        from corners c left join lateral stark_internal.choose_victims(${GROUP('c.request[1]', 'c.request[2]', 'c.request[3]')}, array[c.node_no]) v on true`)) as Array<
          Record<string, number>
        >;
        expect(row).toMatchObject({ different: 0 });
        expect(Math.min(row?.compared ?? 0, row?.in_vain ?? 0, row?.of_use ?? 0)).toBeGreaterThan(20);
      } finally {
        await owner.query('rollback');
      }
    },
  );

  it.each([3, 7, 12, 16])('serves pods together as it would one by one, seed %i', async (seed) => {
    const random = chance(seed);
    await makeNodes(() => 1, 8);
    // Nodes alike, as good as each other at first.
    const kinds = Array.from({ length: 3 }, (_, i) => `(${i}, ${100 + random(200)}, ${random(3) * 10})`);
    await owner.query(`update stark.nodes set allocatable = '{"cpu": 600, "memory": 1000, "storage": 0, "pods": 9}'`);
    await owner.query(
      `insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, spec, priority, created_by, status, node_id, node_name, incarnation)
       select 'low-' || k.i || n.name, 'default', v.pack_id, v.pack_name, v.id, v.version, jsonb_build_object('resources', jsonb_build_object('requests', jsonb_build_object('cpu', k.cpu))),
              k.priority, $1, 'running', n.id, n.name, 1
       from stark.pack_versions v, stark.nodes n, (values ${kinds.join()}) k (i, cpu, priority)`,
      [user],
    );
    const most = 150 + random(200);
    const asked = Array.from({ length: 12 }, (_, i) => ({
      id: `00000009-0000-4000-8000-${String(i).padStart(12, '0')}`,
      cpu: most - random(100),
      memory: random(100),
    }));
    await owner.query('begin');
    try {
      await owner.query('select stark_internal.lock_cluster()');
      for (const step of ['open_tables', 'load_nodes', 'load_pods', 'load_rules'])
        await owner.query(`select stark_internal.${step}()`);
      const preempt = (pods: typeof asked) =>
        owner.query(
          `select stark_internal.preempt(${GROUP('0', '0', '0')}, array(
             select (u.id, u.cpu, u.memory, 0)::stark_internal.pod_request from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as u (id, cpu, memory)))`,
          [pods.map(({ id }) => id), pods.map(({ cpu }) => cpu), pods.map(({ memory }) => memory)],
        );
      const promises = () =>
        rowsOf(`select m.pod_id, (select max(p.priority) from stark.pods p where p.id = any (m.victims)) as highest
          from pg_temp.pass_nominations m order by m.pod_id`);
      await owner.query('savepoint before');
      for (const pod of asked) await preempt([pod]);
      const oneByOne = await promises();
      await owner.query('rollback to savepoint before');
      await preempt(asked);
      expect(await promises()).toEqual(oneByOne);
      expect(oneByOne.length).toBeGreaterThan(2);
    } finally {
      await owner.query('rollback');
    }
  });

  it('looks on where a tenth of the nodes is of no use', async () => {
    await makeNodes(() => 1, 130);
    await owner.query(
      `update stark.nodes set allocatable = '{"cpu": 1000, "memory": 1000, "storage": 1000, "pods": 10}'`,
    );
    await owner.query(`select stark.create_pods(part) from (
      select jsonb_agg(jsonb_build_object('pack', 'alpha', 'name', 'low-' || i, 'priority', case when i <= 3 then 1 else 900 end,
        'spec', jsonb_build_object('nodeName', n.name, 'resources', '{"requests": {"cpu": 900, "memory": 0}}'::jsonb))) as part
      from (select name, row_number() over (order by name desc) as i from stark.nodes) n group by i / 50) p`);
    await schedule();
    await owner.query(`update stark.pods set status = 'running' where status = 'scheduled'`);
    await owner.query(`select stark.create_pods((select jsonb_agg(jsonb_build_object('pack', 'alpha', 'name', 'high-' || i, 'priority', 500,
      'spec', jsonb_build_object('resources', jsonb_build_object('requests', jsonb_build_object('cpu', 800 + i, 'memory', 0)))))
      from generate_series(1, 5) i))`);
    expect(
      await rowsOf(
        `select coalesce(p.node_name, p.status_reason) as reason, count(*)::int from stark.pods p where p.name like 'high-%' group by 1 order by 1`,
      ),
    ).toEqual([
      { reason: 'Nominated', count: 3 },
      { reason: 'Unschedulable', count: 2 },
    ]);
    expect(await rowsOf(`select name from stark.pods where status = 'stopping' order by name`)).toEqual([
      { name: 'low-1' },
      { name: 'low-2' },
      { name: 'low-3' },
    ]);
  });
});

describe('sessions at once', () => {
  it('never overcommit a node and never deadlock', async () => {
    await owner.query(`update stark.cluster_config set scheduling_policy = 'spread'`);
    await makeNodes(() => 1, 3);
    const sessions = await Promise.all(Array.from({ length: 4 }, () => connect(database)));
    try {
      await Promise.all(
        sessions.map(async (session, s) => {
          for (let round = 0; round < 6; round++) {
            await session.query(
              `insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, spec, priority, created_by)
               select 's' || $1 || '-' || $2 || '-' || i, 'default', pack_id, pack_name, id, version,
                      '{"resources": {"requests": {"cpu": 150, "memory": 1}}}', 100 * ($1::int % 2), $3
               from stark.pack_versions, generate_series(1, 3) i`,
              [s, round, user],
            );
            await session.query('select stark_internal.schedule_pods()');
            await session.query(
              `update stark.pods set status = 'stopped', finished_at = now() where status = 'stopping' and name like 's' || $1 || '-%'`,
              [s],
            );
          }
        }),
      );
    } finally {
      await Promise.all(sessions.map((session) => session.end()));
    }
    expect(await rowsOf(overcommitted)).toEqual([]);
    expect(await rowsOf(`select count(*)::int as pods from stark.pods where status = 'scheduled'`)).not.toEqual([
      { pods: 0 },
    ]);
    expect(await rowsOf('select count(*)::int as pods from stark.pods')).toEqual([{ pods: 72 }]);
  });
});
