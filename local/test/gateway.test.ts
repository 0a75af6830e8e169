import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { ApiKeys } from '../src/gateway/api-keys.js';
import { type FunctionsHandler, Gateway, type GatewayOptions } from '../src/gateway/gateway.js';
import { ReservedPort } from '../src/port.js';
import { jwtSecret, keys, recordingLog } from './gateway-support.js';
import { waitFor } from './postgres-support.js';

let gateway: Gateway | undefined;
afterEach(() => gateway?.close(100));

/** A gateway whose services are these; what they do not say is 200 with what they saw. */
async function start(options: Partial<GatewayOptions> = {}) {
  const { log, lines } = recordingLog();
  const seen: Request[] = [];
  const echo = async (asked: Request) => {
    seen.push(asked);
    return Response.json({
      path: new URL(asked.url).pathname + new URL(asked.url).search,
      headers: Object.fromEntries(asked.headers),
    });
  };
  const functions: FunctionsHandler = {
    fetch: (_name, asked) => echo(asked),
    upgrade: async (_name, _message, socket) => void socket.destroy(),
  };
  gateway = new Gateway({
    port: await ReservedPort.take(0),
    keys,
    lite: { fetch: echo },
    realtime: {
      handleRequest: (message, response) =>
        response.end(JSON.stringify({ url: message.url, headers: message.headers })),
      handleUpgrade: (_message, socket) => void socket.destroy(),
    },
    functions,
    health: async () => ({ status: 'ok', services: { rest: { healthy: true } }, versions: { stark: '0' } }),
    log,
    ...options,
  });
  const port = await gateway.listen();
  return { url: `http://127.0.0.1:${port}`, port, lines, seen };
}

describe('API keys', () => {
  it('are asked for where the hosted gateway asks', async () => {
    const { url } = await start();
    const status = async (path: string, headers: Record<string, string> = {}) =>
      (await fetch(url + path, { headers })).status;
    for (const path of [
      '/rest/v1/t',
      '/rest/v1/',
      '/auth/v1/user',
      '/auth/v1/token',
      '/auth/v1/admin/users',
      '/auth/v1/health',
    ]) {
      expect([path, await status(path)]).toEqual([path, 401]);
      expect([path, await status(path, { apikey: 'sb_publishable_wrong' })]).toEqual([path, 401]);
      expect([path, await status(path, { apikey: keys.publishable })]).toEqual([path, 200]);
    }
    for (const path of [
      '/storage/v1/object/public/b/x',
      '/functions/v1/f',
      '/auth/v1/verify',
      '/auth/v1/.well-known/jwks.json',
    ]) {
      expect([path, await status(path)]).toEqual([path, 200]);
    }
    const missing = await fetch(`${url}/rest/v1/t`);
    expect(await missing.json()).toEqual({
      message: 'No API key found in request',
      hint: 'No `apikey` request header or url param was found.',
    });
    expect(missing.headers.get('sb-error-code')).toBe('UNAUTHORIZED_MISSING_API_KEY');
  });

  it('stand in the header or the query, and leave the query', async () => {
    const { url } = await start();
    const ask = async (path: string, headers: Record<string, string> = {}) =>
      (await fetch(url + path, { headers })).json();
    expect(await ask(`/rest/v1/t?apikey=${keys.publishable}&id=eq.1`)).toMatchObject({
      path: '/rest/v1/t?id=eq.1',
      headers: { apikey: keys.publishable },
    });
    const jwt = await keys.jwt('service_role');
    expect(await ask('/rest/v1/t', { apikey: jwt })).toMatchObject({ headers: { apikey: jwt } });
  });

  it('are none in the place of a token, new ones and old ones', async () => {
    const { url, seen } = await start();
    for (const key of [keys.secret, keys.publishable, await keys.jwt('service_role'), 'sb_secret_of_nobody']) {
      for (const path of ['/rest/v1/t', '/auth/v1/admin/users', '/auth/v1/token']) {
        const response = await fetch(url + path, { headers: { authorization: `Bearer ${key}` } });
        expect([path, response.status, (await response.json()).message]).toEqual([
          path,
          401,
          'No API key found in request',
        ]);
      }
    }
    expect(seen).toHaveLength(0);
  });

  it('say nothing as a token beside themselves, and are no token beside another key', async () => {
    const { url } = await start();
    const sent = async (path: string, apikey: string, bearer: string) => {
      const response = await fetch(url + path, { headers: { apikey, authorization: `Bearer ${bearer}` } });
      return (await response.json()).headers.authorization;
    };
    const jwt = await keys.jwt('anon');
    for (const path of ['/rest/v1/t', '/auth/v1/user', '/storage/v1/bucket']) {
      expect(await sent(path, keys.secret, keys.secret)).toBeUndefined();
      expect(await sent(path, keys.publishable, keys.secret)).toBe(`Bearer ${keys.secret}`);
      expect(await sent(path, keys.publishable, 'nonsense')).toBe('Bearer nonsense');
      expect(await sent(path, jwt, jwt)).toBe(`Bearer ${jwt}`);
    }
  });

  it('that are secret are refused to what calls itself a browser', async () => {
    const { url, seen } = await start();
    const browser =
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36';
    const ask = (path: string, apikey: string, agent: string) =>
      fetch(url + path, { headers: { apikey, 'user-agent': agent } });
    for (const path of ['/rest/v1/t', '/auth/v1/admin/users', '/storage/v1/bucket']) {
      const response = await ask(path, keys.secret, browser);
      expect([path, response.status, await response.json()]).toEqual([
        path,
        401,
        {
          message: 'Forbidden use of secret API key in browser',
          hint: expect.stringContaining('should never be used in a browser'),
        },
      ]);
      expect(response.headers.get('sb-error-code')).toBe('UNAUTHORIZED_INVALID_API_KEY_TYPE');
      expect((await ask(path, keys.publishable, browser)).status).toBe(200);
      expect((await ask(path, keys.secret, 'node')).status).toBe(200);
    }
    expect(seen).toHaveLength(6);
  });

  it('of another project, or of a user, are none', async () => {
    const { url } = await start();
    const other = new ApiKeys({ publishable: 'sb_publishable_o', secret: 'sb_secret_o', jwtSecret: 'o'.repeat(40) });
    for (const apikey of [
      'sb_secret_o',
      await other.jwt('service_role'),
      'x',
      keys.secret.slice(0, -1),
      `${keys.secret}x`,
    ]) {
      expect([apikey, (await fetch(`${url}/rest/v1/t`, { headers: { apikey } })).status]).toEqual([apikey, 401]);
    }
  });

  it('reach functions as they were sent', async () => {
    const { url } = await start();
    const headers = { apikey: keys.secret, authorization: `Bearer ${keys.secret}` };
    for (const sent of [headers, { apikey: keys.secret }, { authorization: 'Bearer sb_secret_of_nobody' }, {}]) {
      const { authorization, apikey } = (await (await fetch(`${url}/functions/v1/f`, { headers: sent })).json())
        .headers;
      expect({ authorization, apikey }).toEqual({ authorization: undefined, apikey: undefined, ...sent });
    }
  });

  it('reach Realtime as JWTs, from the header of keys only', async () => {
    const { url } = await start();
    const broadcast = (headers: Record<string, string>) =>
      fetch(`${url}/realtime/v1/api/broadcast?x=1`, { method: 'POST', headers });
    const both = { apikey: keys.publishable, authorization: `Bearer ${keys.publishable}` };
    const seen = await (await broadcast(both)).json();
    expect(seen.url).toBe('/api/broadcast?x=1');
    expect(decodeJwt(seen.headers.apikey)).toMatchObject({ role: 'anon' });
    expect(seen.headers.authorization).toBeUndefined();
    const mixed = await (await broadcast({ ...both, authorization: `Bearer ${keys.secret}` })).json();
    expect(mixed.headers.authorization).toBe(`Bearer ${keys.secret}`);
    expect((await broadcast({ authorization: `Bearer ${keys.secret}` })).status).toBe(401);
    expect((await broadcast({ apikey: 'sb_secret_wrong' })).status).toBe(401);
  });
});

describe('an upgrade', () => {
  it('reaches Realtime at its own path with a JWT', async () => {
    const sockets = new WebSocketServer({ noServer: true });
    let asked: string | undefined;
    const { url } = await start({
      realtime: {
        handleRequest: (_message, response) => response.end(),
        handleUpgrade: (message, socket, head) => {
          asked = message.url;
          sockets.handleUpgrade(message, socket, head, (ws) => ws.on('message', (data) => ws.send(`echo ${data}`)));
        },
      },
    });
    const socket = new WebSocket(
      `${url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${keys.publishable}&vsn=2.0.0`,
    );
    await once(socket, 'open');
    socket.send('hi');
    expect(String((await once(socket, 'message'))[0])).toBe('echo hi');
    const target = new URL(asked ?? '', 'http://x');
    expect([target.pathname, target.searchParams.get('vsn')]).toEqual(['/socket/websocket', '2.0.0']);
    expect(decodeJwt(target.searchParams.get('apikey') ?? '')).toMatchObject({ role: 'anon' });
    const closed = once(socket, 'close');
    await gateway?.close(500);
    await closed;
  });

  it('elsewhere, or with a wrong key, is refused in HTTP', async () => {
    const { url } = await start();
    const refusal = async (path: string) => {
      const socket = new WebSocket(url.replace('http', 'ws') + path);
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
      response.resume();
      return response.statusCode;
    };
    expect(await refusal('/rest/v1/x')).toBe(404);
    expect(await refusal('/nothing')).toBe(404);
    expect(await refusal('/realtime/v1/websocket?apikey=sb_publishable_wrong')).toBe(401);
  });
});

describe('a browser', () => {
  it('gets its preflights answered, and every answer opened', async () => {
    const { url, seen } = await start();
    const preflight = (path: string) =>
      fetch(url + path, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://app.example',
          'access-control-request-method': 'PATCH',
          'access-control-request-headers': 'apikey,x-mine',
        },
      });
    for (const path of ['/rest/v1/t', '/auth/v1/token', '/storage/v1/object/b/x', '/realtime/v1/api/broadcast']) {
      const response = await preflight(path);
      expect([path, response.status, response.headers.get('access-control-allow-origin')]).toEqual([path, 200, '*']);
      expect(response.headers.get('access-control-allow-methods')).toContain('PATCH');
      expect(response.headers.get('access-control-allow-headers')).toBe('apikey,x-mine');
    }
    expect(seen).toHaveLength(0);
    // A function answers for itself, as on the hosted platform.
    await preflight('/functions/v1/f');
    expect(seen).toHaveLength(1);
    for (const path of ['/rest/v1/t', '/nothing', '/functions/v1/f', '/realtime/v1/api/x']) {
      expect([path, (await fetch(url + path)).headers.get('access-control-allow-origin')]).toEqual([path, '*']);
    }
  });
});

describe('a request', () => {
  it('has a correlation id, given or made, that is passed on, sent back and logged', async () => {
    const { url, lines } = await start();
    const ask = async (id?: string) => {
      const response = await fetch(`${url}/functions/v1/f`, {
        headers: id === undefined ? {} : { 'x-correlation-id': id },
      });
      const body = await response.json();
      expect(response.headers.get('x-correlation-id')).toBe(body.headers['x-correlation-id']);
      return body.headers['x-correlation-id'] as string;
    };
    expect(await ask('run-7:a.b')).toBe('run-7:a.b');
    expect(await ask()).toMatch(/^[0-9a-f-]{36}$/);
    expect(await ask('no good id')).toMatch(/^[0-9a-f-]{36}$/);
    await waitFor('the log line', async () =>
      lines.find(
        (line) =>
          line.correlation_id === 'run-7:a.b' &&
          line.message === 'request' &&
          line.status === 200 &&
          typeof line.ms === 'number',
      ),
    );
  });

  it('for nothing we have is 404, and a broken one 400', async () => {
    const { url, port } = await start();
    const response = await fetch(`${url}/graphql/v1`);
    expect([response.status, await response.json()]).toEqual([404, { message: 'no Route matched with those values' }]);
    expect((await fetch(`${url}/rest/v1/../../nothing`)).status).toBe(404);
    const socket = connect(port, '127.0.0.1');
    socket.write('GET http://[bad HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 400 /);
    socket.destroy();
  });

  it('loses its hop-by-hop headers', async () => {
    const { port } = await start();
    const body = await new Promise<string>((resolve) => {
      request(
        {
          port,
          path: '/functions/v1/f',
          headers: {
            connection: 'x-secret-hop',
            'x-secret-hop': '1',
            te: 'trailers',
            'proxy-authorization': 'x',
            'x-kept': '1',
          },
        },
        async (response) => {
          let text = '';
          for await (const chunk of response) text += chunk;
          resolve(text);
        },
      ).end();
    });
    const { headers } = JSON.parse(body);
    expect(headers).toMatchObject({ 'x-kept': '1' });
    for (const name of ['x-secret-hop', 'te', 'proxy-authorization', 'connection'])
      expect(headers).not.toHaveProperty(name);
  });

  it('whose body is larger than its service takes is 413', async () => {
    const { url } = await start({
      bodyLimits: { auth: 1000 },
      lite: { fetch: async (asked) => new Response(await asked.text()) },
    });
    const headers = { apikey: keys.publishable };
    const told = await fetch(`${url}/auth/v1/token`, { method: 'POST', headers, body: 'x'.repeat(1001) });
    expect(told.status).toBe(413);
    let sent = 0;
    const untold = await fetch(`${url}/auth/v1/token`, {
      method: 'POST',
      headers,
      duplex: 'half',
      body: new ReadableStream({
        pull: (controller) => (sent++ < 30 ? controller.enqueue(Buffer.alloc(100)) : controller.close()),
      }),
    } as RequestInit);
    expect([untold.status, await untold.json()]).toEqual([413, { message: 'Request body too large' }]);
    expect((await fetch(`${url}/auth/v1/token`, { method: 'POST', headers, body: 'x'.repeat(1000) })).status).toBe(200);
  });

  it('that its client gives up is given up by the service', async () => {
    let aborted = false;
    let cancelled = false;
    const { url } = await start({
      lite: {
        fetch: async (asked) => {
          asked.signal.addEventListener('abort', () => {
            aborted = true;
          });
          if (asked.url.endsWith('/wait')) await once(asked.signal, 'abort');
          return new Response(
            new ReadableStream({
              pull: async (controller) => {
                await delay(5);
                controller.enqueue(Buffer.from('x'));
              },
              cancel: () => {
                cancelled = true;
              },
            }),
          );
        },
      },
    });
    const headers = { apikey: keys.publishable };
    await expect(fetch(`${url}/rest/v1/wait`, { headers, signal: AbortSignal.timeout(100) })).rejects.toThrow();
    await waitFor('the signal', async () => aborted);
    const stop = new AbortController();
    const streamed = await fetch(`${url}/rest/v1/stream`, { headers, signal: stop.signal });
    await streamed.body?.getReader().read();
    stop.abort();
    await waitFor('the stream to be cancelled', async () => cancelled);
  });

  it('is answered no faster than its client reads', async () => {
    let pulled = 0;
    const total = 400;
    const { port } = await start({
      lite: {
        fetch: async () =>
          new Response(
            new ReadableStream({
              pull: (controller) =>
                pulled++ < total ? controller.enqueue(Buffer.alloc(64 * 1024)) : controller.close(),
            }),
          ),
      },
    });
    const response = await new Promise<IncomingMessage>((resolve) => {
      request({ port, path: '/rest/v1/t', headers: { apikey: keys.publishable } }, resolve).end();
    });
    response.pause();
    await waitFor('the pulls to stop', async () => {
      const before = pulled;
      await delay(150);
      return pulled === before;
    });
    expect(pulled).toBeLessThan(total);
    let size = 0;
    for await (const chunk of response) size += (chunk as Buffer).length;
    expect(size).toBe(total * 64 * 1024);
  });

  it('that fails inside says nothing of the inside', async () => {
    const { url, lines } = await start({ lite: { fetch: async () => Promise.reject(new Error('the password is x')) } });
    const response = await fetch(`${url}/rest/v1/t`, { headers: { apikey: keys.publishable } });
    expect([response.status, await response.json()]).toEqual([500, { message: 'An unexpected error occurred' }]);
    expect(lines.some((line) => line.message === 'request failed')).toBe(true);
  });
});

describe('health', () => {
  it('is 200 when all is well, else 503, and needs no key', async () => {
    const { url } = await start();
    expect(await (await fetch(`${url}/health`)).json()).toEqual({
      status: 'ok',
      services: { rest: { healthy: true } },
      versions: { stark: '0' },
    });
    await gateway?.close();
    const ill = await start({ health: async () => ({ status: 'degraded', services: {}, versions: {} }) });
    expect((await fetch(`${ill.url}/health`)).status).toBe(503);
  });

  it('is told to no web page, by no preflight, and in few words under a name of the web', async () => {
    let asked = 0;
    const health = async () => {
      asked += 1;
      return { status: 'ok' as const, services: { rest: { healthy: true } }, versions: { stark: '0' } };
    };
    const { url } = await start({ health });
    const { port } = new URL(url);
    const ask = (headers: Record<string, string>, method = 'GET') =>
      new Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: unknown }>((resolve, reject) => {
        request(`${url}/health`, { method, headers }, async (response) => {
          const text = Buffer.concat(await response.toArray()).toString();
          resolve({ status: response.statusCode, headers: response.headers, body: text && JSON.parse(text) });
        })
          .on('error', reject)
          .end();
      });
    for (const page of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: url },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      { 'sec-fetch-site': 'same-site' },
    ] as Record<string, string>[]) {
      const { status, headers, body } = await ask(page);
      expect([page, status, body]).toEqual([page, 403, { message: 'not for web pages' }]);
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
    const preflight = { origin: 'https://evil.example', 'access-control-request-method': 'GET' };
    expect((await ask(preflight, 'OPTIONS')).headers['access-control-allow-origin']).toBeUndefined();
    expect(asked).toBe(0);
    for (const host of ['evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'localhost.evil.example']) {
      expect((await ask({ host })).body).toEqual({ status: 'ok' });
    }
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'stark.localhost', 'stark', `[::1]:${port}`]) {
      const { body, headers } = await ask({ host, 'sec-fetch-site': 'none' });
      expect(body).toHaveProperty('services');
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });
});

describe('close', () => {
  it('lets what is under way finish and takes nothing new', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { url } = await start({
      lite: {
        fetch: async () => {
          await gate;
          return new Response('done');
        },
      },
    });
    const headers = { apikey: keys.publishable };
    const pending = fetch(`${url}/rest/v1/t`, { headers });
    await delay(100);
    const closing = gateway?.close(5000);
    await expect(fetch(`${url}/health`)).rejects.toThrow();
    release();
    expect(await (await pending).text()).toBe('done');
    await closing;
  });

  it('cuts what is not done by the deadline', async () => {
    let upgraded: Duplex | undefined;
    const { url, port } = await start({
      lite: { fetch: () => new Promise(() => undefined) },
      realtime: {
        handleRequest: (_message: IncomingMessage, response: ServerResponse) => response.end(),
        handleUpgrade: (_message, socket) => {
          upgraded = socket;
          socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n');
        },
      },
    });
    const pending = fetch(`${url}/rest/v1/t`, { headers: { apikey: keys.publishable } });
    const raw = connect(port, '127.0.0.1');
    raw.on('error', () => undefined);
    raw.write('GET /realtime/v1/websocket HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n');
    await once(raw, 'data');
    const started = performance.now();
    await Promise.all([gateway?.close(200), expect(pending).rejects.toThrow()]);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(upgraded?.destroyed).toBe(true);
    raw.destroy();
  });
});

describe('keys', () => {
  it('are compared whole, and their JWTs last', async () => {
    expect(await keys.roleOf(keys.secret)).toBe('service_role');
    expect(await keys.roleOf(keys.publishable)).toBe('anon');
    expect(await keys.swap('not-a-key')).toBe('not-a-key');
    expect(await keys.swap('sb_secret_x')).toBeNull();
    const { exp = 0 } = decodeJwt(await keys.jwt('anon'));
    expect(exp - Date.now() / 1000).toBeGreaterThan(9 * 365 * 86_400);
    expect(jwtSecret.length).toBeGreaterThanOrEqual(32);
  });
});
