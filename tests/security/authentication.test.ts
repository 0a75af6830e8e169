import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, Cluster, type Person } from './cluster.js';

let cluster: Cluster;
let user: Person;
let nobody: Person;

beforeAll(async () => {
  cluster = await Cluster.start();
  user = await cluster.person('user', ['user']);
  nobody = await cluster.person('nobody');
});
afterAll(() => cluster.stop());

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

function sign(header: object, claims: object, secret: string | null): string {
  const body = `${encode(header)}.${encode(claims)}`;
  return `${body}.${secret === null ? '' : createHmac('sha256', secret).update(body).digest('base64url')}`;
}

describe('a token', () => {
  const hs256 = { alg: 'HS256', typ: 'JWT' };
  const service = { role: 'service_role', exp: inSeconds(900) };
  const forgeries: [what: string, make: () => string][] = [
    ['without a signature', () => sign({ alg: 'none', typ: 'JWT' }, service, null)],
    ['without a signature, spelt otherwise', () => sign({ alg: 'nOnE' }, service, null)],
    [
      'signed with the secret of every local project',
      () => sign(hs256, service, 'super-secret-jwt-token-with-at-least-32-characters-long'),
    ],
    ['signed with nothing', () => sign(hs256, service, '')],
    ['that brings its own key', () => sign({ ...hs256, jwk: { kty: 'oct', k: 'eA' } }, service, 'x')],
    ['that names another algorithm', () => sign({ alg: 'RS256' }, service, cluster.stack.keys.jwtSecret)],
    ['of a user with its role edited', () => edited({ role: 'service_role' })],
    ['of a user with its subject edited', () => edited({ sub: cluster.admin.id })],
    [
      'that has expired',
      () => sign(hs256, { ...claimsOf(user.token), exp: inSeconds(-60) }, cluster.stack.keys.jwtSecret),
    ],
    ['of no form', () => 'a.b.c'],
  ];
  const edited = (claims: object) => {
    const [head, , tail] = user.token.split('.');
    return `${head}.${encode({ ...claimsOf(user.token), ...claims })}.${tail}`;
  };

  it.each(forgeries)('%s opens no door, as a bearer or as a key', async (_what, make) => {
    const token = make();
    const message = { topic: 'stark:namespace:default', event: 'events', payload: {}, private: true };
    for (const shown of [{ token }, { key: token }, { token, key: token }, { token, key: null }]) {
      const answers: Answer[] = [
        await cluster.rest('profiles', shown),
        await cluster.rpc('setup_admin', { p_user_id: nobody.id }, shown),
        await cluster.request('/auth/v1/admin/users', shown),
        await cluster.request('/auth/v1/user', shown),
        await cluster.request('/realtime/v1/api/broadcast', {
          ...shown,
          method: 'POST',
          body: { messages: [message] },
        }),
      ];
      for (const { status, text } of answers) {
        expect([401, 403], text).toContain(status);
        expect(text).not.toContain('@example.com');
      }
      const bucket = await cluster.request('/storage/v1/bucket/packs', shown);
      expect(bucket.status, bucket.text).toBeGreaterThanOrEqual(400);
    }
  });

  it.each(['postgres', 'supabase_admin', 'authenticator', 'none', 'anon"; set role service_role;--'])(
    'that the project did sign still gets no role but the three: %s',
    async (role) => {
      const token = sign(hs256, { role, exp: inSeconds(900) }, cluster.stack.keys.jwtSecret);
      expect([401, 403]).toContain((await cluster.rest('profiles', { token })).status);
      expect((await cluster.request('/auth/v1/admin/users', { token })).status).toBe(403);
    },
  );
});

describe('a user', () => {
  it('chooses neither role nor metadata of the app, at sign-up or later', async () => {
    const claims = {
      role: 'service_role',
      aud: 'service_role',
      is_super_admin: true,
      app_metadata: { role: 'service_role', roles: ['admin'] },
      data: { role: 'service_role', app_metadata: { role: 'admin' } },
    };
    const signUp = await cluster.request('/auth/v1/signup', {
      method: 'POST',
      body: { email: 'wishful@example.com', password: 'correct horse', ...claims },
    });
    expect(claimsOf(signUp.json.access_token)).toMatchObject({ role: 'authenticated', aud: 'authenticated' });
    expect(signUp.json.user.app_metadata.role).toBeUndefined();
    const update = await cluster.request('/auth/v1/user', {
      method: 'PUT',
      token: signUp.json.access_token,
      body: claims,
    });
    expect(update.json).toMatchObject({ role: 'authenticated', aud: 'authenticated' });
    expect(update.json.app_metadata.role).toBeUndefined();
    const refreshed = await cluster.request('/auth/v1/token?grant_type=refresh_token', {
      method: 'POST',
      body: { refresh_token: signUp.json.refresh_token },
    });
    const { access_token: token } = refreshed.json;
    expect(claimsOf(token)).toMatchObject({ role: 'authenticated', aud: 'authenticated' });
    expect((await cluster.rpc('whoami', {}, { token })).json).toMatchObject({ roles: [] });
    expect((await cluster.rpc('create_pods', { p_pods: [{ pack: 'x' }] }, { token })).status).toBe(403);
  });

  it.each([
    'admin/users',
    './admin/users',
    'x/../admin/users',
    '/admin/users',
    '%61dmin/users',
    'admin%2fusers',
    'ADMIN/users',
    'admin/generate_link',
    'verify/../admin/users',
    '.well-known/../admin/users',
    'invite',
  ])('manages no users by %s', async (path) => {
    for (const shown of [
      { as: user },
      { as: user, key: null },
      { key: null },
      {},
      { token: cluster.stack.keys.publishable },
    ]) {
      for (const method of ['GET', 'POST']) {
        const body = method === 'POST' ? { email: 'planted@example.com', password: 'correct horse' } : undefined;
        const { status, text } = await cluster.request(`/auth/v1/${path}`, { ...shown, method, body });
        expect([401, 403, 404, 405], text).toContain(status);
      }
    }
    for (const method of ['PUT', 'DELETE']) {
      const { status } = await cluster.request(`/auth/v1/admin/users/${cluster.admin.id}`, {
        as: user,
        method,
        body: {},
      });
      expect(status).toBe(403);
    }
  });

  it('does not become the secret key by standing beside it', async () => {
    const { secret, publishable } = cluster.stack.keys;
    expect((await cluster.request('/auth/v1/admin/users', { key: secret, as: user })).status).toBe(403);
    expect((await cluster.rest('profiles?select=email', { key: secret, as: user })).json).toEqual([
      { email: 'user@example.com' },
    ]);
    expect((await cluster.rest('profiles', { key: `${secret.slice(0, -1)}_` })).status).toBe(401);
    expect((await cluster.rest('profiles', { key: publishable.replace('publishable', 'secret') })).status).toBe(401);
    expect((await cluster.rest('profiles', { key: null, as: user, headers: { 'x-api-key': secret } })).status).toBe(
      401,
    );
  });

  it('gets no letter to another’s address shown', async () => {
    for (const path of ['recover', 'otp', 'magiclink', 'resend']) {
      const body = { email: 'root@example.com', type: 'signup' };
      const { text } = await cluster.request(`/auth/v1/${path}`, { method: 'POST', body });
      expect(text, path).toBe('{}');
    }
  });
});

describe('the gateway', () => {
  /** What the gateway answers to bytes that no client library sends. */
  function send(request: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(cluster.stack.url);
      const socket = connect(Number(port), hostname, () => socket.write(request));
      let answer = '';
      socket.on('data', (chunk) => {
        answer += chunk.toString();
      });
      socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
      socket.on('close', () => resolve(answer));
      socket.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'ECONNRESET' ? resolve(answer) : reject(error),
      );
    });
  }
  const get = (path: string, ...headers: string[]) =>
    [`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers, '', ''].join('\r\n');

  it.each([
    ['by dots behind another service', () => get('/realtime/v1/../../auth/v1/admin/users'), 401],
    ['by encoded dots', () => get('/realtime/v1/%2e%2e/%2e%2e/auth/v1/admin/users'), 401],
    ['by backslashes', () => get('/functions/v1\\..\\..\\rest\\v1\\pods'), 401],
    ['by an absolute address', () => get('http://evil/rest/v1/pods'), 401],
    ['by an address of another scheme', () => get('ftp://evil/rest/v1/pods'), 400],
    [
      'by two keys',
      () => get('/rest/v1/pods', `apikey: ${cluster.stack.keys.publishable}`, 'apikey: sb_secret_x'),
      401,
    ],
    [
      'by naming the key a header of the connection',
      () => get('/rest/v1/pods', `apikey: ${cluster.stack.keys.publishable}`).replace('close', 'close, apikey'),
      401,
    ],
    ['by two lengths', () => get('/rest/v1/pods', 'Content-Length: 4', 'Transfer-Encoding: chunked', '', '0'), 400],
    ['by a header of 100 kB', () => get('/rest/v1/pods', `x: ${'x'.repeat(100_000)}`), 431],
    ['by a broken host', () => get('/health').replace('Host: x', 'Host: a:b@c:99999'), 400],
    ['into a folder beside the functions', () => get('/functions/v1/_shared'), 404],
    ['out of the functions’ folder', () => get('/functions/v1/..%2f..%2fconfig.toml'), 404],
  ])('is not passed %s', async (_how, request, status) => {
    expect(await send(request())).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('tells at /health nothing but that it lives', async () => {
    const { text, json } = await cluster.request('/health', { key: null });
    expect(Object.keys(json).sort()).toEqual(['services', 'status', 'versions']);
    for (const secret of ['sb_', 'postgres://', 'postgresql://', cluster.stack.dataDir, cluster.stack.keys.jwtSecret]) {
      expect(text).not.toContain(secret);
    }
  });
});
