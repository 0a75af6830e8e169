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

export async function measure({ say }) {
  const folder = await mkdtemp(join(tmpdir(), 'stark-bench-agents-'));
  const details = [];
  let stack;
  let admin;
  try {
    stack = await startBenchStack(join(folder, 'data'));
    admin = await BenchAdmin.setUp(stack);
    for (const count of SIZES) {
      say(`${count} agents for ${MINUTES} minutes`);
      details.push(
        await measureIdle({ stack, database: admin.database, token: await admin.token(), count, ms: MINUTES * 60_000 }),
      );
    }
  } finally {
    await admin?.close();
    await stack?.stop();
    await rm(folder, { recursive: true, force: true });
  }
  const [least] = details;
  return {
    notes: [
      `Real agents over HTTP and Realtime, many in one process, with an executor that runs nothing; ${MINUTES} minutes each, liveness fast.`,
      'A lease is missed when a look, every 2 s, finds a node that is not healthy or gave no sign for 30 s.',
      'Transactions are all of the database, the stack’s own included; once a minute each agent asks what to run.',
    ],
    results: [
      ...details.flatMap((idle) => [
        {
          name: `${idle.count} agents: leases missed`,
          value: idle.leases.missed,
          unit: `in ${idle.leases.samples} looks`,
          aim: '0',
          met: idle.leases.missed === 0,
        },
        { name: '  oldest sign of life', value: round(idle.leases.oldestS), unit: 's' },
        {
          name: '  words of the watchers',
          value: round(idle.wordsPerMinute),
          unit: 'per minute',
          aim: 'as with the fewest',
          met: idle.wordsPerMinute <= least.wordsPerMinute * 1.25,
        },
        { name: '  transactions', value: round(idle.transactionsPerSecond), unit: 'per second' },
        { name: '  memory of one agent', value: round(idle.agentMb, 2), unit: 'MB' },
      ]),
      ...billOf(details[0]),
    ],
    details,
  };
}
