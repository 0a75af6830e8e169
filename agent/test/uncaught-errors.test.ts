import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BenchRun, type PodBench, podBench } from './support/pod-bench.js';
import { until } from './support/wait.js';

let bench: PodBench;
beforeAll(async () => {
  bench = await podBench();
});
afterAll(() => bench.close());

/** Kept alive until somebody ends it. */
const FOR_EVER = 'await new Promise(() => setInterval(() => {}, 1000));';

describe.each(['process', 'worker'] as const)('a pack, isolated as %s,', (isolation) => {
  const run = (source: string): Promise<BenchRun> => bench.run(source, { spec: { isolation } });

  // Its process is the others' too, so that it is started once.
  if (isolation === 'worker')
    beforeAll(async () => void (await (await run(`export default async () => { ${FOR_EVER} }`)).started()));

  it.each([
    [
      'whose stack throws',
      'const e = new Error("x"); Object.defineProperty(e, "stack", { get() { throw 1; } }); throw e;',
    ],
    ['without a prototype', 'throw Object.create(null);'],
    ['that is a symbol', 'throw Symbol("boom");'],
    [
      'while a formatter of stacks throws',
      'Error.prepareStackTrace = () => { throw new Error("nope"); }; throw new Error("x");',
    ],
    ['whose message throws', 'throw Object.defineProperties(new Error(), { message: { get() { throw 1; } } });'],
    ['that is a revoked proxy', 'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy;'],
    [
      'that is a proxy whose every use throws',
      'throw new Proxy(new Error("x"), { get() { throw 1; }, getPrototypeOf() { throw 2; }, ownKeys() { throw 3; } });',
    ],
    [
      'with a property that throws',
      'throw Object.defineProperty(new Error("x"), "detail", { enumerable: true, get() { throw 1; } });',
    ],
    ['that is its own cause', 'const e = new Error("x"); e.cause = e; e.errors = [e]; throw e;'],
    ['that is a promise', 'throw Promise.resolve(1);'],
    ['that is a promise, never kept', 'throw new Promise(() => {});'],
    ['that is a function', 'throw () => {};'],
    [
      'that is of a class whose toJSON throws',
      'class E extends Error { toJSON() { throw 1; } get name() { throw 2; } toString() { throw 3; } } throw new E("x");',
    ],
    ['that shows itself by throwing', 'throw { [Symbol.for("nodejs.util.inspect.custom")]() { throw 1; } };'],
    ['with ten million letters', 'throw new Error("x".repeat(1e7));'],
    ['after JSON is broken', 'JSON.stringify = () => { throw new Error("no JSON"); }; throw new Error("x");'],
    ['after its output is broken', 'process.stdout.write = () => { throw new Error("no"); }; throw new Error("x");'],
    [
      'while a listener of its end throws',
      'process.on("exit", () => { throw new Error("at exit"); }); throw new Error("x");',
    ],
    ['and another while it fails', 'setImmediate(() => { throw new Error("second"); }); throw new Error("x");'],
  ])('ends when it throws an error %s', async (_what, body) => {
    const made = await run(`export default async () => { ${body} }`);
    expect(await made.outcome()).toMatchObject({ exitCode: 1, reason: 'Error' });
  });

  it.each([
    ['in a timer', (body: string) => `setTimeout(() => { ${body} });`],
    ['in a promise', (body: string) => `(async () => { ${body} })();`],
  ])('ends when it throws such an error %s', async (_what, wrap) => {
    const body = wrap('Error.prepareStackTrace = () => { throw new Error("nope"); }; throw new Error("x");');
    const made = await run(`export default async () => { ${body} ${FOR_EVER} }`);
    expect(await made.outcome()).toMatchObject({ exitCode: 1, reason: 'Error' });
  });

  it('fails with one line in its log', async () => {
    const made = await run(`export default () => {
      setTimeout(() => { throw new Error('first'); });
      setTimeout(() => { throw new Error('second'); });
      return new Promise(() => {});
    }`);
    expect(await made.outcome()).toMatchObject({ message: 'Error: first' });
    expect(made.log().filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('ends with the exit code that it has set', async () => {
    const bad = await run('export default async () => { process.exitCode = 3; }');
    expect(await bad.outcome()).toMatchObject({ exitCode: 3, reason: 'Error' });
    const good = await run('export default async () => { process.exitCode = 0; }');
    expect(await good.outcome()).toEqual({ exitCode: 0, reason: 'Completed' });
    const thrown = await run('export default async () => { process.exitCode = 0; throw new Error("x"); }');
    expect(await thrown.outcome()).toMatchObject({ exitCode: 1 });
    const atExit = await run('export default () => { process.on("exit", () => { process.exitCode = 4; }); }');
    expect(await atExit.outcome()).toMatchObject({ exitCode: 4 });
  });

  it.each([
    [
      'in a handler of exceptions',
      'process.on("uncaughtException", () => process.exit(5)); setTimeout(() => { throw new Error("x"); });',
      5,
    ],
    [
      'in a handler of rejections',
      'process.on("unhandledRejection", () => process.exit(6)); Promise.reject(new Error("x"));',
      6,
    ],
    ['and nobody catches a rejection', 'process.exitCode = 3; Promise.reject(new Error("x"));', 1],
    [
      'that is set at the very end',
      'process.exitCode = 3; process.on("exit", () => { process.exitCode = 7; }); throw new Error("x");',
      7,
    ],
    ['and returns', 'process.on("exit", (code) => console.log("exit", code)); process.exitCode = 8; return;', 8],
    ['in another turn', 'setImmediate(() => process.exit());', 0],
  ])('ends by a code %s', async (_what, body, exitCode) => {
    const made = await run(`export default async () => { ${body} ${FOR_EVER} }`);
    expect(await made.outcome()).toMatchObject({ exitCode });
  });

  it('may still write out what it holds when it has returned', async () => {
    const made = await run(`export default (ctx) => {
      process.once('beforeExit', async (code) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        await ctx.storage.set('held', code);
        console.log('written', await ctx.storage.get('held'));
      });
      process.on('exit', () => console.log('exit'));
    }`);
    expect(await made.outcome()).toMatchObject({ exitCode: 0, reason: 'Completed' });
    expect(made.text()).toBe('written 0\nexit');
    const bad = await run('export default () => { process.on("beforeExit", () => { throw new Error("late"); }); }');
    expect(await bad.outcome()).toMatchObject({ exitCode: 1, message: 'Error: late' });
  });

  it.each([
    ['throws in the next tick', 'process.nextTick(() => { throw new Error("late"); });'],
    ['forgets one that is rejected a moment later', '(async () => { await null; throw new Error("late"); })();'],
    [
      'emits an error that nobody hears',
      'process.nextTick(() => new EventEmitter().emit("error", new Error("late")));',
    ],
  ])('fails as in any Node.js when it returns and %s', async (_what, body) => {
    const beforeExit = 'process.on("beforeExit", () => console.log("as if all were well"));';
    const made = await run(
      `import { EventEmitter } from 'node:events'; export default async () => { ${beforeExit} ${body} }`,
    );
    expect(await made.outcome()).toMatchObject({ exitCode: 1, reason: 'Error', message: 'Error: late' });
    expect(made.text()).not.toContain('as if all were well');
  });

  it('has its last warning in its log', async () => {
    const made = await run('export default async () => { process.emitWarning("last words"); }');
    expect(await made.outcome()).toMatchObject({ exitCode: 0 });
    expect(made.text()).toContain('Warning: last words');
  });

  it('lives on when it handles what nobody caught', async () => {
    const made = await run(`
      process.on('uncaughtException', (error, origin) => console.log('exception', error.message, origin));
      process.on('unhandledRejection', (reason) => console.log('rejection', reason.message));
      export default async ({ signal }) => {
        setTimeout(() => { throw new Error('late bug'); });
        Promise.reject(new Error('late rejection'));
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      }`);
    await until('both', () => made.text().includes('late bug') && made.text().includes('late rejection'));
    made.run.stop(5_000);
    expect(await made.outcome()).toEqual({ exitCode: 0, reason: 'Completed' });
    expect(made.text().split('\n').sort()).toEqual([
      'exception late bug uncaughtException',
      'rejection late rejection',
    ]);
  });

  it('hears of a rejection where it handles exceptions only, and once if it listens once', async () => {
    const made = await run(`
      process.once('uncaughtException', (error, origin) => {
        console.log(error.code, origin);
        setTimeout(() => { throw new Error('the second'); });
      });
      export default () => { Promise.reject('a text'); return new Promise(() => {}); }`);
    expect(await made.outcome()).toMatchObject({ exitCode: 1, message: 'Error: the second' });
    expect(made.text()).toMatch(/^ERR_UNHANDLED_REJECTION unhandledRejection\n/);
  });

  it('does not begin when it is asked to end while it is loaded', async () => {
    const made = await run(`
      await new Promise((resolve) => setTimeout(resolve, 300));
      export default async (ctx) => {
        console.log('begun');
        await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
      };`);
    made.run.stop(60_000);
    expect(await made.outcome()).toEqual({ exitCode: 0, reason: 'Completed' });
    expect(made.text()).toBe('');
  });

  it('is told by SIGTERM where it listens for that', async () => {
    const made = await run(`export default (ctx) => new Promise((done) => {
      for (const name of ['SIGTERM', 'SIGINT']) process.on(name, (signal, number) => {
        console.log(signal, number, ctx.signal.aborted);
        done();
      });
      ctx.ready();
    })`);
    await until('readiness', () => made.seen.includes('ready'));
    made.run.stop(5_000);
    expect(await made.outcome()).toEqual({ exitCode: 0, reason: 'Completed' });
    expect(made.text()).toBe('SIGTERM 15 true');
  });

  it('ends by the code that its listener for SIGTERM chooses', async () => {
    const made = await run(`export default (ctx) => {
      process.once('SIGTERM', () => process.exit(9));
      ctx.ready();
      return new Promise(() => setInterval(() => {}, 1000));
    }`);
    await until('readiness', () => made.seen.includes('ready'));
    made.run.stop(5_000);
    expect(await made.outcome()).toMatchObject({ exitCode: 9 });
  });

  it.each([
    ['default', 'export default { default: (ctx) => ctx.log.info("found") };'],
    ['default', 'export default { default: { default: (ctx) => ctx.log.info("found") } };'],
    ['default', 'const main = (ctx) => ctx.log.info("found"); export { main as "module.exports" };'],
    ['main', 'export const main = (ctx) => ctx.log.info("found"); export default 1;'],
    ['main', 'export default { main: (ctx) => ctx.log.info("found") };'],
  ])('is found as export %s of %s', async (entry, source) => {
    const made = await bench.run(source, { entry, spec: { isolation } });
    expect(await made.outcome()).toEqual({ exitCode: 0, reason: 'Completed' });
    expect(made.text()).toBe('found');
  });
});

describe('an error that a pack does not catch', () => {
  it.each([
    [
      'its code and what it asked for',
      'await import("node:fs").then((fs) => fs.readFileSync("/etc/hosts"));',
      /FileSystemRead.*\/etc\/hosts/,
      [/ERR_ACCESS_DENIED/, /resource: '\/etc\/hosts'/],
    ],
    [
      'its cause',
      'await fetch("http://127.0.0.1:9/nothing");',
      /^TypeError: fetch failed \(caused by .+\)$/,
      [/\[cause\]/, /bad port|ECONNREFUSED/],
    ],
    [
      'its errors',
      'await Promise.any([Promise.reject(new Error("one down")), Promise.reject(new Error("two down"))]);',
      'AggregateError: All promises were rejected (caused by Error: one down; Error: two down)',
      [/one down/, /two down/],
    ],
    [
      'the members of what is none',
      'throw { code: "42501", message: "permission denied" };',
      "{ code: '42501', message: 'permission denied' }",
      [/42501/, /permission denied/],
    ],
    [
      'its properties',
      'throw Object.assign(new Error("refused"), { code: "E1", detail: { table: "notes" } });',
      'Error: refused',
      [/code: 'E1'/, /table: 'notes'/],
    ],
  ])('is logged with %s', async (_what, body, message, texts) => {
    const made = await bench.run(`export default async () => { ${body} }`);
    const outcome = await made.outcome();
    if (typeof message === 'string') expect(outcome.message).toBe(message);
    else expect(outcome.message).toMatch(message);
    for (const text of texts) expect(made.text()).toMatch(text);
  });
});
