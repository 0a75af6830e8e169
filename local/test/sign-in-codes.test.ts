import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { keys, startTestGateway, type TestStack } from './gateway-support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestGateway();
}, 120_000);
afterAll(async () => {
  vi.useRealTimers();
  await stack?.stop();
});

let count = 0;

async function account(): Promise<string> {
  const email = `Person${++count}@example.com`;
  const { error } = await stack
    .admin()
    .auth.admin.createUser({ email, password: 'a long password', email_confirm: true });
  expect(error).toBeNull();
  return email;
}

async function post(path: string, body: object): Promise<{ status: number; code?: string; token?: string }> {
  const response = await fetch(`${stack.url}/auth/v1/${path}`, {
    method: 'POST',
    headers: { apikey: keys.publishable, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { error_code: code, access_token: token } = await response.json();
  return { status: response.status, code, token };
}

/** The code and the link of the newest mail to somebody. */
function mailTo(email: string): { code: string; link: URL } {
  const mail = stack.lines.findLast(({ to }) => to === email.toLowerCase()) as { text: string };
  const [link] = /https?:\S+/.exec(mail.text) ?? [];
  const [code] = mail.text.replace(/https?:\S+/g, '').match(/\b\d{6}\b/) ?? [];
  return { code: code ?? '', link: new URL(link ?? '') };
}

async function send(email: string, way = 'otp'): Promise<string> {
  expect((await post(way, { email, create_user: false })).status).toBe(200);
  return mailTo(email).code;
}

const wrong = (code: string, by = 1) => String((Number(code) + by) % 1_000_000).padStart(6, '0');
const verify = (email: string, token: string, type = 'magiclink') => post('verify', { type, email, token });
const refused = { status: 403, code: 'otp_expired' };

describe('a code of six digits', () => {
  it('signs in, once, after four wrong tries too', async () => {
    const email = await account();
    const code = await send(email);
    expect(code).toMatch(/^\d{6}$/);
    for (let by = 1; by <= 4; by++) expect(await verify(email, wrong(code, by))).toMatchObject(refused);
    expect(await verify(email, code)).toMatchObject({ status: 200, token: expect.any(String) });
    expect(await verify(email, code)).toMatchObject(refused);
  });

  it.each(['magiclink', 'recovery', 'signup', 'email_change'])(
    'is void after five wrong ones of type %s',
    async (type) => {
      const email = await account();
      const code = await send(email, 'recover');
      for (let by = 1; by <= 5; by++) expect((await verify(email, wrong(code, by), type)).status).toBe(403);
      for (const right of ['magiclink', 'recovery']) expect(await verify(email, code, right)).toMatchObject(refused);
      expect((await send(email)) !== '' && (await verify(email, mailTo(email).code)).status).toBe(200);
    },
  );

  it('is void for all spellings of the address, and for tries at the same time', async () => {
    const email = await account();
    const code = await send(email);
    const tries = Array.from({ length: 40 }, (_, i) => verify(i % 2 ? email.toUpperCase() : email, wrong(code, i + 1)));
    await Promise.all(tries);
    expect(await verify(email, code)).toMatchObject(refused);
  });

  it('is not won by having new ones sent: thirty wrong tries at an address, and an hour passes', async () => {
    const email = await account();
    for (let sent = 0; sent < 6; sent++) {
      const code = await send(email);
      for (let by = 1; by <= 5; by++) expect((await verify(email, wrong(code, by))).status).toBe(403);
    }
    const code = await send(email);
    expect(await verify(email, code)).toMatchObject({ status: 429, code: 'over_request_rate_limit' });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_001 });
    try {
      // A code is good for an hour itself.
      const next = await send(email);
      expect(await verify(email, next)).toMatchObject({ status: 200 });
    } finally {
      vi.useRealTimers();
    }
  });

  it('cannot be tried as the hash that a link carries, only the link itself signs in', async () => {
    const email = await account();
    const code = await send(email);
    const hash = createHash('sha256').update(`${email.toLowerCase()}${code}`).digest('hex');
    const { link } = mailTo(email);
    expect(link.searchParams.get('token')).toContain(hash);
    for (const token_hash of [hash, `${hash}.`, `${hash}.x`, `.${hash}`]) {
      expect(await post('verify', { type: 'magiclink', token_hash })).toMatchObject(refused);
    }
    const follow = async (token: string) => {
      const url = `${stack.url}/auth/v1/verify?type=magiclink&token=${encodeURIComponent(token)}`;
      return (await fetch(url, { redirect: 'manual' })).headers.get('location');
    };
    expect(await follow(hash)).toContain('error_code=otp_expired');
    expect(await follow(link.searchParams.get('token') ?? '')).toContain('access_token=');
    await send(email);
    const sealed = mailTo(email).link.searchParams.get('token');
    expect(await post('verify', { type: 'magiclink', token_hash: sealed })).toMatchObject({ status: 200 });
  });

  it('cannot be tried by another method, spelling of the path or empty first parameter', async () => {
    const email = await account();
    const hash = createHash('sha256')
      .update(`${email.toLowerCase()}${await send(email)}`)
      .digest('hex');
    for (const path of ['verify', '%76erify', 'verify/', 'verif%79/']) {
      for (const query of [`token=${hash}`, `token=&token=${hash}`, `%74oken=${hash}`]) {
        for (const method of ['HEAD', 'GET', 'PUT', 'PATCH', 'DELETE', 'POST']) {
          const url = `${stack.url}/auth/v1/${path}?type=magiclink&${query}`;
          const headers = { apikey: keys.publishable };
          const { status, headers: answered } = await fetch(url, { method, headers, redirect: 'manual' });
          const what = `${method} ${path} ${query}`;
          expect(answered.get('location') ?? '', what).not.toContain('access_token');
          if (path === 'verify') expect([what, status]).toEqual([what, { GET: status, POST: 400 }[method] ?? 405]);
        }
      }
      const body = { type: 'magiclink', token_hash: hash };
      expect((await post(path, body)).token, path).toBeUndefined();
    }
    // None of it has used the code up.
    expect(await verify(email, mailTo(email).code)).toMatchObject({ status: 200 });
  });

  it('is none when a part of it stands in the address, or of the address in it', async () => {
    const email = (await account()).toLowerCase();
    const code = await send(email);
    for (let by = 0; by < code.length; by++) {
      expect(await verify(email + code.slice(0, by + 1), code.slice(by + 1))).not.toHaveProperty(
        'token',
        expect.anything(),
      );
      const [address, rest] = [email.slice(0, -by - 1), email.slice(-by - 1)];
      expect(await verify(address, rest + code)).toMatchObject({ status: 400, code: 'validation_failed' });
    }
    // Six digits of another cut: to an address that was sent no code.
    const other = `${email}1`;
    await stack.admin().auth.admin.createUser({ email: other, password: 'a long password', email_confirm: true });
    expect(await verify(other, code)).toMatchObject(refused);
    expect(await verify(email, code)).toMatchObject({ status: 200 });
  });

  it('is a text, whatever the body is called', async () => {
    const email = await account();
    const code = await send(email);
    const types = ['text/plain', 'application/x-www-form-urlencoded', 'application/json', 'application/vnd.x'];
    for (const type of types) {
      const ask = async (body: unknown) => {
        const headers = { apikey: keys.publishable, 'content-type': type };
        const init = { method: 'POST', headers, body: JSON.stringify(body) };
        return (await fetch(`${stack.url}/auth/v1/verify`, init)).status;
      };
      const right = { type: 'magiclink', email, token: code };
      for (const one of [
        { token: Number(code) },
        { token: [code] },
        { email: [email] },
        { token_hash: ['x'] },
        { phone: 1 },
      ]) {
        expect([type, one, await ask({ ...right, ...one })]).toEqual([type, one, 400]);
      }
      expect(await ask([right])).toBe(400);
      expect(await ask({ ...right, token: wrong(code) })).toBe(403);
    }
    expect(await verify(email, wrong(code))).toMatchObject(refused);
    expect(await verify(email, code)).toMatchObject(refused);
  });
});
