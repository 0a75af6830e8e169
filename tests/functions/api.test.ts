import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { VERSION } from '../../supabase/functions/_shared/version.ts';
import { type RunningFunction, startFunction } from './deno-function.js';
import { FakePlatform } from './fake-platform.js';

const ada = { email: 'ada@example.com', password: 'correct horse', display_name: 'Ada' };

const publishable = 'sb_publishable_test';
const json = { 'content-type': 'application/json' };
const shown = { ...json, apikey: publishable };

let platform: FakePlatform;
let platformUrl: string;
let api: RunningFunction;

beforeAll(async () => {
  platform = new FakePlatform();
  platformUrl = await platform.start();
  api = await startFunction('api', {
    SUPABASE_URL: platformUrl,
    SUPABASE_SERVICE_ROLE_KEY: platform.secretKey,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishable }),
  });
}, 40_000);

afterAll(async () => {
  await api?.stop();
  await platform?.stop();
});

beforeEach(() => {
  platform.admin = undefined;
  platform.refuseSetup = undefined;
  platform.users.clear();
  platform.refuse = {};
  platform.joins.length = 0;
  platform.correlationIds.length = 0;
});

async function setup(body: unknown = ada, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${api.url}/api/auth/setup`, {
    method: 'POST',
    body: text,
    headers: { ...json, apikey: platform.secretKey, ...headers },
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

describe('GET /api/auth/setup', () => {
  it.each(['/api/auth/setup', '/functions/v1/api/auth/setup', '/api/auth/setup/'])('answers at %s', async (path) => {
    const needed = async () => (await fetch(api.url + path, { headers: { apikey: publishable } })).json();
    expect(await needed()).toEqual({ needed: true });
    platform.admin = 'somebody';
    expect(await needed()).toEqual({ needed: false });
  });
});

describe('POST /api/auth/setup', () => {
  it('makes a confirmed user and the first admin of it', async () => {
    const { status, body } = await setup();
    expect(status).toBe(201);
    expect(body).toEqual({ user_id: platform.admin, email: ada.email, display_name: 'Ada' });
    expect([...platform.users.values()]).toEqual([{ id: platform.admin, email: ada.email }]);
  });

  it('refuses a second time and makes no user for it', async () => {
    await setup();
    const { status, body } = await setup({ ...ada, email: 'eve@example.com' });
    expect(status).toBe(409);
    expect(body.error).toMatchObject({ code: 'SETUP_DONE', hint: 'stark auth login' });
    expect(platform.users.size).toBe(1);
  });

  it.each([
    ['different addresses', 'eve@example.com'],
    ['the same address', ada.email],
  ])('lets one of two at once win, with %s', async (_, email) => {
    platform.expectTogether(2);
    const answers = await Promise.all([setup(), setup({ ...ada, email })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.error.code).toBe('SETUP_DONE');
    expect([...platform.users.keys()]).toEqual([platform.admin]);
  });

  it('removes the user again when the database refuses, and passes its reason on', async () => {
    const error = { code: 'SOME_REASON', message: 'because', hint: 'do this', details: 'more' };
    platform.refuseSetup = { status: 422, body: error };
    const { status, body } = await setup();
    expect(status).toBe(422);
    expect(body).toEqual({ error });
    expect(platform.users.size).toBe(0);
  });

  it('says that the platform failed when it did, and leaves no user behind', async () => {
    platform.refuseSetup = { status: 500, body: { message: 'out of memory' } };
    const { status, body } = await setup();
    expect(status).toBe(500);
    expect(body.error).toMatchObject({ code: 'PLATFORM_FAILED', message: 'the platform failed: out of memory' });
    expect(platform.users.size).toBe(0);
  });

  it('says so when the address belongs to a user who is no admin', async () => {
    await setup();
    platform.admin = undefined;
    const { status, body } = await setup();
    expect(status).toBe(409);
    expect(body.error.code).toBe('EMAIL_TAKEN');
    expect(platform.users.size).toBe(1);
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{', 'the body must be JSON'],
    ['a list', '[]', 'the body must be a JSON object'],
    ['no email', { password: 'long enough' }, 'email is required'],
    ['a bad email', { ...ada, email: 'ada' }, 'email is not an e-mail address'],
    ['no password', { email: ada.email }, 'password is required'],
    ['a short password', { ...ada, password: '1234567' }, 'password must have at least 8 characters'],
    [
      'a password longer than bcrypt reads',
      { ...ada, password: 'ä'.repeat(37) },
      'password must have at most 72 bytes',
    ],
    ['a name that is no text', { ...ada, display_name: 5 }, 'display_name must be a text of at most 100 characters'],
  ])('refuses %s', async (_, body, message) => {
    const answer = await setup(body);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatchObject({ code: 'INVALID_INPUT', message });
    expect(platform.users.size).toBe(0);
  });

  it('refuses a body that is too large', async () => {
    expect((await setup({ ...ada, display_name: 'x'.repeat(70_000) })).body.error.code).toBe('TOO_LARGE');
  });

  it('refuses one without an end before it ends', async () => {
    const sent = request(`${api.url}/api/auth/setup`, {
      method: 'POST',
      headers: { ...json, apikey: platform.secretKey },
    });
    const status = new Promise((resolve, reject) => {
      sent.on('response', ({ statusCode }) => resolve(statusCode)).on('error', reject);
    });
    sent.write('x'.repeat(70_000));
    expect(await status).toBe(413);
    sent.destroy();
  });
});

describe('POST /api/nodes/join', () => {
  const joining = { token: 'stark_join_x_y', name: 'n1', runtime: 'node' };
  const join = async (body: unknown = joining) => {
    const response = await fetch(`${api.url}/api/nodes/join`, {
      method: 'POST',
      headers: shown,
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };

  it('makes the account that Postgres admitted, signs it in, and lets it speak for the node', async () => {
    const { status, body } = await join();
    expect(status).toBe(201);
    expect(body).toMatchObject({
      node_id: 'node-1',
      user_id: platform.admitted,
      access_token: 'a.b.c',
      refresh_token: 'refresh',
    });
    expect([...platform.users.keys()]).toEqual([platform.admitted]);
    const sha = createHash('sha256').update(joining.token).digest('hex');
    expect(platform.joins).toEqual([
      { p_secret_sha256: sha, p_user_id: platform.admitted, p_name: 'n1', p_runtime: 'node' },
    ]);
  });

  it('makes no account when Postgres refuses, and passes its reason on', async () => {
    const error = { code: 'JOIN_TOKEN_EXPIRED', message: 'too late', hint: 'another', details: null };
    platform.refuse = { '/rest/v1/rpc/admit_node': { status: 403, body: error } };
    expect(await join()).toEqual({ status: 403, body: { error } });
    expect(platform.users.size).toBe(0);
  });

  it.each([
    [
      'the sign-in fails',
      '/auth/v1/token?grant_type=password',
      429,
      { code: 429, error_code: 'over_request_rate_limit', msg: 'slow' },
      429,
    ],
    ['somebody was faster', '/rest/v1/rpc/join_node', 403, { code: 'JOIN_TOKEN_USED_UP', message: 'used up' }, 403],
    ['the platform fails', '/rest/v1/rpc/join_node', 500, { message: 'out of memory' }, 500],
  ])('leaves no account behind when %s', async (_what, url, status, body, answered) => {
    platform.refuse = { [url]: { status, body } };
    expect((await join()).status).toBe(answered);
    expect(platform.users.size).toBe(0);
  });
});

it('says to anybody that it is there, and which version of it', async () => {
  const answer = await fetch(`${api.url}/api/health`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ status: 'ok', function: 'api', version: VERSION });
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  const page = await fetch(`${api.url}/api/health`, { headers: { origin: 'https://evil.example' } });
  expect(page.status).toBe(403);
});

const joining = JSON.stringify({ token: null, name: 'n1', runtime: 'node' });
const endpoints: [path: string, body: string][] = [
  ['auth/setup', JSON.stringify(ada)],
  ['auth/users', JSON.stringify(ada)],
  ['nodes/join', joining],
  ['vault', '{}'],
];

async function knock(path: string, body: string, headers: Record<string, string>, url = api.url) {
  const response = await fetch(`${url}/api/${path}`, { method: 'POST', body, headers });
  return { status: response.status, code: (await response.json()).error?.code };
}

describe('who may change something', () => {
  const evil = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };

  it.each(endpoints)('not a form on anybody’s page, at %s', async (path, body) => {
    const types = [
      'text/plain',
      'text/plain;charset=UTF-8',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
    ];
    for (const type of [...types, 'text/plain; application/json', 'application/jsonx', 'application/json-seq']) {
      const key = { apikey: platform.secretKey };
      const answer = await knock(path, body, { ...key, 'content-type': type });
      expect(answer, type).toEqual({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
      // As a browser sends it: with its origin, and with no key, which a form cannot add.
      const status = (await knock(path, body, { ...evil, 'content-type': type })).status;
      expect([401, 403], type).toContain(status);
    }
    expect(platform.users.size).toBe(0);
    expect(platform.correlationIds).toEqual([]);
  });

  it.each(endpoints)('nobody without a key of the project, at %s', async (path, body) => {
    for (const apikey of ['', 'sb_publishable_other', `${publishable}x`, publishable.slice(0, -1)]) {
      expect(await knock(path, body, { ...json, apikey })).toEqual({ status: 401, code: 'UNAUTHENTICATED' });
      expect((await knock(`${path}?apikey=${publishable}`, body, { ...json, apikey })).status).toBe(401);
    }
    expect(platform.correlationIds).toEqual([]);
  });

  it('the first admin is made by the secret key only, and by no page that has it', async () => {
    const body = JSON.stringify(ada);
    for (const headers of [shown, { ...shown, authorization: `Bearer ${platform.secretKey}` }]) {
      expect(await knock('auth/setup', body, headers)).toEqual({ status: 401, code: 'UNAUTHENTICATED' });
    }
    const secret = { ...json, apikey: platform.secretKey };
    const pages = [{ origin: 'https://evil.example' }, { origin: 'null' }, { origin: api.url }, evil];
    for (const page of [...pages, { 'sec-fetch-site': 'same-site' }] as Record<string, string>[]) {
      expect(await knock('auth/setup', body, { ...secret, ...page })).toEqual({
        status: 403,
        code: 'ORIGIN_NOT_ALLOWED',
      });
    }
    expect(platform.users.size).toBe(0);
    expect(
      (await knock('auth/setup', body, { ...secret, 'content-type': 'application/json; charset=utf-8' })).status,
    ).toBe(201);
  });

  it('pages of every origin where they show the key, unless the operator has named some', async () => {
    expect((await knock('nodes/join', joining, { ...shown, ...evil })).status).toBe(201);
    const named = await startFunction('api', {
      SUPABASE_URL: platformUrl,
      SUPABASE_SERVICE_ROLE_KEY: platform.secretKey,
      SUPABASE_ANON_KEY: publishable,
      STARK_ALLOWED_ORIGINS: 'https://app.example, https://other.example',
    });
    try {
      const join = (origin: Record<string, string>) => {
        platform.users.clear();
        return knock('nodes/join', joining, { ...shown, ...origin }, named.url);
      };
      for (const origin of ['https://evil.example', 'https://app.example.evil', 'http://app.example', 'null']) {
        expect(await join({ origin }), origin).toEqual({ status: 403, code: 'ORIGIN_NOT_ALLOWED' });
      }
      expect((await join({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
      for (const origin of ['https://app.example', 'https://other.example']) {
        expect((await join({ origin })).status).toBe(201);
      }
      // Who is no page has no origin.
      expect((await join({})).status).toBe(201);
    } finally {
      await named.stop();
    }
  });
});

describe('every answer', () => {
  it('carries the correlation id of the call, and so does every call behind it', async () => {
    const { headers } = await setup(ada, { 'x-correlation-id': 'abc-123' });
    expect(headers.get('x-correlation-id')).toBe('abc-123');
    expect(new Set(platform.correlationIds)).toEqual(new Set(['abc-123']));
  });

  it('gets a correlation id when the call brings none that is safe to repeat', async () => {
    const { headers } = await setup(ada, { 'x-correlation-id': '{"a":1}' });
    expect(headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('may be read by pages of other origins, but for that of the setup', async () => {
    const preflight = await fetch(`${api.url}/api/nodes/join`, { method: 'OPTIONS' });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('x-correlation-id');
    const closed = await fetch(`${api.url}/api/auth/setup`, { method: 'OPTIONS' });
    expect(closed.headers.get('access-control-allow-origin')).toBeNull();
    expect((await setup('{')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is an envelope for unknown paths and methods', async () => {
    const unknown = await fetch(`${api.url}/api/nope`);
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ error: { code: 'NOT_FOUND', message: 'there is nothing at /nope' } });
    const wrong = await fetch(`${api.url}/api/auth/setup`, { method: 'DELETE' });
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('GET, POST, OPTIONS');
    expect(await wrong.json()).toMatchObject({ error: { code: 'METHOD_NOT_ALLOWED' } });
  });
});

async function ask({ url }: RunningFunction) {
  const response = await fetch(`${url}/api/auth/setup`, { headers: { apikey: platform.secretKey } });
  return { status: response.status, body: await response.json() };
}

describe('a function without a usable platform', () => {
  it('says that it is not configured', async () => {
    const bare = await startFunction('api', {});
    const answer = await ask(bare).finally(() => bare.stop());
    expect(answer).toMatchObject({ status: 500, body: { error: { code: 'NOT_CONFIGURED' } } });
  }, 40_000);

  it('takes its key from SUPABASE_SECRET_KEYS first, and calls a refused key by its name', async () => {
    const env = { SUPABASE_URL: platformUrl, SUPABASE_SERVICE_ROLE_KEY: platform.secretKey };
    const refused = await startFunction('api', { ...env, SUPABASE_SECRET_KEYS: '{"default":"sb_secret_wrong"}' });
    const answer = await ask(refused).finally(() => refused.stop());
    expect(answer).toMatchObject({ status: 500, body: { error: { code: 'BAD_SECRET_KEY' } } });
  }, 40_000);
});

it('deploys with the client version that core uses', async () => {
  const [core, deploy] = await Promise.all(
    ['core/package.json', 'supabase/functions/api/deno.json'].map(async (path) =>
      JSON.parse(await readFile(path, 'utf8')),
    ),
  );
  const version = core.dependencies['@supabase/supabase-js'];
  expect(deploy.imports['@supabase/supabase-js']).toBe(`npm:@supabase/supabase-js@${version}`);
});
