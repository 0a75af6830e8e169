import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PodBench, podBench } from './support/pod-bench.js';
import { until } from './support/wait.js';

let bench: PodBench;
beforeAll(async () => {
  bench = await podBench();
});
afterAll(() => bench.close());

describe('a pack in its process', () => {
  it('is given its context and nothing else', async () => {
    const made = await bench.run(
      `export default async (ctx) => {
        await ctx.storage.set('a/b', { n: 1 });
        await ctx.storage.set('c', 'x');
        await ctx.storage.delete('c');
        console.log(JSON.stringify({
          pod: ctx.pod, pack: ctx.pack, node: ctx.node, config: ctx.config, env: ctx.env, ports: ctx.ports,
          stored: await ctx.storage.get('a/b'), missing: await ctx.storage.get('c') ?? null, keys: await ctx.storage.keys(),
          processEnv: process.env, aborted: ctx.signal.aborted, argv: process.argv.length, frozen: Object.isFrozen(ctx.config),
        }));
      }`,
      { spec: { config: { depth: { n: 2 } }, env: { GREETING: 'hello' } } },
      { http: 41_000 },
    );
    expect(await made.outcome()).toEqual({ exitCode: 0, reason: 'Completed' });
    const seen = JSON.parse(made.text());
    expect(seen).toMatchObject({
      pod: { id: made.pod.id, name: made.pod.name, namespace: 'default', labels: { app: 'test' } },
      pack: { name: 'test', version: '1.0.0' },
      node: { name: 'bench' },
      config: { depth: { n: 2 } },
      ports: { http: 41_000 },
      stored: { n: 1 },
      missing: null,
      keys: ['a/b'],
      aborted: false,
      argv: 2,
      frozen: true,
    });
    expect(Object.keys(seen.processEnv).sort()).toEqual([
      'GREETING',
      'HOME',
      'STARK_DATA_DIR',
      'STARK_NAMESPACE',
      'STARK_NODE_NAME',
      'STARK_PACK',
      'STARK_POD_ID',
      'STARK_POD_NAME',
      'STARK_VERSION',
      'TMPDIR',
    ]);
    expect(made.seen).toEqual(['started', 'exited']);
  });

  it('gets a client of the project that is signed in as nobody', async () => {
    const made = await bench.run(`export default async (ctx) => {
      const client = await ctx.supabase();
      const { data } = await client.auth.getSession();
      console.log(client === await ctx.supabase(), client.supabaseUrl, client.supabaseKey, data.session);
      const channel = client.channel('some');
      const status = await new Promise((resolve) => channel.subscribe(resolve));
      console.log(status);
      process.exit(0);
    }`);
    await made.outcome();
    expect(made.text()).toBe('true http://127.0.0.1:9 sb_publishable_test null\nCHANNEL_ERROR');
  });

  it('logs by level, prints lines, and keeps their order', async () => {
    const made = await bench.run(`export default (ctx) => {
      ctx.log.info('up', { port: 1 });
      console.log('plain');
      ctx.log.warn('two\\nlines');
      console.error('to stderr');
      process.stdout.write('no line end');
    }`);
    await made.outcome();
    const stdout = made.log().filter((line) => line.stream === 'stdout');
    expect(stdout.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'up {"port":1}'],
      [undefined, 'plain'],
      ['warn', 'two\nlines'],
      [undefined, 'no line end'],
    ]);
    expect(
      made
        .log()
        .filter((line) => line.stream === 'stderr')
        .map((line) => line.message),
    ).toEqual(['to stderr']);
    const numbers = made.log().map((line) => line.seq);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('says when it is ready, and ends when it is asked to', async () => {
    const made = await bench.run(`export default async (ctx) => {
      ctx.ready(); ctx.ready();
      await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
      ctx.log.info('bye');
    }`);
    await until('readiness', () => made.seen.includes('ready'));
    made.run.stop(5_000);
    expect(await made.outcome()).toEqual({ exitCode: 0, reason: 'Completed' });
    expect(made.text()).toBe('bye');
  });

  it('is killed when it does not end within its grace period', async () => {
    const made = await bench.run('export default () => { for (;;); }');
    await made.started();
    made.run.stop(200);
    const before = Date.now();
    expect(await made.outcome()).toMatchObject({ exitCode: 137, reason: 'Killed' });
    expect(Date.now() - before).toBeLessThan(3_000);
  });

  it.each([
    ['throws', 'export default async () => { throw new TypeError("no disk"); }', 1, 'Error', 'TypeError: no disk'],
    [
      'throws in a timer',
      'export default () => new Promise(() => setTimeout(() => { throw new Error("late"); }, 20))',
      1,
      'Error',
      'Error: late',
    ],
    [
      'rejects unseen',
      'export default () => new Promise(() => { Promise.reject(new Error("unseen")); })',
      1,
      'Error',
      'Error: unseen',
    ],
    ['exits', 'export default () => { process.exit(7); }', 7, 'Error', undefined],
    [
      'kills itself',
      'export default () => { process.kill(process.pid, "SIGKILL"); return new Promise(() => {}); }',
      137,
      'Killed',
      'ended by SIGKILL',
    ],
    ['cannot be loaded', 'throw new Error("at load"); export default () => {}', 1, 'StartFailed', 'Error: at load'],
    ['imports what is not there', 'import "left-pad"; export default () => {}', 1, 'StartFailed', undefined],
  ])('that %s ends with its code and reason', async (_what, source, exitCode, reason, message) => {
    const made = await bench.run(source);
    const outcome = await made.outcome();
    expect(outcome).toMatchObject({ exitCode, reason });
    expect(outcome.permanent).toBeUndefined();
    if (message !== undefined) expect(outcome.message).toBe(message);
  });

  it.each([
    ['has no default export', 'export const other = 1', 'the bundle\'s export "default" is missing, not a function'],
    [
      'exports no function',
      'export default { run() {} }',
      'the bundle\'s export "default" is of type object, not a function',
    ],
    ['is not JavaScript', 'export default (', 'SyntaxError: Unexpected end of input'],
  ])('that %s is not tried again', async (_what, source, message) => {
    const made = await bench.run(source);
    expect(await made.outcome()).toMatchObject({ reason: 'StartFailed', permanent: true, message });
    expect(made.seen).toEqual(['exited']);
  });

  it('keeps its data over a restart and loses it when it is discarded', async () => {
    const source = `export default async (ctx) => {
      const runs = ((await ctx.storage.get('runs')) ?? 0) + 1;
      await ctx.storage.set('runs', runs);
      console.log(runs);
    }`;
    const first = await bench.run(source);
    await first.outcome();
    const second = await bench.run(source, { id: first.pod.id });
    await second.outcome();
    expect(second.text()).toBe('1\n2');
    await bench.executor.discard(first.pod.id);
    expect(existsSync(first.dataDir)).toBe(false);
  });

  it('leaves data of no longer known pods to a sweep', async () => {
    const made = await bench.run('export default () => {}');
    await made.outcome();
    await bench.executor.sweep(new Set(['somebody-else']));
    expect(await readdir(`${bench.folder}/pods`)).toEqual([]);
  });
});
