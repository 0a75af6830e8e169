import { loadavg } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { calls } from './scheduler/calls.mjs';
import { BenchCluster } from './scheduler/cluster.mjs';
import { podsOf, workloads } from './scheduler/workloads.mjs';

export const title =
  'The scheduler: pods placed per second, everything on, and the same rows written by one bare update';

const SIZES = [
  { nodes: 100, pods: 1_000, only: ['basic', 'topology spread'] },
  { nodes: 1_000, pods: 10_000, only: ['basic', 'topology spread'] },
  { nodes: 5_000, pods: 10_000 },
];
const CALL_SIZES = [100, 5_000];

const list = (name) => process.env[name]?.split(',');
const rounds = Number(process.env.STARK_BENCH_ROUNDS ?? 3);
// Another checkout of the project, built: each measurement is then made of both in turn.
const against = process.env.STARK_BENCH_AGAINST;

export async function measure({ say }) {
  const contestants = await openContestants();
  const load = [loadavg()[0]];
  const samples = [];
  try {
    for (let round = 1; round <= rounds; round += 1) {
      // Who comes first changes, since a machine that others use too is not the same a minute later.
      const inTurn = round % 2 ? contestants : contestants.toReversed();
      for (const one of plan())
        for (const contestant of inTurn) {
          const sample = { round, contestant: contestant.label, name: one.name, aim: one.aim };
          samples.push({ ...sample, ...(await one.run(contestant.cluster)) });
          const { value, unit, cpuMs } = samples.at(-1);
          say(
            `round ${round}, ${contestant.label}, ${one.name}: ${value.toFixed(1)} ${unit}, ${cpuMs.toFixed(0)} ms of processor`,
          );
        }
      load.push(loadavg()[0]);
    }
  } finally {
    for (const { cluster, database } of contestants) {
      await cluster.close();
      await database.stop();
    }
  }
  return {
    notes: [
      `Medians of ${rounds} rounds, contestants in turn; load at the start and after each round: ${load.map((it) => it.toFixed(1)).join(', ')}.`,
      'A run is one schedule pass over pods that are there already, in a throw-away database without fsync; events, broadcasts and commands to nodes included.',
      'Processor is the time that the session of Postgres itself took for it, whatever else the machine did.',
      'Bare update: the same pods written to the same nodes by one statement, with the same triggers. For preemption it writes the newcomers only.',
      'Preemption counts choosing and stopping victims, the end of those that had begun as one report, and placing the newcomers.',
      ...(against === undefined ? [] : [`before: the checkout in ${resolve(against)}.`]),
    ],
    results: report(samples),
    details: samples,
  };
}

async function openContestants() {
  const roots = [['here', new URL('..', import.meta.url)]];
  if (against !== undefined) roots.unshift(['before', pathToFileURL(`${resolve(against)}/`)]);
  const contestants = [];
  for (const [label, root] of roots) {
    const { startTestDatabase } = await import(new URL('scripts/db/test-database.mjs', root));
    const database = await startTestDatabase();
    contestants.push({ label, database, cluster: await BenchCluster.open(database) });
  }
  return contestants;
}

/** What one round measures: a list of {name, aim, run}, where `run` gives {value, unit, cpuMs}. */
function plan() {
  const wanted = list('STARK_BENCH_WORKLOADS');
  const modes = list('STARK_BENCH_TEMPLATES') ?? ['ten', 'each'];
  const sizes = list('STARK_BENCH_NODES')?.map(Number);
  const passes = SIZES.filter(({ nodes }) => sizes?.includes(nodes) ?? true).flatMap((size) =>
    workloads
      .filter(({ name }) => (size.only?.includes(name) ?? true) && (wanted?.includes(name) ?? true))
      .flatMap((workload) =>
        modes.map((mode) => ({
          name: `${workload.name}, ${size.nodes} nodes, ${countOf(workload, size, mode)} pods, ${mode === 'each' ? 'a template each' : '10 templates'}`,
          // Thresholds are for 5,000 nodes; smaller clusters are there to see growth.
          ...(size.only ? {} : { aim: mode === 'each' ? workload.threshold : workload.aim }),
          run: (cluster) => measurePass(cluster, size, workload, mode),
        })),
      ),
  );
  const single = CALL_SIZES.flatMap((nodes) =>
    calls
      .filter(({ name }) => wanted?.includes(name) ?? true)
      .map((call) => ({ name: `${call.name}, ${nodes} nodes`, run: (cluster) => measureCall(cluster, nodes, call) })),
  );
  return [...passes, ...single];
}

const countOf = (workload, size, mode) => workload.pods?.(size.pods, size.nodes, mode === 'each') ?? size.pods;

async function measurePass(cluster, size, workload, mode) {
  const pods = countOf(workload, size, mode);
  const { before } = workload;
  await cluster.reset(size.nodes);
  if (before) {
    await cluster.addPods(before.count ?? before.perNode * size.nodes, before);
    await cluster.query('select stark_internal.schedule_pods(p_most => 1000000, p_groups => 1000000)');
    if (before.runs) await cluster.query(`update stark.pods set status = 'running' where status = 'scheduled'`);
    await cluster.settle();
  }
  await cluster.addPods(pods, podsOf(workload, mode === 'each'));
  const pass = await cluster.time([
    'select stark_internal.schedule_pods(p_most => 1000000, p_groups => 1000000)',
    // The end of the victims starts the pass that places those who waited for it.
    ...(workload.name.startsWith('preemption')
      ? [
          `update stark.pods set status = 'stopped', finished_at = now() where status = 'stopping'`,
          // That pass is one of every day, which places 200.
          'select stark_internal.schedule_pods(p_most => 1000000, p_groups => 1000000)',
        ]
      : []),
  ]);
  const placed = await cluster.count('scheduled');
  if (placed !== pods) throw new Error(`${workload.name}: ${placed} of ${pods} pods were placed`);
  const bare = await cluster.timeBareUpdate();
  return {
    value: (pods / pass.ms) * 1_000,
    unit: 'pods/s',
    cpuMs: pass.cpuMs,
    walBytes: pass.walBytes / pods,
    bare: (pods / bare.ms) * 1_000,
    bareCpuMs: bare.cpuMs,
    pods,
  };
}

async function measureCall(cluster, nodes, call) {
  await cluster.reset(nodes);
  await call.prepare?.(cluster);
  const samples = [];
  for (let i = 0; i < call.times; i += 1) {
    await call.before?.(cluster, i);
    samples.push(await cluster.time([call.statement(i)]));
  }
  // The first makes the plans of the session.
  const warm = samples.slice(1);
  const mid = (pick) => median(warm.map(pick));
  return { value: mid((it) => it.ms), unit: 'ms', cpuMs: mid((it) => it.cpuMs), walBytes: mid((it) => it.walBytes) };
}

function report(samples) {
  const names = [...new Set(samples.map(({ name }) => name))];
  return names.flatMap((name) => {
    const of = (label) => samples.filter((it) => it.name === name && it.contestant === label);
    const [here, before] = [of('here'), of('before')];
    const mid = (from, field) => median(from.map((it) => it[field]));
    const { unit, aim, pods } = here[0];
    const rate = mid(here, 'value');
    const beside = (field, digits) => (before.length === 0 ? '' : ` (before ${mid(before, field).toFixed(digits)})`);
    const digits = unit === 'ms' ? 1 : 0;
    const lines = [
      {
        name,
        value: Number(rate.toFixed(digits)),
        unit: `${unit}${beside('value', digits)}`,
        ...(aim === undefined ? {} : { aim: `≥ ${aim}`, met: rate >= aim }),
      },
      { name: '  processor', value: Number(mid(here, 'cpuMs').toFixed(1)), unit: `ms${beside('cpuMs', 1)}` },
      {
        name: pods === undefined ? '  write-ahead log' : '  write-ahead log a pod',
        value: Math.round(mid(here, 'walBytes')),
        unit: `bytes${beside('walBytes', 0)}`,
      },
    ];
    if (pods !== undefined)
      lines.push({
        name: '  the bare update',
        value: Math.round(mid(here, 'bare')),
        unit: `pods/s${beside('bare', 0)}, ${mid(here, 'bareCpuMs').toFixed(0)} ms of processor`,
      });
    return lines;
  });
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
