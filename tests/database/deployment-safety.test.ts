import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareTap } from '../../scripts/db/tap.mjs';
import { startTestDatabase, type TestDatabase } from '../../scripts/db/test-database.mjs';
import { agentsWork, histories, on, play, recovery, report, type Step, time, update } from './deployment-histories.js';
import { connect } from './sessions.js';

/**
 * Which histories are played. `npm test` plays the same few each time, so that it fails for what was changed; a long night takes
 * others, and more of them: STARK_TEST_HISTORIES=2000.
 */
const nightly = process.env.STARK_TEST_HISTORIES;
const PLAYED = nightly === undefined ? { numRuns: 6, seed: 14 } : { numRuns: Number(nightly) };

let database: TestDatabase;
let owner: pg.Client;

/** What the controller does is looked at when it does it: each of its writes is followed by a look at what it has left. */
const watcher = `
  create table tests.violations (property text, what text);
  create function tests.watch_stops() returns trigger language plpgsql as $f$
  begin
    if coalesce(current_setting('stark.reconciling', true), '') = 'yes' then
      insert into tests.violations
        select 'the controller never takes what is available below the budget', format('%s are left of %s', sum(s.available), max(t.replicas))
        from stark_internal.rollout_terms t
        join lateral stark_internal.count_revisions(array[t.deployment_id], stark_internal.controller_time()) s on true
        join stark.deployments d on d.id = t.deployment_id
        where d.deletion_requested_at is null and exists (
          select from old_rows o join new_rows n using (id)
          where o.deployment_id = t.deployment_id and o.status = 'running' and n.status = 'stopping'
            and o.ready_at <= stark_internal.controller_time() - d.min_ready_seconds * interval '1 second'
            and exists (select from stark.nodes x where x.id = o.node_id and x.status = 'healthy')
            and n.status_reason is distinct from 'NodeDrained'
            -- A node that no longer fits costs no budget.
            and (d.mode <> 'daemon' or exists (select from stark_internal.daemon_nodes f where f.deployment_id = d.id and f.node_id = coalesce(o.pinned_node_id, o.node_id))))
        group by t.deployment_id, t.least having sum(s.available) < t.least;
      insert into tests.violations
        select 'a drain never takes what is available below the budget', format('%s are left of %s, %s may be missing', sum(s.available), max(t.replicas), min(d.disruption_max_unavailable #>> '{}'))
        from stark.deployments d
        join stark_internal.rollout_terms t on t.deployment_id = d.id
        join lateral stark_internal.count_revisions(array[d.id], stark_internal.controller_time()) s on true
        where d.disruption_max_unavailable is not null and d.mode = 'replicated' and exists (
          select from old_rows o join new_rows n using (id)
          where o.deployment_id = d.id and o.status = 'running' and n.status = 'stopping' and n.status_reason = 'NodeDrained'
            and o.ready_at <= stark_internal.controller_time() - d.min_ready_seconds * interval '1 second'
            and exists (select from stark.nodes x where x.id = o.node_id and x.status = 'healthy'))
        group by d.id, t.replicas having sum(s.available) < t.replicas - stark_internal.amount_of(d.disruption_max_unavailable, t.replicas, true);
      insert into tests.violations
        select 'what is paused, or without rights, is left alone', format('%s was stopped', n.name)
        from old_rows o join new_rows n using (id) join stark_internal.rollout_terms t on t.deployment_id = n.deployment_id join stark.deployments d on d.id = n.deployment_id
        where o.status <> n.status and n.status in ('stopping', 'stopped') and d.deletion_requested_at is null and (t.is_frozen or t.may_not is not null)
          -- A drain takes its pods all the same, within the budget.
          and n.status_reason is distinct from 'NodeDrained';
    end if;
    return null;
  end $f$;
  create trigger watch_stops after update on stark.pods referencing old table as old_rows new table as new_rows for each statement execute function tests.watch_stops();
  create function tests.watch_starts() returns trigger language plpgsql as $f$
  begin
    insert into tests.violations
      select 'there are never more than replicas and surge', format('%s of %s and %s', sum(s.live), t.replicas, t.surge)
      from stark_internal.rollout_terms t join lateral stark_internal.count_revisions(array[t.deployment_id], stark_internal.controller_time()) s on true
      join stark.deployments d on d.id = t.deployment_id
      where t.deployment_id in (select n.deployment_id from new_rows n) and not t.is_way_back and not t.is_daemon
      -- One for each pod that a budget holds on a node that is drained, as many at a time as it lets go.
      group by t.deployment_id, t.replicas, t.surge, d.disruption_max_unavailable having sum(s.live) > t.replicas + t.surge
        + least(stark_internal.leaving_pods(t.deployment_id), greatest(1, coalesce(stark_internal.amount_of(d.disruption_max_unavailable, t.replicas, true), 0)));
    insert into tests.violations
      select 'daemon mode has one pod on a node', format('%s on %s', count(*), min(x.name))
      from stark.pods p join stark.nodes x on x.id = coalesce(p.pinned_node_id, p.node_id) join stark_internal.rollout_terms t using (deployment_id)
      where t.is_daemon and p.finished_at is null and exists (select from new_rows n where n.deployment_id = p.deployment_id and n.pinned_node_id = x.id)
      group by p.deployment_id, x.id having count(*) > 1;
    insert into tests.violations
      select 'daemon mode starts pods on nodes that fit, and nowhere else', n.name
      from new_rows n join stark_internal.rollout_terms t using (deployment_id)
      where t.is_daemon <> (n.pinned_node_id is not null) or (t.is_daemon and not exists (
        select from stark_internal.daemon_nodes f where f.deployment_id = n.deployment_id and f.node_id = n.pinned_node_id));
    insert into tests.violations
      select 'no pod of a failed or superseded revision is started', format('%s of revision %s', n.name, n.revision)
      from new_rows n join stark.deployment_revisions r using (deployment_id, revision) join stark_internal.rollout_terms t using (deployment_id)
      where r.template_hash <> coalesce(t.target_hash, '') and not (r.template_hash = t.stable_hash and t.newest_hash <> t.stable_hash);
    insert into tests.violations
      select 'what is paused, or without rights, is left alone', format('%s was made', n.name)
      from new_rows n join stark_internal.rollout_terms t using (deployment_id) where t.is_frozen or t.may_not is not null;
    return null;
  end $f$;
  create trigger watch_starts after insert on stark.pods referencing new table as new_rows for each statement execute function tests.watch_starts();
  create function tests.watch_holds() returns trigger language plpgsql as $f$
  begin
    insert into tests.violations
      select 'a paused rollout moves nothing', format('revision %s: %s, before %s', n.revision, n.wanted, o.wanted)
      from old_rows o join new_rows n using (deployment_id, revision) join stark_internal.rollout_terms t using (deployment_id)
      where o.wanted <> n.wanted and t.is_held and t.before = t.replicas and coalesce(current_setting('stark.reconciling', true), '') = 'yes'
        -- What may not be started any more is not held for it.
        and n.wanted > o.wanted and t.replicas > 0 and not t.is_daemon and exists (select from stark.deployment_revisions x where x.deployment_id = n.deployment_id and x.template_hash <> n.template_hash and x.wanted > 0);
    return null;
  end $f$;
  create trigger watch_holds after update on stark.deployment_revisions referencing old table as old_rows new table as new_rows for each statement execute function tests.watch_holds();
  grant usage on schema tests to public;`;

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareTap(database.url());
  owner = await connect(database);
  await owner.query(watcher);
  await owner.query(`select tests.add_user('uma', 'user')`);
  for (const version of ['1.0.0', '1.1.0', '1.2.0', '1.3.0'])
    await owner.query(`select tests.add_pack('alpha', 'uma', 'public', p_version => $1)`, [version]);
  for (const node of ['n1', 'n2', 'n3'])
    await owner.query(
      `select tests.add_node($1, 'uma', p_allocatable => '{"cpu": 100000, "memory": 100000, "storage": 1000, "pods": 100}')`,
      [node],
    );
});

afterAll(async () => {
  await owner?.end();
  await database?.stop();
});

async function rowsOf<T>(text: string): Promise<T[]> {
  return (await owner.query(text)).rows as T[];
}

const create: Step = {
  seconds: 0,
  what: 'created',
  sql: `select stark.create_deployment('{"name": "web", "pack": "alpha", "version": "1.0.0", "replicas": 3}')`,
  wish: true,
};
const working = (rounds: number): Step[] =>
  Array.from({ length: rounds }, () =>
    agentsWork.map((step, i): Step => ({ ...step, seconds: i === 0 ? 11 : 0 })),
  ).flat();

/** Everything that reconciling again must leave as it is. */
const state = `
  select jsonb_build_object(
    'pods', (select jsonb_agg(jsonb_build_array(p.id, p.status, p.revision, p.deletion_requested_at is null) order by p.id) from stark.pods p),
    'revisions', (select jsonb_agg(jsonb_build_array(r.revision, r.status, r.wanted, r.current_replicas, r.ready_replicas, r.available_replicas) order by r.revision) from stark.deployment_revisions r),
    'deployments', (select jsonb_agg(to_jsonb(d) - array['reconciled_at', 'next_reconcile_at', 'resource_version', 'updated_at', 'conditions'] order by d.id) from stark.deployments d)) as state`;

/** What stored counts must be, and are not. */
const miscounted = `
  select format('revision %s: %s %s %s, stored %s %s %s', s.revision, s.live, s.ready, s.available, r.current_replicas, r.ready_replicas, r.available_replicas) as wrong
  from stark.deployments d
  join lateral stark_internal.recount_revisions(array[d.id], d.reconciled_at) s on true
  join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = s.revision
  where (s.live, s.ready, s.available) is distinct from (r.current_replicas, r.ready_replicas, r.available_replicas)
  union all
  select format('deployment: %s %s, stored %s %s', sum(s.live), sum(s.available), d.current_replicas, d.available_replicas)
  from stark.deployments d join lateral stark_internal.recount_revisions(array[d.id], d.reconciled_at) s on true
  group by d.id having (sum(s.live), sum(s.available)) is distinct from (d.current_replicas::bigint, d.available_replicas::bigint)
  union all
  select format('revision %s: stored %s %s %s, and revision %s has its template now', r.revision, r.current_replicas, r.ready_replicas, r.available_replicas, n.revision)
  from stark.deployment_revisions r
  join stark.deployment_revisions n on n.deployment_id = r.deployment_id and n.template_hash = r.template_hash and n.revision > r.revision
  where r.current_replicas + r.ready_replicas + r.available_replicas > 0`;

/** What the autoscaler's last answer must not be. It is asked where it could act, and has looked since anything of it was changed. */
const misscaled = `
  select case
      when r.value is not null then format('a number above 0 wakes what sleeps: load is %s', r.value)
      else format('an autoscaler keeps its bounds: %s, from %s to %s', a.wanted, a.min_replicas, a.max_replicas) end as wrong
  from stark.autoscalers a
  join stark.deployments d on d.id = a.deployment_id
  left join stark.reported_metrics r on r.namespace = a.namespace and r.value > 0 and r.expires_at > stark_internal.controller_time() and a.scaled_to_zero and d.replicas = 0
  where a.next_look_at > stark_internal.controller_time()
    and a.reason not in ('DeploymentPaused', 'Forbidden', 'OwnerGone', 'ScalingDisabled', 'QuotaExceeded')
    and (r.value is not null or a.wanted > a.max_replicas or a.wanted < a.min_replicas)
  union all
  select format('only counted pods are autoscaled, and each that is has a row: %s', d.mode)
  from stark.deployments d left join stark.autoscalers a on a.deployment_id = d.id
  where (d.autoscale is not null) <> (a.deployment_id is not null) or (d.autoscale is not null and d.mode <> 'replicated')`;

async function problems(): Promise<string[]> {
  const found = (await rowsOf<{ property: string; what: string }>('select * from tests.violations')).map(
    ({ property, what }) => `${property}: ${what}`,
  );
  const errors = await rowsOf<{ message: string }>(
    `select status_message as message from stark.deployments where status_reason = 'ReconcileError'`,
  );
  found.push(...errors.map(({ message }) => `the controller meets no error: ${message}`));
  const silent = await rowsOf<{ status: string }>(
    `select d.status from stark.deployments d left join stark.deployment_reasons e on e.reason = d.status_reason
     where d.status <> 'complete' and (e.reason is null or d.status_message is null) or e.status <> d.status`,
  );
  found.push(...silent.map(({ status }) => `every deployment that is not complete says why: ${status}`));
  const counts = await rowsOf<{ wrong: string }>(miscounted);
  found.push(...counts.map(({ wrong }) => `stored counts equal the view's: ${wrong}`));
  found.push(...(await rowsOf<{ wrong: string }>(misscaled)).map(({ wrong }) => wrong));
  const before = await rowsOf<{ state: object }>(state);
  await owner.query(
    'select stark_internal.reconcile_deployments(array[d.id], d.reconciled_at) from stark.deployments d',
  );
  const after = await rowsOf<{ state: object }>(state);
  if (JSON.stringify(before) !== JSON.stringify(after))
    found.push(`reconciling twice changes nothing: ${JSON.stringify(before)}\nthen ${JSON.stringify(after)}`);
  return found;
}

/** An end is complete, failed, or one that waits for what nobody has done in this world. */
async function unended(): Promise<string[]> {
  const rows = await rowsOf<{ said: string }>(
    `select format('%s %s: %s', d.status, d.status_reason, d.status_message) as said from stark.deployments d
     where d.status not in ('complete', 'failed') and d.status_reason not in ('CanaryPause', 'VersionWithdrawn', 'Unschedulable')`,
  );
  return rows.map(({ said }) => `every history ends: ${said}`);
}

function playToItsEnd(history: readonly Step[]): Promise<void> {
  const steps = [
    create,
    ...working(1),
    ...history,
    ...recovery.map((step): Step => ({ ...step, seconds: 1 })),
    ...working(40),
  ];
  const check = async () => [...(await problems()), ...(await unended())];
  return play(owner, steps, check, { rounds: working(6), isOver: async () => (await unended()).length === 0 });
}

describe('on random histories', () => {
  it('the named properties hold at every step', async () => {
    await fc.assert(
      fc.asyncProperty(histories, (history) => play(owner, [create, ...working(1), ...history], problems)),
      { ...PLAYED, endOnFailure: false },
    );
  }, 300_000);

  it('after the faults stop, each ends complete, failed, or waiting for a thing it names', async () => {
    await fc.assert(fc.asyncProperty(histories, playToItsEnd), { ...PLAYED, endOnFailure: false });
  }, 300_000);
});

// Random histories found each of these once.
describe('on a history', () => {
  it.each<[string, Step[]]>([
    [
      'in which a rollout is scaled down in its middle, by more than the budget lets go at once',
      [
        { ...update({ followLatest: '~1.1' }), seconds: 61 },
        { ...on('scale_deployment', ', 2'), seconds: 0 },
        { ...on('scale_deployment', ', 0'), seconds: 3 },
      ],
    ],
    [
      'at whose end a bad version is tried once more',
      [
        {
          ...update({ strategy: { type: 'RollingUpdate', maxSurge: '50%', maxUnavailable: '50%' } }),
          seconds: 10,
        },
        { ...update({ followLatest: true }), seconds: 0 },
      ],
    ],
    [
      'that sleeps for want of work, and is woken',
      [
        {
          ...update({ autoscale: { min: 0, max: 3, metrics: [{ name: 'load', target: 10 }], idleSeconds: 20 } }),
          seconds: 1,
        },
        { ...report(0), seconds: 1 },
        // Down to one when the window is over, and then to none.
        ...Array.from({ length: 24 }, () => ({ ...time, seconds: 16 })),
        { ...report(25), seconds: 1 },
        ...working(1),
        { ...update({ autoscale: null }), seconds: 0 },
      ],
    ],
  ])('%s the properties hold, and it ends', async (_what, history) => {
    await play(owner, [create, ...working(1), ...history], problems);
    await playToItsEnd(history);
  });
});

it('two reconcilers at once never make a pod too many', async () => {
  const sessions = await Promise.all(Array.from({ length: 4 }, () => connect(database)));
  const as = `select set_config('request.jwt.claims', json_build_object('sub', tests.uid('uma'), 'role', 'authenticated')::text, false)`;
  await owner.query(as);
  await owner.query(
    `select stark.create_deployment('{"name": "busy", "pack": "alpha", "version": "1.0.0", "replicas": 3}')`,
  );
  try {
    for (let round = 0; round < 5; round++) {
      await owner.query(`select stark.scale_deployment('default', 'busy', $1)`, [3 + (round % 3)]);
      await Promise.all(
        sessions.map((session, i) =>
          session.query(
            i === 0
              ? `update stark.pods set status = 'evicted', ready = false, finished_at = now() where id = (select id from stark.pods where deployment_id is not null and finished_at is null limit 1)`
              : `do $$ begin update stark.deployments set next_reconcile_at = reconciled_at where true; perform stark_internal.reconcile_due(); end $$`,
          ),
        ),
      );
      const [counted] = await rowsOf<{ wanted: number; live: number }>(
        `select d.replicas as wanted, (select count(*)::integer from stark.pods p where p.deployment_id = d.id and p.status not in ('stopping') and p.finished_at is null) as live from stark.deployments d`,
      );
      expect(counted?.live).toBe(counted?.wanted);
    }
  } finally {
    await owner.query(`select stark.delete_deployment('default', 'busy', 'background', true)`);
    await owner.query(`select set_config('request.jwt.claims', '', false)`);
    await Promise.all(sessions.map((session) => session.end()));
  }
});

/** A call that found the cluster busy did nothing, and is made again, as clients do. */
async function patiently(session: pg.Client, sql: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await session.query(sql);
      return;
    } catch (error) {
      if (attempt === 8 || !(error as Error).message.includes('CLUSTER_BUSY')) throw error;
    }
  }
}

it('two drains, reconcilers and a quota that refuses, all at once, keep the budget', async () => {
  const sessions = await Promise.all(Array.from({ length: 4 }, () => connect(database)));
  const asUma = `select set_config('request.jwt.claims', json_build_object('sub', tests.uid('uma'), 'role', 'authenticated')::text, false)`;
  const available = async () =>
    (await rowsOf<{ pods: number }>(`select available_replicas as pods from stark.deployments where name = 'busy'`))[0];
  const agentsReport = async () => {
    await owner.query(`select tests.report_managed('{scheduled,transferring,starting}', 'running', '{"ready": true}')`);
    await owner.query(`select tests.report_managed('{stopping}', 'stopped')`);
    await owner.query('select tests.look()');
  };
  await owner.query(asUma);
  await owner.query(
    `select stark.create_deployment('{"name": "busy", "pack": "alpha", "version": "1.0.0", "replicas": 6, "minReadySeconds": 0, "disruption": {"maxUnavailable": 1}}')`,
  );
  await owner.query(`select set_config('request.jwt.claims', '', false)`);
  try {
    await agentsReport();
    expect(await available()).toEqual({ pods: 6 });
    for (const quota of [7, 6, 9, 6]) {
      const [empty] = await rowsOf<{ name: string }>(
        `select n.name from stark.nodes n order by (select count(*) from stark.pods p where p.node_id = n.id and p.finished_at is null), n.name limit 1`,
      );
      const others = ['n1', 'n2', 'n3'].filter((name) => name !== empty?.name);
      await owner.query('select count(*) from stark.nodes n, stark.uncordon_node(n.name)');
      await Promise.all(
        [
          ...others.map((name) => `select count(*) from stark.drain_node('${name}')`),
          `update stark.namespaces set quota = '{"pods": ${quota}}' where name = 'default'`,
          `do $$ begin update stark.deployments set next_reconcile_at = reconciled_at where true; perform stark_internal.reconcile_due(); end $$`,
        ].map((sql, i) => patiently(sessions[i] as pg.Client, sql)),
      );
      for (let round = 0; round < 8; round++) {
        await agentsReport();
        expect((await available())?.pods).toBeGreaterThanOrEqual(5);
      }
      expect(await rowsOf(`select * from tests.violations`)).toEqual([]);
    }
    await owner.query(`update stark.namespaces set quota = '{}' where name = 'default'`);
    for (let round = 0; round < 12; round++) await agentsReport();
    expect(await rowsOf(`select name from stark.nodes where draining`)).toEqual([]);
    expect(await rowsOf(`select status, available_replicas as pods from stark.deployments`)).toEqual([
      { status: 'complete', pods: 6 },
    ]);
  } finally {
    await owner.query('select count(*) from stark.nodes n, stark.uncordon_node(n.name)');
    await owner.query(asUma);
    await owner.query(`select stark.delete_deployment('default', 'busy', 'background', true)`);
    await owner.query(`select set_config('request.jwt.claims', '', false)`);
    await Promise.all(sessions.map((session) => session.end()));
  }
}, 120_000);

it('a report on a pod of a large deployment reads no other pod', async () => {
  const read = async (name: string) => {
    const [pod] = await rowsOf<{ id: string; node: string }>(
      `select id, node_id as node from stark.pods where namespace = 'default' and name = '${name}'`,
    );
    await owner.query(
      `select stark_internal.apply_reports($1, array(
         select r from stark_internal.read_reports(jsonb_build_array(jsonb_build_object('pod_id', $2::uuid, 'status', 'running', 'ready', false))) r), '{}')`,
      [pod?.node, pod?.id],
    );
    await owner.query('set constraints all immediate');
    await owner.query('set constraints all deferred');
    const [rows] = await rowsOf<{ rows: number }>(
      `select (seq_tup_read + coalesce(idx_tup_fetch, 0))::integer as rows from pg_stat_xact_user_tables where relid = 'stark.pods'::regclass`,
    );
    return rows?.rows ?? 0;
  };
  const pod = (prefix: string, more: string) => `
    insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, labels, spec, created_by, deployment_id, revision, node_id, node_name, status, ready, ready_at, incarnation)
    select '${prefix}-' || i, 'default', d.pack_id, d.pack_name, r.pack_version_id, r.version, '{}', '{}', d.acts_as, ${more}, n.id, n.name, 'running', true, now() - interval '1 hour', 1
    from stark.deployments d join stark.deployment_revisions r on r.deployment_id = d.id cross join generate_series(1, 2000) i join stark.nodes n on n.name = 'n' || (1 + i % 3)`;
  await owner.query('begin');
  try {
    await owner.query(
      `select set_config('request.jwt.claims', json_build_object('sub', tests.uid('uma'), 'role', 'authenticated')::text, true)`,
    );
    await owner.query(
      `select stark.create_deployment('{"name": "big", "pack": "alpha", "version": "1.0.0", "replicas": 0}')`,
    );
    await owner.query(`select set_config('request.jwt.claims', '', true)`);
    await owner.query(pod('big', 'd.id, r.revision'));
    await owner.query(pod('bare', 'null, null'));
    await owner.query(`update stark.deployment_revisions set wanted = 2000, status = 'stable', stable_at = now()`);
    await owner.query(`update stark.deployments set replicas = 2000, desired_replicas = 2000`);
    await owner.query('set constraints all immediate');
    await owner.query('set constraints all deferred');
    expect(await rowsOf(`select current_replicas from stark.deployments`)).toEqual([{ current_replicas: 2000 }]);
    // Plans are made for what is there now.
    await owner.query('analyze stark.pods');
    await owner.query('discard plans');
    const start = await read('bare-1');
    const bare = (await read('bare-2')) - start;
    const managed = (await read('big-1')) - start - bare;
    expect(managed).toBeLessThan(bare + 200);
  } finally {
    await owner.query('rollback');
  }
});
