import { loadavg } from 'node:os';
import { measureController } from './deployments/controller.mjs';
import { measureHealing } from './deployments/healing.mjs';
import { round } from './lib/stats.mjs';

export const title =
  'Deployments: one change beside few and many others, growing, an idle look, reports, healing, going back';

const parts = process.env.STARK_BENCH_PARTS?.split(',') ?? ['controller', 'healing'];

export async function measure({ say }) {
  const load = [loadavg()[0]];
  const results = [];
  const details = {};
  for (const [name, part] of [
    ['controller', measureController],
    ['healing', measureHealing],
  ]) {
    if (!parts.includes(name)) continue;
    const measured = await part({ say });
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
