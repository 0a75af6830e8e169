import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@supabase/supabase-js';
import { build } from 'esbuild';
import { SignJWT } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { jwtSecret, keys, startTestFunctions, type TestFunctions } from './gateway-support.js';
import { waitFor } from './postgres-support.js';

let served: TestFunctions;

afterEach(() => served?.stop());

const echo = `Deno.serve(async (request) => {
  const { pathname, search } = new URL(request.url);
  return Response.json({
    path: pathname + search, method: request.method, body: await request.text(),
    headers: Object.fromEntries(request.headers), env: Deno.env.toObject(),
  });
});`;

const open = { verifyJwt: false };
const bearer = async (role: 'anon' | 'service_role') => ({ authorization: `Bearer ${await keys.jwt(role)}` });
const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const pidOf = (name: string) => served.functions.stats().workers.find((worker) => worker.name === name)?.pid ?? 0;
const printed = (text: string) => served.lines.find((line) => String(line.message).includes(text));

describe('a request', () => {
  it('reaches the function with its path, method, body and headers', async () => {
    served = await startTestFunctions({ 'echo/index.ts': echo }, { config: { echo: open } });
    const response = await fetch(`${served.url}/functions/v1/echo/a/b?c=d%20e`, {
      method: 'PUT',
      body: 'hello',
      headers: { 'x-mine': 'yes', 'x-correlation-id': 'abc-1' },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-correlation-id')).toBe('abc-1');
    const seen = await response.json();
    expect(seen).toMatchObject({ path: '/echo/a/b?c=d%20e', method: 'PUT', body: 'hello' });
    expect(seen.headers).toMatchObject({
      'x-mine': 'yes',
      'x-correlation-id': 'abc-1',
      host: new URL(served.url).host,
    });
    expect(seen.headers).not.toHaveProperty('x-stark-worker');
  });

  it('finds the hosted variables and the secrets, and nothing of our environment', async () => {
    process.env.LEAKED_FROM_THE_PARENT = 'secret';
    served = await startTestFunctions(
      { 'echo/index.ts': echo, '.env': 'MY_SECRET="s3cret"\nSUPABASE_URL=http://evil' },
      { config: { echo: open } },
    );
    const { env } = await (await fetch(`${served.url}/functions/v1/echo`)).json();
    expect(Object.keys(env).sort()).toEqual(
      [
        'DENO_DEPLOYMENT_ID',
        'MY_SECRET',
        'SB_EXECUTION_ID',
        'SB_REGION',
        'SUPABASE_ANON_KEY',
        'SUPABASE_DB_URL',
        'SUPABASE_PUBLISHABLE_KEYS',
        'SUPABASE_SECRET_KEYS',
        'SUPABASE_SERVICE_ROLE_KEY',
        'SUPABASE_URL',
      ].sort(),
    );
    expect(env).toMatchObject({ MY_SECRET: 's3cret', SUPABASE_URL: served.url });
    expect(JSON.parse(env.SUPABASE_SECRET_KEYS)).toEqual({ default: keys.secret });
  });

  it('streams both ways', async () => {
    served = await startTestFunctions(
      {
        'upper/index.ts':
          'Deno.serve((request) => new Response(request.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new TransformStream({ transform: (chunk, c) => c.enqueue(chunk.toUpperCase()) })).pipeThrough(new TextEncoderStream())));',
      },
      { config: { upper: open } },
    );
    let feed: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        feed = controller;
        controller.enqueue(Buffer.from('one '));
      },
    });
    const response = await fetch(`${served.url}/functions/v1/upper`, {
      method: 'POST',
      body,
      duplex: 'half',
    } as RequestInit);
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('ONE ');
    feed?.enqueue(Buffer.from('two'));
    feed?.close();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('TWO');
  });

  it('may become a WebSocket', async () => {
    served = await startTestFunctions(
      {
        'ws/index.ts':
          "Deno.serve((request) => { const { socket, response } = Deno.upgradeWebSocket(request); socket.onmessage = (m) => socket.send('echo ' + m.data); return response; });",
      },
      { config: { ws: open } },
    );
    const socket = new WebSocket(`${served.url.replace('http', 'ws')}/functions/v1/ws`);
    await once(socket, 'open');
    socket.send('hi');
    const [data] = await once(socket, 'message');
    expect(String(data)).toBe('echo hi');
    socket.close();
  });

  it('for a function that is not there is 404', async () => {
    served = await startTestFunctions(
      { '_shared/index.ts': echo, 'off/index.ts': echo },
      { config: { off: { enabled: false } } },
    );
    for (const name of ['nothing', '_shared', 'off', '..%2f..', '']) {
      const response = await fetch(`${served.url}/functions/v1/${name}`);
      expect([name, response.status, await response.json()]).toEqual([
        name,
        404,
        { code: 'NOT_FOUND', message: 'Requested function was not found' },
      ]);
    }
  });
});

describe('verify_jwt', () => {
  it('is on unless config.toml turns it off, and takes JWTs of this project only', async () => {
    served = await startTestFunctions({ 'echo/index.ts': echo });
    const call = async (headers: Record<string, string>, method = 'POST') =>
      fetch(`${served.url}/functions/v1/echo`, { method, headers });
    const sign = (secret: string, exp: string) =>
      new SignJWT({ role: 'authenticated' })
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime(exp)
        .sign(new TextEncoder().encode(secret));

    const missing = await call({});
    expect([missing.status, await missing.json()]).toEqual([
      401,
      { code: 'UNAUTHORIZED_NO_AUTH_HEADER', message: 'Missing authorization header' },
    ]);
    // A key of the new kind is no JWT, wherever it stands.
    expect((await call({ apikey: keys.secret })).status).toBe(401);
    for (const token of [
      'nonsense',
      await sign(jwtSecret, '-1m'),
      await sign('x'.repeat(40), '1h'),
      keys.secret,
      keys.publishable,
      'sb_secret_of_nobody',
    ]) {
      const response = await call({ apikey: keys.secret, authorization: `Bearer ${token}` });
      expect([token, response.status, await response.json()]).toEqual([
        token,
        401,
        { code: 'UNAUTHORIZED_INVALID_JWT_FORMAT', message: 'Invalid JWT' },
      ]);
    }
    expect((await call({ authorization: `Bearer ${await sign(jwtSecret, '1h')}` })).status).toBe(200);
    expect((await call({}, 'OPTIONS')).status).toBe(200);
    const seen = await (await call({ apikey: keys.secret, ...(await bearer('service_role')) })).json();
    expect(seen.headers).toMatchObject({ apikey: keys.secret, ...(await bearer('service_role')) });
  });

  it('lets the official client in without a session only where it is off', async () => {
    served = await startTestFunctions({ 'echo/index.ts': echo, 'shut/index.ts': echo }, { config: { echo: open } });
    const refused = await createClient(served.url, keys.publishable, {
      realtime: { transport: WebSocket as never },
    }).functions.invoke('shut');
    expect(refused.error?.context.status).toBe(401);
    const client = createClient(served.url, keys.publishable, { realtime: { transport: WebSocket as never } });
    const { data, error } = await client.functions.invoke('echo', { body: { a: 1 } });
    expect(error).toBeNull();
    expect(data).toMatchObject({ method: 'POST', body: '{"a":1}' });
  });
});

describe('background work', () => {
  it('goes on after the answer and is told when the worker ends', async () => {
    served = await startTestFunctions(
      {
        'later/index.ts': `
          addEventListener('beforeunload', (event) => console.log('unload: ' + event.detail.reason));
          Deno.serve(() => {
            EdgeRuntime.waitUntil(new Promise((done) => setTimeout(() => { console.log('worked on'); done(); }, 300)));
            return new Response('at once');
          });`,
      },
      { config: { later: open } },
    );
    await fetch(`${served.url}/functions/v1/later`);
    expect(printed('worked on')).toBeUndefined();
    await served.functions.stop();
    expect(printed('worked on')).toMatchObject({ service: 'functions', function: 'later' });
    expect(printed('unload: termination')).toBeDefined();
  });

  it('keeps a retired worker until it is done, while new requests get a new worker', async () => {
    served = await startTestFunctions(
      {
        'long/index.ts': `const id = crypto.randomUUID();
          Deno.serve((request) => {
            if (request.method === 'POST') EdgeRuntime.waitUntil(new Promise((done) => setTimeout(() => { console.log('finished ' + id); done(); }, 1500)));
            return new Response(id);
          });`,
      },
      { config: { long: open }, wallClockMs: 4000 },
    );
    const ask = async (method: string) => (await fetch(`${served.url}/functions/v1/long`, { method })).text();
    const first = await ask('POST');
    const pid = pidOf('long');
    await waitFor('a new worker at half of the wall clock', async () => (await ask('GET')) !== first);
    await waitFor('the first worker to finish', async () => printed(`finished ${first}`));
    await waitFor('the first worker to end', async () => !alive(pid));
  });
});

describe('limits and failures', () => {
  it('kills a worker at its wall clock, whatever it does', async () => {
    served = await startTestFunctions(
      { 'spin/index.ts': 'Deno.serve(() => { for (;;); });' },
      { config: { spin: open }, wallClockMs: 1500 },
    );
    const response = await fetch(`${served.url}/functions/v1/spin`);
    expect([response.status, (await response.json()).code]).toEqual([546, 'WORKER_LIMIT']);
  });

  it('answers 504 when a function does not', async () => {
    served = await startTestFunctions(
      { 'mute/index.ts': 'Deno.serve(() => new Promise(() => {}));' },
      { config: { mute: open }, idleTimeoutMs: 300 },
    );
    const response = await fetch(`${served.url}/functions/v1/mute`);
    expect([response.status, response.headers.get('sb-error-code')]).toEqual([504, 'IDLE_TIMEOUT']);
  });

  it('answers 503 to a function that does not start, and says why in the log', async () => {
    served = await startTestFunctions(
      {
        'broken/index.ts': "throw new Error('no such luck');",
        'idle/index.ts': 'export const nothing = 1;',
        'net/index.ts': "import 'https://example.com/mod.ts';",
      },
      { config: { broken: open, idle: open, net: open } },
    );
    for (const name of ['broken', 'idle', 'net']) {
      const response = await fetch(`${served.url}/functions/v1/${name}`);
      expect([response.status, await response.json()]).toEqual([
        503,
        { code: 'BOOT_ERROR', message: 'Function failed to start (please check logs)' },
      ]);
    }
    expect(printed('no such luck')).toBeDefined();
  });

  it('keeps a crash to the function that crashed, and starts it anew', async () => {
    served = await startTestFunctions(
      {
        'fragile/index.ts': `Deno.serve(async (request) => {
          if (request.url.endsWith('/crash')) setTimeout(() => { throw new Error('out of the blue'); }, 50);
          await new Promise((done) => setTimeout(done, request.url.endsWith('/wait') || request.url.endsWith('/crash') ? 3000 : 0));
          return new Response('fine');
        });`,
        'sturdy/index.ts':
          "Deno.serve(async () => { await new Promise((done) => setTimeout(done, 600)); return new Response('fine'); });",
      },
      { config: { fragile: open, sturdy: open } },
    );
    const get = (path: string) => fetch(`${served.url}/functions/v1/${path}`);
    await Promise.all([get('fragile'), get('sturdy')]);
    const sturdyPid = pidOf('sturdy');
    const [waiting, crash, sturdy] = await Promise.all([get('fragile/wait'), get('fragile/crash'), get('sturdy')]);
    expect([waiting.status, crash.status, sturdy.status]).toEqual([500, 500, 200]);
    expect(await crash.json()).toMatchObject({ code: 'WORKER_ERROR' });
    expect(await (await get('fragile')).text()).toBe('fine');
    expect(pidOf('sturdy')).toBe(sturdyPid);
  });

  it('gives a function neither our files nor other programs', async () => {
    served = await startTestFunctions(
      {
        'spy/index.ts': `Deno.serve(async () => {
          const tries = { passwd: () => Deno.readTextFile('/etc/passwd'), keys: () => Deno.readTextFile('../../.stark/keys.json'),
            write: () => Deno.writeTextFile('./x', ''), run: () => new Deno.Command('/bin/ls').output() };
          const results = {};
          for (const [name, attempt] of Object.entries(tries)) results[name] = await (async () => attempt())().then(() => 'done', (error) => error.name);
          return Response.json(results);
        });`,
      },
      { config: { spy: open } },
    );
    await served.write('../../.stark/keys.json', '{}');
    const response = await fetch(`${served.url}/functions/v1/spy`);
    const refused = 'NotCapable';
    expect(await response.json()).toEqual({ passwd: refused, keys: refused, write: refused, run: refused });
  });
});

describe('reload', () => {
  it('serves the new source after a change, of the function or of what functions share', async () => {
    served = await startTestFunctions(
      {
        '_shared/word.ts': "export const word = 'one';",
        'say/index.ts': "import { word } from '../_shared/word.ts'; Deno.serve(() => new Response(word));",
      },
      { config: { say: open } },
    );
    const say = async () => (await fetch(`${served.url}/functions/v1/say`)).text();
    expect(await say()).toBe('one');
    await served.write('_shared/word.ts', "export const word = 'two';");
    await waitFor('the changed shared file', async () => (await say()) === 'two');
    await served.write('say/index.ts', "Deno.serve(() => new Response('three'));");
    await waitFor('the changed function', async () => (await say()) === 'three');
    await served.write('.env', 'WORD=four');
    await served.write('say/index.ts', "Deno.serve(() => new Response(Deno.env.get('WORD')));");
    await waitFor('the changed secret', async () => (await say()) === 'four');
  });
});

describe('when the stack is killed', () => {
  it.each(['idle', 'spinning'])('the process of a function that is %s ends too', async (kind) => {
    served = await startTestFunctions({
      'f/index.ts': `Deno.serve((request) => { if (request.method === 'POST') for (;;); return new Response('up'); });`,
    });
    const parent = await startParent(served.directory);
    expect(alive(parent.worker)).toBe(true);
    if (kind === 'spinning') parent.process.send('spin');
    await once(parent.process, 'message');
    parent.process.kill('SIGKILL');
    await waitFor('the function to end', async () => !alive(parent.worker));
  });
});

/** A process of its own that serves function `f`, asks it once, and spins it when told to. */
async function startParent(directory: string): Promise<{ process: ChildProcess; worker: number }> {
  const file = fileURLToPath(new URL('../dist/test/functions-parent.mjs', import.meta.url));
  await build({
    stdin: {
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      loader: 'ts',
      contents: `import pino from 'pino';
        import { EdgeFunctions } from '../src/functions/edge-functions.js';
        const functions = new EdgeFunctions({ directory: ${JSON.stringify(directory)}, config: { f: { verifyJwt: false } },
          env: {}, jwtSecret: 'x', cacheDir: ${JSON.stringify(path.join(tmpdir(), 'stark-test-deno'))}, log: pino({ level: 'silent' }) });
        const ask = (method) => functions.fetch('f', new Request('http://localhost/functions/v1/f', { method }));
        await ask('GET');
        process.send(functions.stats().workers[0].pid);
        process.once('message', () => { void ask('POST'); setTimeout(() => process.send('spinning'), 200); });
        setTimeout(() => process.send('still here'), 500);`,
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile: file,
  });
  const child = fork(file, { execArgv: [] });
  const [worker] = await once(child, 'message');
  return { process: child, worker: Number(worker) };
}
