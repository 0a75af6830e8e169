import { startTestDatabase } from '../scripts/db/test-database.mjs';
import { BenchCluster } from './scheduler/cluster.mjs';
import { podsOf, workloads } from './scheduler/workloads.mjs';

export const title =
  'The scheduler: pods placed per second, everything on, and the same rows written by one bare update';

const SIZES = [
  { nodes: 100, pods: 1_000, only: ['basic', 'topology spread'] },
  { nodes: 1_000, pods: 10_000, only: ['basic', 'topology spread'] },
  { nodes: 5_000, pods: 10_000 },
];

export async function measure({ say }) {
  const wanted = process.env.STARK_BENCH_WORKLOADS?.split(',');
  const modes = process.env.STARK_BENCH_TEMPLATES?.split(',');
  const database = await startTestDatabase();
  const results = [];
  const details = [];
  let cluster;
  try {
    cluster = await BenchCluster.open(database);
    for (const size of SIZES)
      for (const workload of workloads) {
        if (size.only && !size.only.includes(workload.name)) continue;
        if (wanted && !wanted.includes(workload.name)) continue;
        for (const each of [false, true]) {
          if (modes && !modes.includes(each ? 'each' : 'ten')) continue;
          const run = await measureOne(cluster, size, workload, each);
          const name = `${workload.name}, ${size.nodes} nodes, ${run.pods} pods, ${each ? 'a template each' : '10 templates'}`;
          say(`${name}: ${Math.round(run.rate)} pods/s, bare update ${Math.round(run.bareRate)} pods/s`);
          // Thresholds are kube-scheduler's at 5,000 nodes; smaller clusters are there to see growth.
          const aim = workload.threshold * (each ? 1 : 10);
          results.push({
            name,
            value: Math.round(run.rate),
            unit: 'pods/s',
            ...(size.only ? {} : { aim: `≥ ${aim}`, met: run.rate >= aim }),
          });
          results.push({ name: '  of the bare update', value: Math.round((run.bareMs / run.ms) * 100), unit: '%' });
          details.push({ workload: workload.name, nodes: size.nodes, each, ...run });
        }
      }
  } finally {
    await cluster?.close();
    await database.stop();
  }
  return {
    notes: [
      'A run is one schedule pass over pods that are there already, in a throw-away database without fsync; events, broadcasts and commands to nodes included.',
      'Bare update: the same pods written to the same nodes by one statement, with the same triggers. For preemption it writes the newcomers only.',
      'Preemption counts choosing and stopping victims, their end as one report, and placing the newcomers.',
      'Aims are ten times, and for a template each once, what kube-scheduler is held to at 5,000 nodes.',
    ],
    results,
    details,
  };
}

async function measureOne(cluster, size, workload, each) {
  const pods = workload.pods?.(size.pods, size.nodes, each) ?? size.pods;
  await cluster.reset(size.nodes);
  const { before } = workload;
  if (before) {
    await cluster.addPods(before.count ?? before.perNode * size.nodes, before);
    await cluster.query('select stark_internal.schedule_pods(p_most => 1000000, p_groups => 1000000)');
    await cluster.settle();
  }
  await cluster.addPods(pods, podsOf(workload, each));
  let ms = await cluster.time('select stark_internal.schedule_pods(p_most => 1000000, p_groups => 1000000)');
  if (workload.name === 'preemption') {
    // The end of the victims starts the pass that places those who waited for it.
    ms += await cluster.time(`update stark.pods set status = 'stopped', finished_at = now() where status = 'stopping'`);
  }
  const placed = await cluster.count('scheduled');
  if (placed !== pods) throw new Error(`${workload.name}: ${placed} of ${pods} pods were placed`);
  const bareMs = await cluster.timeBareUpdate();
  return { pods, ms, bareMs, rate: (pods / ms) * 1_000, bareRate: (pods / bareMs) * 1_000 };
}
