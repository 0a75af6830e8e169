import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureIdle } from './agents/idle.mjs';
import { billOf } from './agents/report.mjs';
import { BenchAdmin } from './lib/admin.mjs';
import { startBenchStack } from './lib/stack.mjs';
import { round } from './lib/stats.mjs';

export const title = 'Idle agents: leases, statements, messages, memory';

const SIZES = (process.env.STARK_BENCH_AGENTS ?? '100,500').split(',').map(Number);
const MINUTES = Number(process.env.STARK_BENCH_MINUTES ?? 5);

const THRIFTY = SIZES[0];

export async function measure({ say }) {
  const folder = await mkdtemp(join(tmpdir(), 'stark-bench-agents-'));
  const fast = [];
  let thrifty;
  let stack;
  let admin;
  try {
    // 500 agents are more connections than Pro has room for.
    stack = await startBenchStack(join(folder, 'data'), { plan: 'team' });
    admin = await BenchAdmin.setUp(stack);
    const idle = (count, liveness) => {
      say(`${count} agents for ${MINUTES} minutes, ${liveness}`);
      return measureIdle({ stack, admin, count, ms: MINUTES * 60_000, liveness });
    };
    for (const count of SIZES) fast.push(await idle(count, 'fast'));
    thrifty = await idle(THRIFTY, 'thrifty');
  } finally {
    await admin?.close();
    await stack?.stop();
    await rm(folder, { recursive: true, force: true });
  }
  const [least] = fast;
  return {
    notes: [
      `Real agents over HTTP and Realtime, many in one process, with an executor that runs nothing; ${MINUTES} minutes each.`,
      'A lease is missed when a look, every 2 s, finds a node that is not healthy or gave no sign for its timeout.',
      'Transactions are all of the database, the stack’s own included; once a minute each agent asks what to run.',
      'What Supabase counts is counted by the local Realtime by the same rule: one sent, and one for each who receives it.',
    ],
    results: [
      ...[...fast, thrifty].flatMap((idle) => [
        {
          name: `${idle.count} agents, ${idle.liveness}: leases missed`,
          value: idle.leases.missed,
          unit: `in ${idle.leases.samples} looks`,
          aim: '0',
          met: idle.leases.missed === 0,
        },
        { name: '  oldest sign of life', value: round(idle.leases.oldestS), unit: 's' },
        {
          name: '  statements caused by heartbeats, reports of the watchers',
          value: round(idle.reportsPerMinute / 60, 2),
          unit: 'per second',
          aim: 'as with the fewest',
          met: idle.reportsPerMinute <= least.reportsPerMinute * 1.25,
        },
        { name: '  memory of one agent', value: round(idle.agentMb, 2), unit: 'MB' },
      ]),
      ...billOf([...fast, thrifty]),
    ],
    details: [...fast, thrifty],
  };
}
