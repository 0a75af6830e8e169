import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiCluster } from './api/cluster.mjs';
import { operations } from './api/operations.mjs';
import { startBenchStack } from './lib/stack.mjs';
import { median, percentile, round } from './lib/stats.mjs';

export const title =
  'The API over HTTP with 1,000 packs, 100 nodes and 5,000 pods, and each statement sent over a bare session';

const AIM_MS = 50;
const WARM_UP = 5;
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
      say(`${operation.name}: p50 ${round(run.p50)} ms, p95 ${round(run.p95)} ms, bare p50 ${round(run.bareP50)} ms`);
      results.push(
        { name: `${operation.name}: p50`, value: round(run.p50), unit: 'ms' },
        { name: '  p95', value: round(run.p95), unit: 'ms', aim: `< ${AIM_MS}`, met: run.p95 < AIM_MS },
        { name: '  p50 of the bare statement', value: round(run.bareP50), unit: 'ms' },
        { name: '  p50 by that', value: round(run.p50 / run.bareP50), unit: '×' },
      );
      details.push({ name: operation.name, ...run });
    }
  } finally {
    await cluster?.close();
    await stack?.stop();
    await rm(folder, { recursive: true, force: true });
  }
  return {
    notes: [
      `${SAMPLES} calls each, one after the other, over one kept connection, after ${WARM_UP} that do not count; fsync is on.`,
      'Bare: the same statement by the same user (role, claims, row level security) in a transaction of a pg session, in turn with the calls.',
      'The callers are a developer and, where that is not allowed, an admin; both are bound to the whole cluster.',
      'A deployment does not exist yet: scale-like are stopping, creating and deleting pods and changes of nodes and namespaces.',
    ],
    results,
    details,
  };
}

/** The calls over HTTP and the bare statements in turn, so that a busy moment of the machine hits both. */
async function measureOne(cluster, { as, call, bare }) {
  const samples = [];
  const bareSamples = [];
  for (let i = -WARM_UP; i < SAMPLES; i += 1) {
    const http = await cluster.timeCall(as, await call());
    const statement = await cluster.timeBare(as, ...(await bare()));
    if (i < 0) continue;
    samples.push(http);
    bareSamples.push(statement);
  }
  return {
    p50: median(samples),
    p95: percentile(samples, 0.95),
    bareP50: median(bareSamples),
    bareP95: percentile(bareSamples, 0.95),
    samples,
    bareSamples,
  };
}
