import fc from 'fast-check';
import type pg from 'pg';

/** One thing that happens to a deployment, its pods or their world, as SQL; `seconds` have passed before it. */
export interface Step {
  seconds: number;
  what: string;
  sql: string;
  /** Whether somebody changed what is wanted. */
  wish?: boolean;
}

const call = (what: string, sql: string): Omit<Step, 'seconds'> => ({
  what,
  sql: `select tests.code_of($q$${sql}$q$)`,
  wish: true,
});
export const update = (changes: object) =>
  call(
    `wants ${JSON.stringify(changes)}`,
    `select stark.update_deployment('default', 'web', '${JSON.stringify(changes)}')`,
  );
export const on = (fn: string, more = '') => call(`${fn}${more}`, `select stark.${fn}('default', 'web'${more})`);
const happens = (what: string, sql: string): Omit<Step, 'seconds'> => ({ what, sql });
const agents = (what: string, from: string, status: string, more: object, where = 'true') =>
  happens(what, `select tests.report_managed('{${from}}', '${status}', '${JSON.stringify(more)}', $w$${where}$w$)`);

/** Versions from 1.3 on are bad: their pods crash. */
const bad = `split_part(p.version, '.', 2)::integer >= 3`;
const third = (n: number) => `abs(hashtext(p.id::text)) % 3 = ${n}`;

const crashAgain = agents('bad pods start again', 'starting', 'starting', { reason: 'Started', message: 'again' }, bad);

export const agentsWork = [
  crashAgain,
  agents('good pods run', 'scheduled,transferring,starting', 'running', { ready: true }, `not ${bad}`),
  agents(
    'bad pods crash',
    'scheduled,transferring,starting',
    'starting',
    { reason: 'CrashLoopBackOff', message: 'back-off' },
    bad,
  ),
  agents('stopping pods stop', 'stopping', 'stopped', {}),
];

const NO_WINDOW = { stabilizationWindowSeconds: 0 };

const wishes = fc.oneof(
  fc.nat(6).map((n) => on('scale_deployment', `, ${n}`)),
  fc.constantFrom('1.0.0', '1.1.0', '1.2.0', '1.3.0').map((version) => update({ version })),
  fc.nat(3).map((n) => update({ template: { labels: { app: `v${n}` } } })),
  fc.constantFrom(
    update({ strategy: { type: 'Recreate' }, canary: null }),
    update({ strategy: { type: 'RollingUpdate', maxSurge: 1, maxUnavailable: 0 } }),
    update({ strategy: { type: 'RollingUpdate', maxSurge: 0, maxUnavailable: 1 } }),
    update({ strategy: { type: 'RollingUpdate', maxSurge: '50%', maxUnavailable: '50%' } }),
    update({
      strategy: { type: 'RollingUpdate' },
      canary: { steps: [{ weight: 30 }, { pause: '30s' }, { weight: 60 }, { pause: {} }] },
    }),
    update({ autoRollback: false }),
    update({ autoRollback: true }),
    update({ progressDeadlineSeconds: 60 }),
    update({ template: { spec: { nodeSelector: { zone: 'nowhere' } } } }),
    update({ template: { spec: { nodeSelector: { disk: 'ssd' } } } }),
    update({ template: { spec: { nodeSelector: null } } }),
    update({ followLatest: true }),
    update({ followLatest: '~1.1' }),
    update({ followLatest: false }),
  ),
  fc.constantFrom(
    on('scale_deployment', `, null, 'daemon'`),
    update({ mode: 'daemon', canary: null }),
    on('scale_deployment', `, 3, 'replicated'`),
    update({ disruption: { maxUnavailable: 0 } }),
    update({ disruption: { maxUnavailable: 1 } }),
    update({ disruption: { maxUnavailable: '50%' } }),
    update({ disruption: null }),
  ),
  fc.constantFrom(
    on('pause_rollout'),
    on('resume_rollout'),
    on('promote_rollout'),
    on('promote_rollout', ', true'),
    on('undo_rollout'),
    on('restart_rollout'),
    on('pause_deployment'),
    on('resume_deployment'),
    on('resume_deployment', ', true'),
  ),
);

export const report = (value: number) =>
  call(`load is ${value}`, `select stark.report_metric('default', 'load', ${value})`);

const load = { name: 'load', target: 10 };
const autoscale = fc.constantFrom(
  update({ autoscale: { min: 1, max: 4, metrics: [load] } }),
  update({ autoscale: { min: 0, max: 3, metrics: [load], idleSeconds: 20 } }),
  update({ autoscale: { min: 0, max: 5, metrics: [load], idleSeconds: 0, behavior: { scaleDown: NO_WINDOW } } }),
  update({ autoscale: { min: 2, max: 6, metrics: [load, { name: 'cpu', target: 70 }] } }),
  update({ autoscale: { min: 1, max: 5, metrics: [{ ...load, type: 'Value' }], behavior: { scaleUp: NO_WINDOW } } }),
);

/** What an autoscaler follows: mostly nothing, so that it comes to sleep and is woken. */
const numbers = fc.oneof(
  fc.oneof(fc.constant(0), fc.constantFrom(1, 5, 12, 25, 38, 200)).map(report),
  autoscale,
  fc.constantFrom(update({ autoscale: null }), on('scale_deployment', ', 0'), on('scale_deployment', ', 1')),
);

const faults = fc.oneof(
  fc
    .tuple(fc.constantFrom('n1', 'n2', 'n3'), fc.constantFrom('healthy', 'unhealthy', 'offline'))
    .map(([node, status]) =>
      happens(
        `${node} is ${status}`,
        `update stark.nodes set status = '${status}', status_reason = ${status === 'offline' ? `'HeartbeatTimeout'` : 'null'} where name = '${node}' and status <> '${status}';
         select stark_internal.evict_pods(stark_internal.controller_time() + interval '1 second')`,
      ),
    ),
  fc
    .nat(2)
    .map((n) =>
      agents(
        'a third crashes',
        'running',
        'starting',
        { reason: 'CrashLoopBackOff', message: 'back-off of a fault' },
        third(n),
      ),
    ),
  fc
    .nat(2)
    .map((n) =>
      agents('a third fails for good', 'running,starting,scheduled', 'failed', { reason: 'Error' }, third(n)),
    ),
  fc.nat(2).map((n) => agents('a third is not ready', 'running', 'running', { ready: false }, third(n))),
  fc.nat(2).map((n) => agents('a third is ready', 'running', 'running', { ready: true }, third(n))),
  fc.nat(2).map((n) =>
    happens(
      'somebody deletes a third',
      `select count(*) from stark.delete_pods(array(select p.id from stark.pods p where p.deployment_id is not null and p.finished_at is null and ${third(n)}))
         where exists (select from stark.pods p where p.deployment_id is not null and p.finished_at is null and ${third(n)})`,
    ),
  ),
  fc
    .nat(8)
    .map((n) =>
      happens(`a quota of ${n} pods`, `update stark.namespaces set quota = '{"pods": ${n}}' where name = 'default'`),
    ),
  fc.constant(happens('no quota', `update stark.namespaces set quota = '{}' where name = 'default'`)),
  fc
    .constantFrom('1.0.0', '1.1.0', '1.2.0')
    .map((version) =>
      happens(
        `${version} is withdrawn`,
        `update stark.pack_versions set state = 'withdrawn' where version = '${version}'`,
      ),
    ),
  fc
    .nat(9)
    .map((n) =>
      happens(
        `1.2.${n} is published`,
        `select tests.add_pack('alpha', 'uma', p_version => '1.2.${n}') where not exists (select from stark.pack_versions where version = '1.2.${n}')`,
      ),
    ),
  fc.constant(happens('uma has no role', `delete from stark.role_bindings where user_id = tests.uid('uma')`)),
  fc.constant(
    happens(
      'uma has a role',
      `insert into stark.role_bindings (user_id, role) values (tests.uid('uma'), 'user') on conflict do nothing`,
    ),
  ),
);

const nodes = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('n1', 'n2', 'n3'),
      fc.constantFrom('drain_node', 'drain_node', 'cordon_node', 'uncordon_node'),
    )
    .map(([node, fn]) => happens(`${fn} ${node}`, `select count(*) from stark.${fn}('${node}')`)),
  fc
    .tuple(fc.constantFrom('n1', 'n2', 'n3'), fc.constantFrom('{"disk": "ssd"}', '{}'))
    .map(([node, labels]) =>
      happens(`${node} has labels ${labels}`, `update stark.nodes set labels = '${labels}' where name = '${node}'`),
    ),
  fc
    .tuple(fc.constantFrom('n1', 'n2', 'n3'), fc.constantFrom('NoSchedule', 'NoExecute', 'none'))
    .map(([node, effect]) =>
      happens(
        `${node} has taint ${effect}`,
        `update stark.nodes set taints = '${effect === 'none' ? '[]' : `[{"key": "t", "effect": "${effect}"}]`}' where name = '${node}'`,
      ),
    ),
  fc.constantFrom(
    happens(
      'n4 comes',
      `select tests.add_node('n4', 'uma', p_allocatable => '{"cpu": 100000, "memory": 100000, "storage": 1000, "pods": 100}') where not exists (select from stark.nodes where name = 'n4')`,
    ),
    happens('n4 goes', `select stark.delete_node(n.name, true) from stark.nodes n where n.name = 'n4'`),
  ),
);

export const time = happens('time passes', 'select 1');

/** Histories of a deployment, autoscaled from its beginning or not: wishes, agents that work, numbers, faults, and time. */
export const histories = fc
  .tuple(fc.option(autoscale), steps())
  .map(([first, then]): Step[] => (first === null ? then : [{ ...first, seconds: 1 }, ...then]));

function steps(): fc.Arbitrary<Step[]> {
  return fc.array(
    fc
      .tuple(
        fc.oneof(
          { weight: 4, arbitrary: fc.constant(0) },
          { weight: 4, arbitrary: fc.integer({ min: 1, max: 15 }) },
          { weight: 2, arbitrary: fc.constantFrom(61, 90, 400, -30, 7200) },
        ),
        fc.oneof(
          { weight: 5, arbitrary: wishes },
          { weight: 6, arbitrary: fc.constantFrom(...agentsWork) },
          { weight: 4, arbitrary: faults },
          { weight: 3, arbitrary: nodes },
          { weight: 4, arbitrary: numbers },
          { weight: 2, arbitrary: fc.constant(time) },
        ),
      )
      .map(([seconds, step]): Step => ({ ...step, seconds })),
    { minLength: 4, maxLength: 24 },
  );
}

/** What ends all faults, so that whatever can complete does. */
export const recovery: Omit<Step, 'seconds'>[] = [
  happens(
    'all nodes are healthy',
    `update stark.nodes set status = 'healthy', status_reason = null where status <> 'healthy'`,
  ),
  happens('no node is drained', 'select count(*) from stark.nodes n, stark.uncordon_node(n.name)'),
  happens('no node is tainted', `update stark.nodes set taints = '[]' where taints <> '[]'`),
  happens('there is no quota', `update stark.namespaces set quota = '{}' where name = 'default'`),
  happens(
    'uma has a role again',
    `insert into stark.role_bindings (user_id, role) values (tests.uid('uma'), 'user') on conflict do nothing`,
  ),
  // Else a first rollout goes on until its deadline.
  agents('what runs is ready', 'running', 'running', { ready: true }),
  on('resume_rollout'),
  on('resume_deployment'),
];

/**
 * Plays a history in a transaction that is rolled back, and asks what `check` finds wrong: after each step, or with `end` once.
 * A version that failed is tried again when its block is over, so a history may be on the way there and back when its steps have
 * been played; `end.rounds` are played then until it `isOver`.
 */
export async function play(
  client: pg.Client,
  steps: readonly Step[],
  check: () => Promise<string[]>,
  end?: { rounds: readonly Step[]; isOver: () => Promise<boolean> },
): Promise<void> {
  const told: string[] = [];
  let now = 0;
  const run = async (sql: string) => {
    told.push(`${sql};`);
    await client.query(sql);
  };
  await client.query('begin');
  try {
    const all = [...steps, ...(end?.rounds ?? [])];
    for (const [at, step] of all.entries()) {
      now += step.seconds;
      told.push(`-- ${at}: ${step.what}`);
      await run(`select tests.at(${now})`);
      await run('select tests.look()');
      await run('select stark_internal.autoscale_due()');
      if (step.wish)
        await client.query(
          `select set_config('request.jwt.claims', json_build_object('sub', tests.uid('uma'), 'role', 'authenticated')::text, true)`,
        );
      await run(step.sql);
      if (step.wish) await client.query(`select set_config('request.jwt.claims', '', true)`);
      await run('set constraints all immediate');
      await run('set constraints all deferred');
      const isEnd = end && at >= steps.length - 1 && (at === all.length - 1 || (await end.isOver()));
      if (end && !isEnd) continue;
      const wrong = await check();
      if (wrong.length > 0) throw new Error(`${wrong.join('\n')}\nafter\n${told.join('\n')}`);
      if (isEnd) return;
    }
  } catch (error) {
    const { message } = error as Error;
    throw message.includes('\nafter\n') ? error : new Error(`${message}\nafter\n${told.join('\n')}`);
  } finally {
    await client.query('rollback');
  }
}
