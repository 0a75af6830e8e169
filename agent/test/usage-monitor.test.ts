import { readdirSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PodBench, podBench } from './support/pod-bench.js';
import { until } from './support/wait.js';

let bench: PodBench;
beforeAll(async () => {
  bench = await podBench();
});
afterAll(() => bench.close());

const SPIN = 'export default (ctx) => { console.log(process.pid); for (;;); }';

describe('what a pod uses', () => {
  it('is measured: processor, memory, disk', async () => {
    const spinning = await bench.run(SPIN);
    const keeping = await bench.run(`import fs from 'node:fs';
      export default async (ctx) => {
        const kept = Buffer.alloc(80 * 1024 * 1024, 1);
        fs.writeFileSync('some', kept.subarray(0, 3 * 1024 * 1024));
        await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
        console.log(kept.length);
      }`);
    const measured = await until('measurements of both', () => {
      const [busy, full] = [spinning, keeping].map(({ pod }) => bench.executor.usage().get(pod.id));
      const is = (amount = 0, least = 0) => amount > least;
      return is(busy?.cpu, 100) && is(full?.memory, 100) && is(full?.storage) && { busy, full };
    });
    expect(measured.busy?.cpu).toBeLessThan(1_100);
    expect(measured.full?.memory).toBeLessThan(250);
    expect(measured.full?.storage).toBe(3);
    for (const { run } of [spinning, keeping]) run.stop(500);
    await Promise.all([spinning.outcome(), keeping.outcome()]);
    expect(bench.executor.usage().size).toBe(0);
  });

  it.each(['process', 'worker'] as const)('has the numbers that it tells of itself, in a %s', async (isolation) => {
    const made = await bench.run(
      `export default async (ctx) => {
        for (let i = 0; i < 1_000; i++) ctx.metric('queue', i);
        ctx.metric('latency', 0.5);
        await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
      }`,
      { spec: { isolation } },
    );
    const told = await until('its numbers', () => bench.executor.usage().get(made.pod.id)?.metrics);
    expect(told).toEqual({ queue: 999, latency: 0.5 });
    made.run.stop(500);
    await made.outcome();
    expect(bench.executor.usage().get(made.pod.id)).toBeUndefined();
  });

  it.runIf(process.platform === 'linux')('gives way to the agent in all of its threads', async () => {
    const spinning = await Promise.all(Array.from({ length: 4 }, () => bench.run(SPIN)));
    await Promise.all(spinning.map((made) => until('its process id', () => made.text() !== '')));
    for (const made of spinning) {
      const folder = `/proc/${made.text()}/task`;
      const nice = readdirSync(folder).map(
        (thread) => readFileSync(`${folder}/${thread}/stat`, 'utf8').split(') ')[1]?.split(' ')[16],
      );
      expect(new Set(nice)).toEqual(new Set(['5']));
    }
    // With every processor wanted twice over, the agent's own timers still come when they should.
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    await until('a second of spinning', () => delay.count >= 80);
    delay.disable();
    for (const { run } of spinning) run.stop(0);
    await Promise.all(spinning.map((made) => made.outcome()));
    expect(delay.percentile(50) / 1e6).toBeLessThan(50);
  });
});

describe('a pod that fills the disk', () => {
  const spec = { resources: { limits: { storage: 4 } } };

  it.runIf(process.platform === 'linux')('cannot make a file larger than its limit', async () => {
    const made = await bench.run(
      // At once behind the limit: 4 MB that are kept until the process has ended could be seen and be too much with their folder.
      `import fs from 'node:fs'; export default () => fs.writeSync(fs.openSync('big', 'w'), 'x', 5 * 1024 * 1024);`,
      { spec },
    );
    expect(await made.outcome()).toMatchObject({ reason: 'Error', message: 'Error: EFBIG: file too large, write' });
  });

  it.concurrent.each([
    ['in many files', `fs.writeFileSync(String(n), block)`],
    ['in its storage', `await ctx.storage.set(String(n), 'x'.repeat(1024 * 1024))`],
    [
      'in files that no folder names',
      `{ const fd = fs.openSync(String(n), 'w'); fs.writeSync(fd, block); fs.unlinkSync(String(n)); }`,
    ],
  ])('is ended: %s', async (_how, write) => {
    const made = await bench.run(
      `import fs from 'node:fs';
      export default async (ctx) => {
        const block = Buffer.alloc(1024 * 1024, 1);
        for (let n = 0; n < 6; n++) ${write};
        await new Promise(() => setInterval(() => {}, 1000));
      };`,
      { spec },
    );
    const outcome = await made.outcome();
    expect(outcome).toMatchObject({ reason: 'StorageExceeded', exitCode: 137 });
    expect(outcome.message).toMatch(/^it keeps \d+ MB on disk, its limit is 4 MB$/);
  });
});
