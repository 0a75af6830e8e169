import { percentile, round } from '../lib/stats.mjs';

const TIERS = ['none', 'strict', 'standard'];
const ROUNDS = 25;

/** Starts a pod behind each wall of this machine in turn, so that what else the machine does hits all of them. */
export async function measureWalls(cluster, folder, say) {
  const here = [];
  for (const tier of TIERS) {
    if (await cluster.addAgent({ name: `wall-${tier}`, dataDir: folder, isolation: tier })) here.push(tier);
    else say(`SKIPPED: this machine has no wall "${tier}"`);
  }
  const times = Object.fromEntries(here.map((tier) => [tier, []]));
  const pod = (tier) => ({ pack: 'bench', spec: { nodeName: `wall-${tier}` } });
  // The first one of each has its bundle fetched.
  await cluster.startPods(here.map(pod));
  for (let i = 0; i < ROUNDS; i += 1) {
    for (const tier of here) times[tier].push(...(await cluster.startPods([pod(tier)])));
  }
  return times;
}

/** Each wall beside none. */
export function resultsOfWalls(times) {
  const none = percentile(times.none, 0.5);
  return Object.entries(times).flatMap(([tier, ms]) => {
    const p50 = percentile(ms, 0.5);
    const result = { name: `pod behind the wall "${tier}", p50`, value: Math.round(p50), unit: 'ms' };
    if (tier === 'none') return [result];
    const ratio = p50 / none;
    return [
      result,
      { name: '  as part of none', value: round(ratio, 2), unit: '×', aim: '≤ 1.25', met: ratio <= 1.25 },
    ];
  });
}
