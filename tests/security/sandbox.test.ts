import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PodBench, podBench } from '../../agent/test/support/pod-bench.js';
import { waitFor } from '../harness/wait.js';

let bench: PodBench;
let server: Server;
let heard = 0;

beforeAll(async () => {
  bench = await podBench();
  // Stands for a stack's control socket and for Postgres's own: both give their keys to every process that may open the file.
  server = createServer((socket) => {
    heard += 1;
    socket.on('error', () => undefined).end('the secret key');
  });
  await new Promise<void>((resolve) => server.listen(join(bench.folder, 'control.sock'), resolve));
});
afterAll(async () => {
  server.close();
  await bench.close();
});

/** What came of one expression in a pod: `got …` or `refused <code>`. */
async function attempt(expression: string): Promise<string> {
  const made = await bench.run(`
    import net from 'node:net'; import http from 'node:http'; import fs from 'node:fs'; import dgram from 'node:dgram';
    import { createRequire } from 'node:module'; import * as modules from 'node:module';
    const folder = ${JSON.stringify(bench.folder)};
    const answer = (emitter, event) => new Promise((resolve, reject) => emitter.once(event, resolve).once('error', reject));
    export default async () => {
      try { console.log('got', String(await (${expression}))); } catch (error) { console.log('refused', error.code ?? error.message); }
    };`);
  await made.outcome();
  return made.text();
}

describe('a pack', () => {
  it.each([
    ['by net', `answer(net.connect(folder + '/control.sock'), 'data')`],
    ['by http', `answer(http.get({ socketPath: folder + '/control.sock' }), 'response')`],
    [
      'by the handle of its own output',
      `new Promise((resolve, reject) => {
        const Pipe = process.stdout._handle.constructor; let request;
        const kept = Pipe.prototype.connect;
        try { Pipe.prototype.connect = function (req, path) { request = req; return kept.call(this, req, path); }; } catch {}
        net.connect(folder + '/control.sock').once('data', resolve).once('error', reject);
      })`,
    ],
  ])('cannot reach the socket file of a server on its machine %s', async (_way, expression) => {
    expect(await attempt(expression)).toMatch(/^refused ERR_ACCESS_DENIED/);
    expect(heard).toBe(0);
  });

  it('cannot make a socket file outside its folder', async () => {
    expect(await attempt(`answer(net.createServer().listen(folder + '/mine.sock'), 'listening')`)).toMatch(/^refused/);
    expect(readdirSync(bench.folder)).not.toContain('mine.sock');
  });

  it('still serves and calls by TCP', async () => {
    expect(
      await attempt(`new Promise((resolve, reject) => {
        const server = http.createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1', async () => {
          const response = await fetch('http://127.0.0.1:' + server.address().port);
          resolve(await response.text()); server.close();
        }).on('error', reject);
      })`),
    ).toBe('got hello');
  });

  it.each([
    ['an environment file', 'process.loadEnvFile("/etc/os-release")'],
    ['a file by its bytes', 'fs.readFileSync(Buffer.from("/etc/passwd"))'],
    ['a file by a dotted path', 'fs.readFileSync(process.cwd() + "/../../../../../../../etc/passwd")'],
    ['a file as a blob', 'fs.openAsBlob("/etc/passwd").then((blob) => blob.text())'],
    ['a file by a copy', 'fs.copyFileSync("/etc/hostname", "mine")'],
    [
      'a link to the outside',
      '(fs.mkdirSync("a/b", { recursive: true }), fs.symlinkSync("../../../../../etc", "a/b/out"))',
    ],
    ['hooks of the loader, on a thread of their own', 'modules.register("data:text/javascript,")'],
    [
      'the folder of another by WASI',
      'import("node:wasi").then(({ WASI }) => new WASI({ version: "preview1", preopens: { "/": "/etc" } }))',
    ],
  ])('gets no %s', async (_what, expression) => {
    expect(await attempt(expression)).toMatch(/^refused ERR_ACCESS_DENIED/);
  });

  it('gets no module by its address', async () => {
    // Node.js 22 says what it says where there is no such file.
    expect(await attempt('import("file:///etc/passwd")')).toMatch(/^refused ERR_(ACCESS_DENIED|MODULE_NOT_FOUND)/);
  });

  it('gets no JSON by require, nor is it told that the file exists', async () => {
    expect(await attempt('createRequire("/")(process.argv[1] + "/../../../../../package.json")')).toBe(
      'refused MODULE_NOT_FOUND',
    );
  });

  it('that floods its channel slows itself only', async () => {
    const made = await bench.run(`
      import fs from 'node:fs';
      const flood = Buffer.from('{"type":"ready"}\\n'.repeat(4_000));
      export default () => { console.log('flooding'); for (;;) fs.writeSync(3, flood); };`);
    await waitFor('the flood', () => made.text().includes('flooding'));
    await waitFor('the agent to take some of it', () => made.seen.length > 500);
    const before = made.seen.length;
    const from = performance.now();
    await waitFor('half a second of it', () => performance.now() - from > 500);
    // 16 KiB in a quarter of a second, in chunks of at most 64 KiB: what a busy loop could write is a thousand times that.
    expect((made.seen.length - before) / (performance.now() - from)).toBeLessThan(30);
    made.run.stop(0);
    await made.outcome();
  });
});
