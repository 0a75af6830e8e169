import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiCluster, EMPTY_CALL } from './api/cluster.mjs';
import { operations } from './api/operations.mjs';
import { startBenchStack } from './lib/stack.mjs';
import { median, percentile, round } from './lib/stats.mjs';

export const title =
  'The API over HTTP with 1,000 packs, 100 nodes and 5,000 pods, beside an empty call through the same door and the bare statement';

const AIM_MS = 50;
const WARM_UP = 10;
/** How often a session is opened for one statement. */
const SESSIONS = 15;
const SAMPLES = Number(process.env.STARK_BENCH_SAMPLES ?? 60);

export async function measure({ say }) {
  const wanted = process.env.STARK_BENCH_OPERATIONS?.split(',');
  const folder = await mkdtemp(join(tmpdir(), 'stark-bench-api-'));
  const results = [];
  const details = [];
  let stack;
  let cluster;
  try {
    say('a stack with an empty data directory');
    stack = await startBenchStack(join(folder, 'data'));
    say('a cluster in it');
    cluster = await ApiCluster.open(stack);
    await cluster.fill();
    for (const operation of operations(cluster)) {
      if (wanted && !wanted.some((part) => operation.name.includes(part))) continue;
      const run = await measureOne(cluster, operation);
      const { http, empty, bare } = run;
      say(
        `${operation.name}: p50 ${round(http.p50)} ms, p95 ${round(http.p95)} ms; an empty call p50 ${round(empty.p50)} ms, p95 ${round(empty.p95)} ms; ` +
          `the bare statement p50 ${round(bare.p50)} ms`,
      );
      results.push(
        { name: `${operation.name}: p50`, value: round(http.p50), unit: 'ms' },
        { name: '  p95', value: round(http.p95), unit: 'ms', aim: `< ${AIM_MS}`, met: http.p95 < AIM_MS },
        { name: '  p95 of an empty call', value: round(empty.p95), unit: 'ms' },
        { name: '  p50 by that of an empty call', value: round(http.p50 / empty.p50), unit: '×' },
        { name: '  p50 by that of the bare statement', value: round(http.p50 / bare.p50), unit: '×' },
      );
      details.push({ name: operation.name, ...run });
      if (run.first) {
        say(`  as the first call of a session: p50 ${round(run.first.p50)} ms`);
        results.push({
          name: '  p50 of the bare statement as the first of a session',
          value: round(run.first.p50),
          unit: 'ms',
        });
      }
    }
  } finally {
    await cluster?.close();
    await stack?.stop();
    await rm(folder, { recursive: true, force: true });
  }
  return {
    notes: [
      `${SAMPLES} calls each, over one kept connection, after ${WARM_UP} that do not count; fsync is on.`,
      'In turn with each call go an empty one (select 1 as a function), what the way through the door alone costs, and the bare',
      'statement by the same user (role, claims, row level security) in a transaction of a pg session, what the database alone costs.',
      'First of a session: PostgREST closes connections that were idle for 30 seconds, so a quiet project pays for plans and working tables anew.',
      'The callers are a developer and, where that is not allowed, an admin; both are bound to the whole cluster.',
      'A deployment does not exist yet: scale-like are stopping, creating and deleting pods and changes of nodes and namespaces.',
    ],
    results,
    details,
  };
}

/** The call, an empty one and the bare statement in turn, so that a busy moment of the machine hits all three. */
async function measureOne(cluster, { as, call, bare, alsoFirst = false }) {
  const samples = { http: [], empty: [], bare: [], ...(alsoFirst ? { first: [] } : {}) };
  for (let i = -WARM_UP; i < SAMPLES; i += 1) {
    const http = await cluster.timeCall(as, await call());
    const empty = await cluster.timeCall(as, EMPTY_CALL);
    const statement = await cluster.timeBare(as, ...(await bare()));
    if (i < 0) continue;
    samples.http.push(http);
    samples.empty.push(empty);
    samples.bare.push(statement);
  }
  // Afterwards: a session that makes its working tables disturbs the others.
  if (alsoFirst)
    for (let i = 0; i < SESSIONS; i += 1) samples.first.push(await cluster.timeFirst(as, ...(await bare())));
  return Object.fromEntries(
    Object.entries(samples).map(([what, list]) => [
      what,
      { p50: median(list), p95: percentile(list, 0.95), samples: list },
    ]),
  );
}
