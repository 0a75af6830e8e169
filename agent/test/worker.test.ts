import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WantedPod } from '../src/reconciler/pod.js';
import { type BenchRun, type PodBench, podBench } from './support/pod-bench.js';
import { until } from './support/wait.js';

let bench: PodBench;
beforeAll(async () => {
  bench = await podBench();
  await mkdir(join(bench.folder, 'pods', 'neighbour', 'data'), { recursive: true });
  await writeFile(join(bench.folder, 'pods', 'neighbour', 'data', 'secret.txt'), 'theirs');
});
afterAll(() => bench.close());

function worker(source: string, changes: Partial<WantedPod> = {}): Promise<BenchRun> {
  return bench.run(source, { ...changes, spec: { isolation: 'worker', ...changes.spec } });
}

const WAIT = `export default async (ctx) => {
  console.log(process.pid);
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
  ctx.log.info('bye');
}`;

describe('a pack in a thread', () => {
  it('has the same context and the same life as in a process', async () => {
    const made = await worker(
      `import { isMainThread } from 'node:worker_threads';
      export default async (ctx) => {
        await ctx.storage.set('a', { n: 1 });
        ctx.ready();
        ctx.log.warn('stored', { value: await ctx.storage.get('a') });
        console.error(isMainThread, ctx.env.GREETING, process.env.GREETING, Object.isFrozen(ctx.config), ctx.ports.http);
        process.stdout.write('no line end');
      }`,
      { spec: { env: { GREETING: 'hello' } } },
    );
    expect(await made.outcome()).toEqual({ exitCode: 0, reason: 'Completed' });
    expect(made.seen).toEqual(['started', 'ready', 'exited']);
    expect(made.log().map(({ stream, level, message }) => [stream, level, message])).toEqual(
      expect.arrayContaining([
        ['stdout', 'warn', 'stored {"value":{"n":1}}'],
        ['stderr', undefined, 'false hello hello true undefined'],
        ['stdout', undefined, 'no line end'],
      ]),
    );
  });

  it('shares a process with pods of its owner in its namespace, and with nobody else', async () => {
    const same = await Promise.all([worker(WAIT), worker(WAIT)]);
    const others = await Promise.all([
      worker(WAIT, { owner: 'somebody-else' }),
      worker(WAIT, { namespace: 'other' }),
      worker(WAIT, { owner: null }),
      worker(WAIT, { owner: null }),
    ]);
    const all = [...same, ...others];
    const [first, second, ...rest] = await Promise.all(
      all.map((made) => until('its process', () => made.text() || undefined)),
    );
    expect(first).toBe(second);
    expect(new Set([first, ...rest]).size).toBe(5);
    for (const { run } of all) run.stop(5_000);
    for (const made of all) {
      expect(await made.outcome()).toEqual({ exitCode: 0, reason: 'Completed' });
      expect(made.text()).toMatch(/bye$/);
    }
  });

  it('ends with its code and reason, whatever it does, and its neighbour lives on', async () => {
    const neighbour = await worker(WAIT);
    await neighbour.started();
    const ends = [
      ['export default async () => { throw new TypeError("no disk"); }', 1, 'Error', 'TypeError: no disk'],
      [
        'export default () => new Promise(() => setTimeout(() => { throw new Error("late"); }, 20))',
        1,
        'Error',
        'Error: late',
      ],
      ['export default () => new Promise(() => { Promise.reject(new Error("unseen")); })', 1, 'Error', 'Error: unseen'],
      ['export default () => { process.exit(7); }', 7, 'Error', undefined],
      ['throw new Error("at load"); export default () => {}', 1, 'StartFailed', 'Error: at load'],
    ] as const;
    const made = await Promise.all(ends.map(([source]) => worker(source)));
    const outcomes = await Promise.all(made.map((one) => one.outcome()));
    expect(outcomes.map(({ exitCode, reason, message }) => [exitCode, reason, message])).toEqual(
      ends.map(([, ...expected]) => expected),
    );
    neighbour.run.stop(5_000);
    expect(await neighbour.outcome()).toEqual({ exitCode: 0, reason: 'Completed' });
  });

  it('that spins is measured, and killed when its grace period is over', async () => {
    const neighbour = await worker(WAIT);
    await neighbour.started();
    const made = await worker('export default () => { for (;;); }');
    await made.started();
    await until('its use of the processor', () => (bench.executor.usage().get(made.pod.id)?.cpu ?? 0) > 20, 20_000);
    expect(bench.executor.usage().get(neighbour.pod.id)?.cpu).toBeLessThan(20);
    made.run.stop(100);
    expect(await made.outcome()).toMatchObject({ exitCode: 137, reason: 'Killed' });
    neighbour.run.stop(5_000);
    expect(await neighbour.outcome()).toMatchObject({ reason: 'Completed' });
  });

  it('that fills its heap is OOMKilled alone', async () => {
    const neighbour = await worker(WAIT);
    await neighbour.started();
    const made = await worker('export default () => { const all = []; for (;;) all.push({ x: Math.random() }); }', {
      spec: { resources: { requests: { memory: 32 } } },
    });
    expect(await made.outcome(30_000)).toMatchObject({ exitCode: 134, reason: 'OOMKilled' });
    neighbour.run.stop(5_000);
    expect(await neighbour.outcome()).toMatchObject({ reason: 'Completed' });
  });

  it('that fills memory outside its heap is OOMKilled alone, if it ever yields', async () => {
    const neighbour = await worker(WAIT);
    await neighbour.started();
    const made = await worker(
      `export default async () => {
        const all = [];
        for (;;) { all.push(Buffer.alloc(4 * 1024 * 1024, 1)); await new Promise((resolve) => setTimeout(resolve, 20)); }
      }`,
      { spec: { resources: { requests: { memory: 32 } } } },
    );
    expect(await made.outcome(20_000)).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
    neighbour.run.stop(5_000);
    expect(await neighbour.outcome()).toMatchObject({ reason: 'Completed' });
  });

  it('whose process is ended by something else says so', async () => {
    const pods = await Promise.all([worker(WAIT), worker(WAIT)]);
    const [pid] = await Promise.all(pods.map((made) => until('its process', () => made.text() || undefined)));
    expect(Number(pid)).toBeGreaterThan(1);
    process.kill(Number(pid), 'SIGKILL');
    for (const made of pods) {
      expect(await made.outcome()).toEqual({
        exitCode: 137,
        reason: 'Killed',
        message: 'the process that it shares with other pods of its owner ended by SIGKILL',
      });
    }
  });
});

describe('a hostile pack in a thread', () => {
  // One pod tries everything: what each attempt prints is its name and `got …` or `refused <code>`.
  const ATTEMPTS: Record<string, string> = {
    'a file of the machine': 'fs.readFileSync("/etc/passwd", "utf8")',
    'a folder of the machine': 'fs.promises.readdir("/etc")',
    'the environment of the agent': 'fs.readFileSync("/proc/" + process.ppid + "/environ")',
    'the memory of its process': 'fs.openSync("/proc/self/mem", "r+")',
    'a neighbour': 'fs.readFileSync(agentFolder + "/pods/neighbour/data/secret.txt", "utf8")',
    'the list of pods': 'fs.readdirSync(agentFolder + "/pods")',
    'a link to the outside': '(fs.symlinkSync("/etc/passwd", dir + "/link"), fs.readFileSync(dir + "/link", "utf8"))',
    'a hard link to the outside': '(fs.linkSync("/etc/passwd", dir + "/hard"), fs.readFileSync(dir + "/hard"))',
    'the folder of its process': 'fs.writeFileSync("escaped", "x")',
    'a program': 'cp.execFileSync("id")',
    'a process': 'cp.fork(process.argv[1])',
    'a thread': 'new Worker("1", { eval: true })',
    'a thread without limits': 'new Worker("1", { eval: true, execArgv: [] })',
    'hooks of the loader': 'modules.register("data:text/javascript,")',
    'the debugger': 'inspector.open(0)',
    'a session with itself': 'new inspector.Session().connect()',
    'a session with the main thread': 'new inspector.Session().connectToMainThread()',
    'the end of its process': 'process.kill(process.pid, "SIGKILL")',
    'the end of the agent': 'process.kill(process.ppid, "SIGKILL")',
    'the end of the agent another way': 'process._kill(process.ppid, 9)',
    'the debugger of the agent': 'process.kill(process.ppid, "SIGUSR1")',
    'the priority of the agent': 'os.setPriority(process.ppid, 19)',
    'the engine of its process': 'v8.setFlagsFromString("--single-threaded")',
    'machine code': 'process.dlopen({ exports: {} }, "/lib/x86_64-linux-gnu/libc.so.6")',
    internals: 'process.binding("spawn_sync")',
    'socket files': 'net.connect("/var/run/docker.sock")',
    'a socket file': 'net.createServer().listen(dir + "/mine.sock")',
    'another folder': 'process.chdir("/")',
    'another user': 'process.setuid(1)',
    'the end by abort': 'process.abort()',
    'a heap snapshot elsewhere': 'v8.writeHeapSnapshot("/tmp/stark.heapsnapshot")',
    'a report elsewhere': 'process.report.writeReport("/tmp/stark-report.json")',
  };

  it('gets nothing that it reaches for', async () => {
    process.env.STARK_TEST_SECRET = 'do-not-inherit';
    const made = await worker(`
      import fs from 'node:fs'; import os from 'node:os'; import cp from 'node:child_process'; import v8 from 'node:v8'; import net from 'node:net';
      import inspector from 'node:inspector'; import { Worker } from 'node:worker_threads'; import * as modules from 'node:module';
      const agentFolder = ${JSON.stringify(bench.folder)};
      const dir = process.env.STARK_DATA_DIR;
      const attempts = { ${Object.entries(ATTEMPTS)
        .map(([what, expression]) => `${JSON.stringify(what)}: () => ${expression}`)
        .join(',\n')} };
      export default async () => {
        for (const [what, attempt] of Object.entries(attempts)) {
          try { console.log(what + ': got', await attempt()); } catch (error) { console.log(what + ': refused', error.code ?? error.message); }
        }
        console.log('environment:', JSON.stringify([process.env, process.argv, process.execArgv, process.report.getReport().environmentVariables]));
      };`);
    delete process.env.STARK_TEST_SECRET;
    expect(await made.outcome()).toEqual({ exitCode: 0, reason: 'Completed' });
    const said = made.text();
    for (const what of Object.keys(ATTEMPTS)) {
      expect(said).toMatch(
        // Node.js 20.19 means its refusal of a promise, and says something else.
        new RegExp(
          `^${what}: refused (ERR_(ACCESS_DENIED|DLOPEN_DISABLED|WORKER_UNSUPPORTED_OPERATION)|Method Promise\\.)`,
          'm',
        ),
      );
    }
    expect(said).toContain('environment: [');
    expect(said).not.toContain('do-not-inherit');
  });

  it('still serves and calls by TCP, and opens its client of the project', async () => {
    const made = await worker(`import http from 'node:http';
      export default async (ctx) => {
        const server = http.createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
        await new Promise((resolve) => server.once('listening', resolve));
        console.log(await (await ctx.fetch('http://127.0.0.1:' + server.address().port)).text());
        console.log((await ctx.supabase()).supabaseUrl);
        process.exit(0);
      };`);
    await made.outcome(20_000);
    expect(made.text()).toBe('hello\nhttp://127.0.0.1:9');
  });
});
