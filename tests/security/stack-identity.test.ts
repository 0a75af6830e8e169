import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as listenFor, type Socket, type Server as TcpServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchOver, type KnownStacks, provenConnections } from '@stark-o/agent/known-stack';
import { webSocketOver } from '@stark-o/agent/known-web-socket';
import { startNodeAgent } from '@stark-o/agent/node';
import { toStarkError } from '@stark-o/core';
import { createLogger, type Stack, startStack } from '@stark-o/local';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { KnownStackFile } from '../../agent/src/node/session-file.js';
import { KnownStacksFile } from '../../cli/src/config/known-stacks.js';
import { StackIdentity } from '../../local/src/gateway/identity.js';
import { ADMIN, Cluster } from '../agent/cluster.js';
import { sharedStark } from '../harness/command.js';
import { prepareData } from '../harness/prepared-data.js';
import { root } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';

const secret = 'Bearer the.secret.token';
const impostors: (Server | TcpServer)[] = [];
afterEach(async () => {
  for (const server of impostors.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
});

/** Remembers in memory. */
function memory(...entries: [string, string][]): KnownStacks & { all: Map<string, string> } {
  const all = new Map(entries);
  return { all, read: async (origin) => all.get(origin), keep: async (origin, key) => void all.set(origin, key) };
}

type Answer = (request: IncomingMessage, url: URL) => object | undefined | Promise<object | undefined>;

/** A server of anybody, which keeps all that it is told. */
async function server(
  answer: Answer,
  port = 0,
  host = '127.0.0.1',
): Promise<{ url: string; port: number; told: string[] }> {
  const told: string[] = [];
  const http = createServer(async (message, response) => {
    told.push(`${message.method} ${message.url?.replace(/nonce=.*/, 'nonce')} ${message.headers.authorization ?? '-'}`);
    message.on('data', (chunk) => told.push(String(chunk)));
    const body = await answer(message, new URL(message.url ?? '/', 'http://x'));
    const text = JSON.stringify(body ?? { message: 'nothing here' });
    response.writeHead(body === undefined ? 404 : 200, { 'content-length': Buffer.byteLength(text) });
    response.end(text);
  });
  const sockets = new WebSocketServer({ server: http });
  sockets.on('connection', (socket, { headers }) => {
    told.push(`websocket ${headers.authorization ?? '-'}`);
    socket.on('message', (data) => socket.send(String(data)));
  });
  http.on('upgrade', ({ url }) => told.push(`upgrade ${url}`));
  http.listen(port, host);
  await once(http, 'listening');
  impostors.push(http);
  const { port: bound } = http.address() as AddressInfo;
  return { url: `http://127.0.0.1:${bound}`, port: bound, told };
}

const identity = new StackIdentity('the secret of the stack, which is long enough');
const stranger = new StackIdentity('another secret, which is long enough as well');
const proves =
  (who: StackIdentity): Answer =>
  (message, url) =>
    url.pathname === '/.well-known/stark'
      ? who.prove(url.searchParams.get('nonce') ?? '', message.socket)
      : { ok: true };

async function ask(url: string, known: KnownStacks): Promise<unknown> {
  const connections = provenConnections(url, known);
  try {
    const answer = await fetchOver(connections)(`${url}/rest/v1/pods`, { headers: { authorization: secret } });
    return await answer.json();
  } catch (error) {
    return (error as { cause?: { code?: string } }).cause?.code ?? toStarkError(error).code;
  } finally {
    connections?.destroy();
  }
}

describe('a request with a token', () => {
  const asked = (told: string[]) => told.filter((line) => line.includes('the.secret.token'));

  it('goes to the stack that is known, over every kind of connection', async () => {
    const { url, told } = await server(proves(identity));
    const known = memory([url, identity.publicKey]);
    expect(await ask(url, known)).toEqual({ ok: true });
    expect(told).toEqual(['GET /.well-known/stark?nonce -', `GET /rest/v1/pods ${secret}`]);
    const connections = provenConnections(url, known);
    const own = fetchOver(connections);
    const form = new FormData();
    form.append('file', new Blob(['bytes']), 'a.txt');
    for (const body of ['text', new Uint8Array([65, 66]), form, new Blob(['blob'])]) {
      expect((await own(url, { method: 'POST', body })).status).toBe(200);
    }
    await expect(own(url, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    const socket = new (webSocketOver(connections))(`${url.replace('http', 'ws')}/realtime`) as WebSocket;
    await once(socket, 'open');
    socket.send('hello');
    expect(String((await once(socket, 'message'))[0])).toBe('hello');
    socket.close();
    await once(socket, 'close');
    connections?.destroy();
  });

  it('makes a stack known that it meets for the first time, and a place that is none goes on as ever', async () => {
    const stack = await server(proves(identity));
    const other = await server((_, url) => (url.pathname === '/.well-known/stark' ? undefined : { ok: true }));
    const known = memory();
    expect(await ask(stack.url, known)).toEqual({ ok: true });
    expect(await ask(other.url, known)).toEqual({ ok: true });
    expect([...known.all]).toEqual([[stack.url, identity.publicKey]]);
  });

  const silent: Answer = () => new Promise(() => {});
  it.each<[string, Answer]>([
    ['knows nothing of it', () => undefined],
    ['says yes to everything', () => ({ ok: true })],
    ['proves to be another stack', proves(stranger)],
    [
      'shows the right key without its proof',
      () => ({ key: identity.publicKey, proof: Buffer.alloc(64).toString('base64url') }),
    ],
    [
      'shows the right key with a proof of its own',
      (message, url) => ({
        ...stranger.prove(url.searchParams.get('nonce') ?? '', message.socket),
        key: identity.publicKey,
      }),
    ],
    ['repeats an older proof', (message) => identity.prove('an-older-nonce-of-somebody', message.socket)],
    ['says something long', () => ({ key: 'x'.repeat(10_000) })],
    ['says nothing', silent],
  ])(
    'does not go to one that %s',
    async (_, answer) => {
      const { url, told } = await server(answer);
      const known = memory([url, identity.publicKey]);
      expect(['STACK_CHANGED', 'ECONNRESET']).toContain(await ask(url, known));
      expect(asked(told)).toEqual([]);
      const connections = provenConnections(url, known);
      const socket = new (webSocketOver(connections))(
        `${url.replace('http', 'ws')}/realtime?apikey=secret`,
      ) as WebSocket;
      await once(socket, 'error');
      expect(told.join()).not.toMatch(/apikey|websocket/);
      connections?.destroy();
      expect(known.all.get(url)).toBe(identity.publicKey);
    },
    20_000,
  );

  it('does not go to one that passes the challenge on to the real stack elsewhere, by HTTP or byte by byte', async () => {
    const real = await server(proves(identity));
    const relay = await server(async (message, url) => {
      if (url.pathname !== '/.well-known/stark') return { ok: true };
      return (await (await fetch(`${real.url}${message.url}`)).json()) as object;
    });
    expect(await ask(relay.url, memory([relay.url, identity.publicKey]))).toBe('STACK_CHANGED');
    expect(asked(relay.told)).toEqual([]);
    const cable = listenFor((near) =>
      near
        .on('error', () => {})
        .pipe(connect(real.port, '127.0.0.1'))
        .pipe(near),
    );
    cable.listen(0, '127.0.0.1');
    await once(cable, 'listening');
    impostors.push(cable);
    const url = `http://127.0.0.1:${(cable.address() as AddressInfo).port}`;
    expect(await ask(url, memory([url, identity.publicKey]))).toBe('STACK_CHANGED');
    expect(asked(real.told)).toEqual([]);
    // Met for the first time it is not taken for the stack itself.
    const known = memory();
    expect(await ask(url, known)).toEqual({ ok: true });
    expect(known.all.size).toBe(0);
  });

  it('does not go to one that held the connection until the stack was back on the same port', async () => {
    const gone = await server(() => undefined);
    const [freed] = impostors.splice(0) as [Server];
    freed.closeAllConnections();
    await new Promise((done) => freed.close(done));
    const heard: string[] = [];
    let challenge: (text: string) => void;
    const challenged = new Promise<string>((resolve) => {
      challenge = resolve;
    });
    let held: Socket | undefined;
    const squatter = listenFor((socket) => {
      held = socket
        .on('error', () => {})
        .on('data', (data) => {
          if (heard.push(String(data)) > 1) socket.destroy();
          else challenge(String(data));
        });
    });
    squatter.listen(gone.port, '127.0.0.1');
    await once(squatter, 'listening');
    const answer = ask(gone.url, memory([gone.url, identity.publicKey]));
    const [, path] = /^GET (\S+)/.exec(await challenged) ?? [];
    squatter.close();
    const real = await server(proves(identity), gone.port);
    const body = await (await fetch(`${real.url}${path}`)).text();
    expect(JSON.parse(body).key).toBe(identity.publicKey);
    held?.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    expect(await answer).toBe('STACK_CHANGED');
    held?.destroy();
    expect(asked([...heard, ...real.told])).toEqual([]);
  });

  it.each([
    'localhost',
    'stack.localhost',
    'localhost.',
    '127.0.0.2',
    '127.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
  ])('does not go to one at %s, whose port is that of a stack that is known at 127.0.0.1', async (host) => {
    const told: string[] = [];
    const http = createServer((message, response) => {
      told.push(`${message.url} ${message.headers.authorization ?? '-'}`);
      response.end('{"ok":true}');
    }).listen(0, '::');
    await once(http, 'listening');
    impostors.push(http);
    const { port } = http.address() as AddressInfo;
    const directory = await mkdtemp(join(tmpdir(), 'stark-known-'));
    try {
      for (const known of [new KnownStacksFile(directory), new KnownStackFile(directory), memory()]) {
        await known.keep(`http://127.0.0.1:${port}`, identity.publicKey);
        // Not every system knows these names.
        const allowed = host.includes('localhost') ? ['STACK_CHANGED', 'ENOTFOUND'] : ['STACK_CHANGED'];
        expect(allowed).toContain(await ask(`http://${host}:${port}`, known));
      }
      // The other way round, and with what an earlier version wrote.
      const path = join(directory, 'known-stacks.json');
      await writeFile(path, JSON.stringify({ [`http://${host}:${port}`]: identity.publicKey }), { mode: 0o600 });
      for (const known of [new KnownStacksFile(directory), new KnownStackFile(directory)]) {
        expect(await ask(`http://127.0.0.1:${port}`, known)).toBe('STACK_CHANGED');
      }
      await new KnownStacksFile(directory).keep(`http://127.0.0.1:${port}`, stranger.publicKey);
      expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ [`http://127.0.0.1:${port}`]: stranger.publicKey });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
    expect(told.length).toBeGreaterThan(0);
    expect(asked(told)).toEqual([]);
  });

  it('does not go to an address of this machine’s own, whose port a stack has that is known', async () => {
    const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    const address = own.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
    const { told, port } = await server(() => ({ ok: true }), 0, '0.0.0.0');
    const known = memory([`http://127.0.0.1:${port}`, identity.publicKey]);
    expect(await ask(`http://${address}:${port}`, known)).toBe('STACK_CHANGED');
    expect(asked(told)).toEqual([]);
  });

  it('is proved over IPv6 and over IPv4 inside it', async () => {
    const http = createServer(async (message, response) => {
      const text = JSON.stringify(await proves(identity)(message, new URL(message.url ?? '/', 'http://x')));
      response.writeHead(200, { 'content-length': Buffer.byteLength(text) }).end(text);
    }).listen(0, '::');
    await once(http, 'listening');
    impostors.push(http);
    for (const host of ['127.0.0.1', '[::1]', 'localhost']) {
      const url = `http://${host}:${(http.address() as AddressInfo).port}`;
      expect([host, await ask(url, memory([url, identity.publicKey]))]).toEqual([host, { ok: true }]);
    }
  });

  it('proves itself again on each connection, so that nobody slips in between two', async () => {
    const { url, port } = await server(proves(identity));
    const known = memory([url, identity.publicKey]);
    const connections = provenConnections(url, known);
    const own = fetchOver(connections);
    expect((await own(url)).status).toBe(200);
    const [first] = impostors.splice(0) as [Server];
    first.closeAllConnections();
    await new Promise((done) => first.close(done));
    const { told } = await server(() => ({ ok: true }), port);
    await expect(own(url, { headers: { authorization: secret } })).rejects.toThrow();
    await expect(own(url, { headers: { authorization: secret } })).rejects.toThrow('fetch failed');
    expect(asked(told)).toEqual([]);
    connections?.destroy();
  });
});

describe('after stark down', () => {
  let folder: string;
  let stack: Stack;
  const start = (port: number) =>
    startStack({
      workdir: root,
      dataDir: join(folder, 'data'),
      port,
      dbPort: 0,
      durable: false,
      realtimeBackoff: { connectMs: 50, joinMs: 50 },
      log: createLogger({ level: 'silent' }),
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stark-impostor-'));
    await prepareData(join(folder, 'data'), root);
    stack = await start(0);
  }, 120_000);
  afterAll(async () => {
    await stack?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('neither an agent nor a command tells its token to who took the port, and both come back to the stack', async () => {
    const { url, keys } = stack;
    await Cluster.setUp({ stack } as never);
    const agent = await startNodeAgent({
      name: 'loyal',
      supabaseUrl: url,
      key: keys.publishable,
      credentials: ADMIN,
      dataDir: folder,
      syncEveryMs: 300,
    });
    const env = { STARK_CONFIG_DIR: join(folder, 'config') };
    const place = ['--url', url, '--key', keys.publishable];
    const password = `${ADMIN.password}\n`;
    const login = await sharedStark(['auth', 'login', '--email', ADMIN.email, '--password-stdin', ...place], {
      env,
      input: password,
    });
    expect(login, login.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(await readFile(join(folder, 'config', 'known-stacks.json'), 'utf8'))).toEqual({
      [url]: stack.identity,
    });
    await stack.stop();

    const port = Number(new URL(url).port);
    const pod = await server(() => ({ ok: true, access_token: 'x', needed: true }), port);
    const listed = await sharedStark(['pod', 'list', '--json'], { env });
    expect(listed.code).toBe(8);
    expect(listed.stderr).toContain('STACK_CHANGED');
    const doctor = await sharedStark(['doctor', '--json'], { env });
    expect(doctor.stdout).toContain('what answers there is not the stack that is known, so it was told nothing');
    const again = ['auth', 'login', '--email', ADMIN.email, '--password-stdin'];
    expect((await sharedStark(again, { env, input: password })).code).not.toBe(0);
    await waitFor('the agent to have tried more than once', () => pod.told.length > 8);
    // Nothing but the question who is there.
    expect(new Set(pod.told)).toEqual(new Set(['GET /.well-known/stark?nonce -']));
    const [taken] = impostors.splice(0) as [Server];
    taken.closeAllConnections();
    await new Promise((done) => taken.close(done));

    stack = await start(port);
    const healthy = async () => {
      const { code, stdout } = await sharedStark(['node', 'list', '--json'], { env });
      return code === 0 && JSON.parse(stdout).some(({ status }: { status: string }) => status === 'healthy');
    };
    await waitFor('the node to be healthy again', healthy, { deadlineMs: 40_000 });
    await agent.stop();
  }, 120_000);

  it('the port is the stack’s until nothing of it can call any more', async () => {
    const { url } = stack;
    let isOver = false;
    const stopping = stack.stop().then(() => {
      isOver = true;
    });
    const answers: string[] = [];
    while (!isOver) {
      const answer = await new Promise<string>((resolve) => {
        const outgoing = request(url, (response) => resolve(String(response.resume().statusCode)));
        outgoing.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error')).end();
      });
      answers.push(answer);
      // Deno is told to end before the port is free.
      if (answer === 'ECONNREFUSED') break;
    }
    await stopping;
    expect(answers.filter((answer) => answer === '503').length).toBeGreaterThan(0);
    stack = await start(0);
  }, 60_000);
});
