import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureIdle } from './agents/idle.mjs';
import { billOf } from './agents/report.mjs';
import { BenchAdmin } from './lib/admin.mjs';
import { startBenchStack } from './lib/stack.mjs';
import { percentile, round } from './lib/stats.mjs';
import { bareForks } from './pod-start/bare-fork.mjs';
import { PodStartCluster } from './pod-start/cluster.mjs';
import { Pm2 } from './pod-start/pm2.mjs';
import { measureWalls, resultsOfWalls } from './pod-start/walls.mjs';

export const title =
  'From create to running: one pod, ten, a hundred, beside a bare fork and PM2, and behind each wall';

const AGENTS = 4;
const IDLE = { count: 10, ms: Number(process.env.STARK_BENCH_MINUTES ?? 1) * 60_000 };
const LOADS = [
  { count: 1, rounds: 15 },
  { count: 10, rounds: 5 },
  { count: 100, rounds: 2 },
];

export async function measure({ say }) {
  const folder = await mkdtemp(join(tmpdir(), 'stark-bench-pods-'));
  // An agent that is root gives each pod a user of its own, who has to come by.
  await chmod(folder, 0o711);
  const results = [];
  const details = [];
  let stack;
  let admin;
  let cluster;
  let pm2;
  try {
    say('installing PM2');
    pm2 = await Pm2.install(join(folder, 'pm2'));
    say('starting the stack and the agents');
    stack = await startBenchStack(join(folder, 'data'));
    admin = await BenchAdmin.setUp(stack);
    cluster = await PodStartCluster.open(stack, admin);
    await cluster.addAgents(AGENTS, join(folder, 'agents'));
    for (const { count, rounds } of LOADS) {
      const times = { stark: [], pm2: [], fork: [] };
      // In turns, so that what else the machine does hits all of them.
      for (let i = 0; i < rounds; i += 1) {
        times.stark.push(...(await cluster.startPods([{ pack: 'bench', replicas: count }])));
        times.fork.push(...(await bareForks(count)));
        times.pm2.push(...(await pm2.start(count)));
      }
      say(
        `${count}: ${Object.entries(times)
          .map(([who, ms]) => `${who} ${Math.round(percentile(ms, 0.5))} ms`)
          .join(', ')}`,
      );
      results.push(...resultsOf(count, times));
      details.push({ count, rounds, ...times });
    }
    say('each wall in turn');
    const walls = await measureWalls(cluster, join(folder, 'walls'), say);
    results.push(...resultsOfWalls(walls));
    details.push({ walls });
    await cluster.close();
    cluster = undefined;
    if (IDLE.ms > 0) {
      const idles = [];
      for (const liveness of ['fast', 'thrifty']) {
        say(`${IDLE.count} idle agents for ${IDLE.ms / 60_000} minutes, ${liveness}`);
        idles.push(await measureIdle({ stack, admin, liveness, ...IDLE }));
      }
      results.push(...billOf(idles));
      details.push(...idles);
    }
  } finally {
    await cluster?.close();
    await admin?.close();
    await stack?.stop();
    await pm2?.stop();
    await rm(folder, { recursive: true, force: true });
  }
  return {
    notes: [
      `${AGENTS} agents in a process each, on the machine of the stack; the bundle is cached. A pod's time ends with the event that says that it runs.`,
      'Behind a wall: one agent for each that holds here, one pod on each in turn.',
      'The bare fork and PM2 start the same code as a script, all at once, and end when the script says that it runs; PM2 waits for one before it starts the next.',
    ],
    results,
    details,
  };
}

function resultsOf(count, times) {
  const p50 = percentile(times.stark, 0.5);
  const ofPm2 = p50 / percentile(times.pm2, 0.5);
  const slowest = percentile(times.stark, 1) / percentile(times.pm2, 1);
  const named = (who) => (count === 1 ? `${who}, one` : `${who}, ${count} at once`);
  return [
    {
      name: `${named('pod')}, p50`,
      value: Math.round(p50),
      unit: 'ms',
      ...(count === 1 && { aim: '≤ 300', met: p50 <= 300 }),
    },
    { name: `${named('pod')}, p99`, value: Math.round(percentile(times.stark, 0.99)), unit: 'ms' },
    ...['fork', 'pm2'].flatMap((who) => [
      {
        name: `${named(who === 'pm2' ? 'PM2' : 'bare fork')}, p50`,
        value: Math.round(percentile(times[who], 0.5)),
        unit: 'ms',
      },
      {
        name: `${named(who === 'pm2' ? 'PM2' : 'bare fork')}, p99`,
        value: Math.round(percentile(times[who], 0.99)),
        unit: 'ms',
      },
    ]),
    {
      name: `  p50 as part of PM2's`,
      value: round(ofPm2, 2),
      unit: '×',
      ...(count === 100 && { aim: '≤ 1', met: ofPm2 <= 1 }),
    },
    { name: `  the slowest as part of PM2's`, value: round(slowest, 2), unit: '×' },
  ];
}
