import { loadavg } from 'node:os';
import { CONTROLLER_STEPS, measureController } from './deployments/controller.mjs';
import { HEALING_STEPS, measureHealing } from './deployments/healing.mjs';
import { round } from './lib/stats.mjs';

export const title =
  'Deployments: one change beside few and many others, growing, an idle look, reports, healing, going back';

/** What is measured of each; STARK_BENCH_PARTS names them, or some of what they consist of. */
const asked = process.env.STARK_BENCH_PARTS?.split(',');

export async function measure({ say }) {
  const load = [loadavg()[0]];
  const results = [];
  const details = {};
  for (const [name, part, steps] of [
    ['controller', measureController, CONTROLLER_STEPS],
    ['healing', measureHealing, HEALING_STEPS],
  ]) {
    const isAsked = (step) => asked === undefined || asked.includes(name) || asked.includes(step);
    if (asked !== undefined && !steps.concat(name).some((step) => asked.includes(step))) continue;
    const measured = await part({ say, isAsked });
    results.push(...measured.results);
    details[name] = measured.details;
    load.push(loadavg()[0]);
  }
  return {
    notes: [
      `Load at the start and after each part: ${load.map((it) => round(it)).join(', ')}.`,
      'Controller: processor time of a warm session in a throw-away database without fsync, everything of a transaction included; what is compared is measured in turn.',
      'Healing: real agents, each in a process of its own, on the embedded stack; heartbeats every 2 s, silence of 5 s; times are those of the events.',
    ],
    results,
    details,
  };
}
