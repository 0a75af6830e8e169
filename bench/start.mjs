import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { memoryOfTree } from './lib/process-tree.mjs';
import { startBenchStack } from './lib/stack.mjs';
import { round } from './lib/stats.mjs';

export const title = 'The stack: cold and warm start, memory when idle';

const ROUNDS = 2;
const IDLE_MS = 8_000;

export async function measure({ say }) {
  const folder = await mkdtemp(join(tmpdir(), 'stark-bench-start-'));
  const cold = [];
  const warm = [];
  let idle;
  let called;
  let steps;
  try {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const dataDir = join(folder, `data-${round}`);
      say(`cold start ${round}: empty data directory`);
      const first = await startBenchStack(dataDir);
      cold.push(first.ms);
      steps ??= first.steps;
      await first.stop();
      say(`warm start ${round}: the same data directory`);
      const second = await startBenchStack(dataDir);
      warm.push(second.ms);
      if (round === ROUNDS) {
        say(`idle for ${IDLE_MS / 1_000} s`);
        await delay(IDLE_MS);
        idle = memoryOfTree(second.pid);
        say('one call of the Edge Function api');
        await callFunction(second);
        called = memoryOfTree(second.pid);
      }
      await second.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const [coldS, warmS] = [Math.max(...cold) / 1_000, Math.max(...warm) / 1_000];
  return {
    notes: [
      'A start is counted from the spawn of the Node.js process to the moment at which every service answers.',
      'Memory is that of the whole process tree, Postgres and Edge Functions included. PSS shares out common pages.',
      `${idle.processes.length} processes when idle: Node.js and Postgres; an Edge Function adds a Deno process while it is warm.`,
    ],
    results: [
      { name: `cold start, slowest of ${ROUNDS}`, value: round(coldS, 2), unit: 's', aim: '≤ 8', met: coldS <= 8 },
      { name: `warm start, slowest of ${ROUNDS}`, value: round(warmS, 2), unit: 's', aim: '≤ 4', met: warmS <= 4 },
      { name: 'idle memory, sum of PSS', value: round(idle.pssMb), unit: 'MB', aim: '≤ 500', met: idle.pssMb <= 500 },
      { name: 'idle memory, sum of RSS', value: round(idle.rssMb), unit: 'MB', aim: '≤ 500', met: idle.rssMb <= 500 },
      { name: 'after a call of an Edge Function, sum of PSS', value: round(called.pssMb), unit: 'MB' },
      { name: 'after a call of an Edge Function, sum of RSS', value: round(called.rssMb), unit: 'MB' },
    ],
    details: { cold, warm, steps, processes: idle.processes, processesAfterCall: called.processes },
  };
}

async function callFunction({ url, keys }) {
  const answer = await fetch(`${url}/functions/v1/api/auth/setup`, { headers: { apikey: keys.publishable } });
  if (!answer.ok) throw new Error(`The Edge Function answered ${answer.status}: ${await answer.text()}`);
}
