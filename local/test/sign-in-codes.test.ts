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
});
