// What the controller costs the database: each measurement is statements of one session, as callers, agents and the watcher send them.
// Times are the processor time of that session, since a machine that others use too makes anybody wait.
import { startTestDatabase } from '../../scripts/db/test-database.mjs';
import { median, round } from '../lib/stats.mjs';
import { BenchCluster } from '../scheduler/cluster.mjs';

const SIZE = 5_000;
/** Pods that one transaction makes for deployments (`stark_internal.call_limit`), in calls that create_pods takes. */
const PORTION = [200, 200, 100];
const NODES = 100;
const CHANGES = 40;
const REPORTS = 100;
/** Calls before those that are measured: a session chooses its plans with the sixth execution of a statement. */
const WARM_UP = 20;
const ROUNDS = 3;

export async function measureController({ say, isAsked }) {
  const database = await startTestDatabase();
  const cluster = await BenchCluster.open(database);
  const bench = new Bench(cluster);
  try {
    await bench.setUp();
    const results = [];
    const details = {};
    for (const [name, part] of Object.entries(STEPS)) {
      if (!isAsked(name)) continue;
      const { said, results: found, samples } = await part(bench);
      say(said);
      results.push(...found);
      details[name] = samples;
    }
    return { results, details };
  } finally {
    await cluster.close();
    await database.stop();
  }
}

class Bench {
  constructor(cluster) {
    this.cluster = cluster;
  }

  async setUp() {
    const owner = '00000000-0000-4000-8000-000000000001';
    await this.query(`insert into stark.role_bindings (user_id, role) values ('${owner}', 'admin')`);
    await this.query(
      `select set_config('request.jwt.claims', json_build_object('sub', '${owner}', 'role', 'authenticated')::text, false)`,
    );
    await this.reset();
  }

  query(text, values) {
    return this.cluster.query(text, values);
  }

  /** Nothing but nodes with room for all that is measured. */
  async reset() {
    await this.query('truncate stark.pods, stark.events, stark.deployments cascade');
    await this.cluster.reset(NODES);
    await this.query(
      `update stark.nodes set allocatable = '{"cpu": 1000000, "memory": 1000000, "storage": 1000000, "pods": 500}'`,
    );
    await this.settle();
  }

  async settle() {
    await this.cluster.settle();
    for (const table of ['stark.deployments', 'stark.deployment_revisions', 'stark_internal.managed_counts'])
      await this.query(`vacuum analyze ${table}`);
  }

  create(name, more = {}) {
    const wishes = {
      name,
      pack: 'bench',
      minReadySeconds: 0,
      template: { spec: { resources: { requests: { cpu: 1, memory: 1 } } } },
      ...more,
    };
    return this.query(`select count(*) from stark.create_deployment($1)`, [JSON.stringify(wishes)]);
  }

  /** Agents say that what was placed runs. */
  run() {
    return this.query(
      `update stark.pods set status = 'running', ready = true, ready_at = now() - interval '1 hour', started_at = now() where status = 'scheduled'`,
    );
  }

  /** Milliseconds of processor that a statement takes, with all of its transaction: what others do meanwhile does not count. */
  async ms(text, values) {
    const { cpuMs } = await this.cluster.time([{ text, values }]);
    return cpuMs;
  }

  async count(where) {
    const [row] = await this.query(`select count(*)::int as count from stark.pods where ${where}`);
    return row.count;
  }
}

/** A change of one deployment of ten, and of one of a thousand. */
async function changes(bench) {
  const samples = {};
  for (const [from, to] of [
    [0, 10],
    [10, 1_000],
  ]) {
    for (let i = from; i < to; i += 1) await bench.create(`web-${i}`, { replicas: 1 });
    await bench.run();
    await bench.settle();
    const times = [];
    // One more and one fewer in turn; the first ones make the plans.
    for (let i = -6; i < CHANGES; i += 1) {
      const ms = await bench.ms(`select count(*) from stark.scale_deployment('default', 'web-3', ${2 + (i & 1)})`);
      if (i >= 0) times.push(ms);
      await bench.query(`delete from stark.pods where status = 'stopping'`);
    }
    samples[to] = times;
  }
  const [few, many] = [10, 1_000].map((count) => median(samples[count]));
  return {
    said: `one change: ${few.toFixed(1)} ms of ten, ${many.toFixed(1)} ms of a thousand`,
    samples,
    results: [
      { name: 'one change, 10 deployments, p50', value: round(few), unit: 'ms' },
      { name: 'one change, 1,000 deployments, p50', value: round(many), unit: 'ms' },
      ratio('one change, 1,000 to 10 deployments', many / few, 1.3),
    ],
  };
}

/** Until 5,000 pods of a deployment exist, beside create_pods in the same portions. */
async function growth(bench) {
  const samples = { managed: [], bare: [] };
  for (let i = 0; i < ROUNDS; i += 1) {
    for (const kind of i % 2 ? ['managed', 'bare'] : ['bare', 'managed']) {
      await bench.reset();
      samples[kind].push(await (kind === 'managed' ? grow(bench) : createBare(bench)));
    }
  }
  const [managed, bare] = [median(samples.managed), median(samples.bare)];
  return {
    said: `0 to ${SIZE}: ${Math.round(managed)} ms by a deployment, ${Math.round(bare)} ms by create_pods`,
    samples,
    results: [
      { name: 'scale 0 to 5,000 until all exist', value: Math.round(managed), unit: 'ms' },
      { name: 'create_pods of as many, in the same portions', value: Math.round(bare), unit: 'ms' },
      ratio('scale 0 to 5,000 to create_pods', managed / bare, 1.2),
    ],
  };
}

async function grow(bench) {
  await bench.create('big', { replicas: 0 });
  let ms = await bench.ms(`select count(*) from stark.scale_deployment('default', 'big', ${SIZE})`);
  while ((await bench.count('true')) < SIZE) ms += await bench.ms('select stark_internal.reconcile_due()');
  return ms;
}

async function createBare(bench) {
  const entry = (replicas) =>
    JSON.stringify([{ pack: 'bench', replicas, spec: { resources: { requests: { cpu: 1, memory: 1 } } } }]);
  let ms = 0;
  while ((await bench.count('true')) < SIZE) {
    const calls = PORTION.map((replicas) => ({
      text: 'select count(*) from stark.create_pods($1)',
      values: [entry(replicas)],
    }));
    ms += (await bench.cluster.time(['begin', ...calls, 'commit'])).cpuMs;
  }
  return ms;
}

/** A look that finds nothing to do, with a deployment of 5,000 pods and an autoscaled one. */
async function idle(bench) {
  await big(bench);
  await bench.create('scaled', { autoscale: { min: 1, max: 9, metrics: [{ name: 'load', target: 10 }] } });
  await bench.run();
  await bench.query('select stark_internal.autoscale_due()');
  for (let i = 0; i < 5; i += 1) await bench.query('select stark_internal.reconcile_due(now())');
  await bench.query(`update stark.deployments set next_reconcile_at = reconciled_at + interval '1 hour' where true`);
  await bench.settle();
  await bench.query('vacuum analyze stark.autoscalers');
  const plans = [
    'select d.id from stark.deployments d where d.next_reconcile_at <= now() order by d.next_reconcile_at, d.id limit 50',
    'select from stark.autoscalers a where a.next_look_at <= now()',
  ];
  let buffers = 0;
  for (const text of plans) {
    const [row] = await bench.query(`explain (analyze, buffers, format json) ${text}`);
    const { Plan: plan } = row['QUERY PLAN'][0];
    buffers += plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  }
  await bench.query('begin');
  const [{ looked, wrote }] = await bench.query(
    `select stark_internal.autoscale_due() + stark_internal.reconcile_due() as looked, pg_current_xact_id_if_assigned() is not null as wrote`,
  );
  await bench.query('rollback');
  const times = [];
  for (let i = 0; i < 50; i += 1)
    times.push(await bench.ms('select stark_internal.autoscale_due(), stark_internal.reconcile_due()'));
  const isQuiet = looked === 0 && !wrote;
  return {
    said: `an idle look: ${buffers} buffers, ${isQuiet ? 'nothing' : 'something'} locked or written`,
    samples: { buffers, looked, wrote, times },
    results: [
      { name: 'an idle look', value: buffers, unit: 'buffers', aim: '≤ 10', met: buffers <= 10 },
      // A row that is locked or written needs a transaction id.
      { name: 'rows locked or written by it', value: isQuiet ? 0 : 1, unit: '', aim: '0', met: isQuiet },
      { name: 'it takes, p50', value: round(median(times), 2), unit: 'ms' },
    ],
  };
}

/** Nothing but the deployment big, with its 5,000 pods running. */
async function big(bench) {
  await bench.reset();
  await bench.create('big', { replicas: 0 });
  await grown(bench);
}

async function grown(bench) {
  await bench.query(`select count(*) from stark.scale_deployment('default', 'big', ${SIZE})`);
  while ((await bench.count('true')) < SIZE) await bench.query('select stark_internal.reconcile_due()');
  while ((await bench.count(`status = 'pending'`)) > 0)
    await bench.query('select stark_internal.schedule_pods(p_most => 1000000, p_groups => 1000000)');
  await bench.run();
  await bench.settle();
}

/** A report on a pod of 5,000, and on one of as many that nobody manages. */
async function reports(bench) {
  await big(bench);
  await bench.query(
    `insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, labels, spec, created_by, node_id, node_name, incarnation, status, ready, ready_at, started_at)
     select 'bare-' || row_number() over (), namespace, pack_id, pack_name, pack_version_id, version, '{}', spec, created_by, node_id, node_name, incarnation, status, ready, ready_at, started_at
     from stark.pods where name like 'big-%'`,
  );
  await bench.settle();
  const samples = { managed: [], bare: [] };
  for (let i = -WARM_UP; i < REPORTS; i += 1) {
    for (const [kind, prefix] of i % 2
      ? [
          ['managed', 'big'],
          ['bare', 'bare'],
        ]
      : [
          ['bare', 'bare'],
          ['managed', 'big'],
        ]) {
      const [pod] = await bench.query(
        `select p.id, p.node_id from stark.pods p where p.name like '${prefix}-%' and p.status = 'running' and p.ready order by p.id limit 1`,
      );
      const said = [{ pod_id: pod.id, status: 'running', ready: false }];
      const ms = await bench.ms('select stark.report_pods($1, 1, $2)', [pod.node_id, JSON.stringify(said)]);
      if (i >= 0) samples[kind].push(ms);
    }
  }
  const [managed, bare] = [median(samples.managed), median(samples.bare)];
  return {
    said: `a report: ${managed.toFixed(1)} ms on a pod of ${SIZE}, ${bare.toFixed(1)} ms on a bare one`,
    samples,
    results: [
      { name: 'a report on a pod of a deployment of 5,000, p50', value: round(managed), unit: 'ms' },
      { name: 'a report on a bare pod, p50', value: round(bare), unit: 'ms' },
      ratio('a report on a managed pod to a bare one', managed / bare, 2),
    ],
  };
}

/** A node with 100 pods of one deployment is given up: until replacements for all of them are placed. */
async function nodeLost(bench) {
  const samples = [];
  for (let i = 0; i < ROUNDS; i += 1) {
    await bench.reset();
    await bench.create('web', {
      replicas: 100,
      template: { spec: { nodeSelector: { lost: 'yes' }, resources: { requests: { cpu: 1, memory: 1 } } } },
    });
    await bench.query(`update stark.nodes set labels = labels || '{"lost": "yes"}' where name = 'node-00007'`);
    await bench.run();
    await bench.query(`update stark.nodes set labels = labels || '{"lost": "yes"}' where true`);
    await bench.settle();
    let ms = await bench.ms(
      `update stark.nodes set status = 'offline', status_reason = 'HeartbeatTimeout', incarnation = incarnation + 1 where name = 'node-00007'`,
    );
    for (let step = 0; (await bench.count(`status = 'scheduled'`)) < 100; step += 1) {
      if (step > 100) throw new Error('what was lost with a node is not replaced');
      ms += await bench.ms('select stark_internal.continue_work()');
    }
    samples.push(ms);
  }
  return {
    said: `a node with 100 pods lost: all replaced after ${Math.round(median(samples))} ms`,
    samples,
    results: [
      {
        name: 'a node with 100 managed pods lost, until all are placed elsewhere',
        value: Math.round(median(samples)),
        unit: 'ms',
      },
    ],
  };
}

/** A look of the autoscaler: at 200 deployments of one pod, and at one of 5,000. */
async function autoscaling(bench) {
  const autoscale = {
    min: 1,
    max: 10_000,
    metrics: [
      { name: 'load', target: 10 },
      { name: 'cpu', target: 70 },
    ],
  };
  const samples = {};
  for (const [what, fill] of [
    [
      '200 deployments',
      async () => {
        for (let i = 0; i < 200; i += 1) await bench.create(`web-${i}`, { autoscale });
      },
    ],
    [
      'a deployment of 5,000 pods',
      async () => {
        await big(bench);
        await bench.query(`select count(*) from stark.update_deployment('default', 'big', $1)`, [
          JSON.stringify({ autoscale }),
        ]);
      },
    ],
  ]) {
    await bench.reset();
    await fill();
    await bench.run();
    await bench.query(
      `insert into stark.node_leases (node_id, incarnation, usage_at, usage)
       select p.node_id, 1, now() + interval '1 hour', jsonb_build_object('pods', jsonb_object_agg(p.id, '{"cpu": 1, "memory": 1, "metrics": {"load": 10}}'::jsonb))
       from stark.pods p where p.node_id is not null group by p.node_id`,
    );
    await bench.settle();
    const times = [];
    for (let i = -6; i < 20; i += 1) {
      await bench.query('update stark.autoscalers set next_look_at = now() where true');
      const ms = await bench.ms('select stark_internal.autoscale_due()');
      if (i >= 0) times.push(ms);
    }
    samples[what] = times;
  }
  return {
    said: Object.entries(samples)
      .map(([what, times]) => `a look of the autoscaler at ${what}: ${median(times).toFixed(1)} ms`)
      .join('; '),
    samples,
    results: Object.entries(samples).map(([what, times]) => ({
      name: `a look of the autoscaler at ${what}, p50`,
      value: round(median(times)),
      unit: 'ms',
    })),
  };
}

const STEPS = { changes, growth, idle, reports, nodeLost, autoscaling };
export const CONTROLLER_STEPS = Object.keys(STEPS);

function ratio(name, value, most) {
  return { name, value: round(value, 2), unit: 'times', aim: `≤ ${most}`, met: value <= most };
}
