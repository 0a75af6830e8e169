import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PodBench, podBench } from './support/pod-bench.js';
import { until } from './support/wait.js';

let bench: PodBench;
beforeAll(async () => {
  bench = await podBench();
  await mkdir(join(bench.folder, 'pods', 'neighbour', 'data'), { recursive: true });
  await writeFile(join(bench.folder, 'pods', 'neighbour', 'data', 'secret.txt'), 'theirs');
  await writeFile(join(bench.folder, 'credentials.json'), 'ours');
});
afterAll(() => bench.close());

/** Runs one expression in a pod; gives what it printed: `got …` or `refused <code>`. */
async function attempt(expression: string): Promise<string> {
  const made = await bench.run(`
    import fs from 'node:fs'; import os from 'node:os'; import cp from 'node:child_process'; import v8 from 'node:v8';
    import inspector from 'node:inspector'; import cluster from 'node:cluster'; import { Worker } from 'node:worker_threads';
    import { setPriority } from 'node:os';
    export default async (ctx) => {
      const agentFolder = ${JSON.stringify(bench.folder)};
      try { console.log('got', await (${expression})); } catch (error) { console.log('refused', error.code ?? error.message); }
    };`);
  await made.outcome();
  return made.text();
}

describe('a hostile pack', () => {
  it.each([
    ['require.resolve', 'createRequire(import.meta.url).resolve(path)'],
    ['require', 'createRequire(import.meta.url)(path)'],
    ['require from elsewhere', 'createRequire("/etc/")("./" + path.split("/").pop())'],
    ['the loader itself', '(createRequire(import.meta.url)("node:module")._findPath(path, [""]) || "nothing")'],
    ['the nearest package.json', 'String(createRequire("/x.js")("node:module").findPackageJSON?.("file://" + path))'],
    ['the loader of package.json', 'String(createRequire("/x.js")("node:module")._readPackage?.(path)?.exists)'],
    ['realpath', 'fs.realpathSync(path)'],
    ['realpath, natively', 'fs.realpathSync.native(path)'],
    ['realpath, by a promise', 'fs.promises.realpath(path)'],
    ['realpath, from the folder', 'fs.realpathSync("." + "/..".repeat(20) + path)'],
    // On Node.js 20 no hook of ours is asked.
    ...(process.versions.node.startsWith('20.') ? [] : [['import', 'import(path)']]),
  ])('is not told by %s which files there are', async (_what, expression) => {
    const made = await bench.run(`
      import fs from 'node:fs'; import { createRequire } from 'node:module';
      const ask = async (path) => {
        try { return 'got ' + await (${expression}); }
        catch (error) { return error.code + ' ' + error.message.split('\\n')[0].replace(/'.*'/, '?'); }
      };
      export default async () => {
        for (const path of ['/etc/nothing', '/etc/hosts', '/etc', ${JSON.stringify(join(bench.folder, 'credentials.json'))}]) console.log(await ask(path));
      };`);
    await made.outcome();
    const answers = made.text().split('\n');
    expect(answers).toHaveLength(4);
    // The one that is not there, a file, a folder, a file of the agent's own.
    expect(new Set(answers).size, made.text()).toBe(1);
  });

  it('finds what it may read, and its libraries', async () => {
    const made = await bench.run(`
      import { createRequire } from 'node:module'; import fs from 'node:fs';
      export default async (ctx) => {
        fs.writeFileSync('own.cjs', 'module.exports = 5'); fs.writeFileSync('own.mjs', 'export default 6');
        const require = createRequire(process.cwd() + '/x.js');
        console.log(require('./own.cjs'), (await import(process.cwd() + '/own.mjs')).default, typeof (await ctx.supabase()).from);
      };`);
    await made.outcome();
    expect(made.text()).toBe('5 6 function');
  });

  it('finds no credentials in its environment, arguments or open files', async () => {
    process.env.STARK_TEST_SECRET = 'do-not-inherit';
    try {
      const text = await attempt('JSON.stringify([process.env, process.argv, process.execArgv])');
      expect(text).toMatch(/^got /);
      expect(text).not.toContain('do-not-inherit');
      expect(
        await attempt(
          '[3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 20, 21, 22, 23, 24, 25].map((fd) => { try { fs.fstatSync(fd); return fs.readlinkSync("/proc/self/fd/" + fd) } catch { return "" } }).join("")',
        ),
      ).toBe('got ');
    } finally {
      delete process.env.STARK_TEST_SECRET;
    }
  });

  it('that fills its heap is OOMKilled', async () => {
    const made = await bench.run(
      'export default () => { const all = []; for (;;) all.push({ x: Math.random(), y: String(Math.random()) }); }',
      {
        spec: { resources: { requests: { memory: 48 } } },
      },
    );
    expect(await made.outcome(60_000)).toMatchObject({ exitCode: 134, reason: 'OOMKilled' });
  }, 90_000);

  it('that fills memory outside its heap is OOMKilled', async () => {
    const made = await bench.run(
      `export default async () => {
        const all = [];
        for (;;) { all.push(Buffer.alloc(8 * 1024 * 1024, 1)); await new Promise((resolve) => setTimeout(resolve, 15)); }
      }`,
      { spec: { resources: { requests: { memory: 48 } } } },
    );
    expect(await made.outcome(60_000)).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  }, 90_000);

  it('that floods its log loses its own lines, and its neighbour none', async () => {
    const flood = await bench.run(
      'export default async () => { for (let n = 0; ; n++) process.stdout.write("flood " + n + "\\n"); }',
    );
    const quiet = await bench.run(`export default async () => {
      for (let n = 0; n < 20; n++) { console.log('quiet', n); await new Promise((resolve) => setTimeout(resolve, 50)); }
    }`);
    await quiet.outcome();
    const isDropped = ({ stream, message }: { stream: string; message: string }) =>
      stream === 'platform' && /^dropped \d+ lines/.test(message);
    await until('lines to be dropped', () => flood.log().some(isDropped));
    flood.run.stop(0);
    await flood.outcome();
    expect(quiet.log().map((line) => line.message)).toEqual(Array.from({ length: 20 }, (_, n) => `quiet ${n}`));
    expect(flood.log().length).toBeLessThan(50_000);
  });

  it('that prints one endless line costs a bounded amount', async () => {
    const made = await bench.run('export default () => { process.stdout.write("x".repeat(5_000_000) + "\\nend\\n"); }');
    await made.outcome();
    const [first, second] = made.log().map((line) => line.message);
    expect(first?.length).toBe(16 * 1024);
    expect(first).toMatch(/… \(cut at 16 KiB\)$/);
    expect(second).toBe('end');
  });

  it('that forges messages to the agent speaks for itself only', async () => {
    const made = await bench.run(`import fs from 'node:fs'; export default async () => {
      for (const message of [null, 1, 'x', { type: 'exited' }, { type: 'failed' }, { type: 'started' }, { type: 'init' }]) fs.writeSync(3, JSON.stringify(message) + '\\n');
      fs.writeSync(3, 'no JSON\\n' + 'x'.repeat(100_000) + '\\n');
      console.log(process.send, process.channel);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }`);
    expect(await made.outcome()).toEqual({ exitCode: 0, reason: 'Completed' });
    expect(made.seen).toEqual(['started', 'exited']);
    expect(made.text()).toBe('undefined undefined');
  });

  it('that cuts its channel to the agent is ended', async () => {
    const made = await bench.run('import fs from "node:fs"; export default () => { fs.closeSync(3); for (;;); }');
    expect(await made.outcome()).toMatchObject({ reason: 'Killed', message: 'it closed its channel to the agent' });
  });

  it('leaves nothing behind outside its folder', () => {
    expect(existsSync(join(bench.folder, 'pods', 'escaped'))).toBe(false);
  });
});
