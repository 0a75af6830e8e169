import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSession } from '../src/control-plane/session.js';

let server: Server;
let url: string;
let grants: string[];
let lifetime: number;
let refuseRefresh: boolean;
let issued: number;
const sessions: { close(): Promise<void> }[] = [];

function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}.c2lnbmF0dXJl`;
}

function tokenResponse(): object {
  issued += 1;
  const exp = Math.floor(Date.now() / 1000) + lifetime;
  return {
    access_token: jwt({ sub: 'user-1', role: 'authenticated', exp, n: issued }),
    refresh_token: `refresh-${issued}`,
    token_type: 'bearer',
    expires_in: lifetime,
    expires_at: exp,
    user: {
      id: 'user-1',
      aud: 'authenticated',
      email: 'a@example.com',
      app_metadata: {},
      user_metadata: {},
      created_at: '',
    },
  };
}

beforeEach(async () => {
  grants = [];
  lifetime = 3600;
  refuseRefresh = false;
  issued = 0;
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    const grant = searchParams.get('grant_type') ?? pathname;
    grants.push(grant);
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    request.resume().once('end', () => {
      if (grant === 'refresh_token' && refuseRefresh) {
        answer(400, { code: 400, error_code: 'refresh_token_not_found', msg: 'Invalid Refresh Token' });
      } else if (pathname.endsWith('/user')) answer(200, { id: 'user-1' });
      else answer(200, tokenResponse());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function open(...args: Parameters<typeof openSession> extends [string, string, ...infer Rest] ? Rest : never) {
  const session = openSession(url, 'key', ...args);
  sessions.push(session);
  return session;
}

function numberIn(token: string): number {
  return (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { n: number }).n;
}

describe('a session', () => {
  it('with a password keeps its token while it is good', async () => {
    const session = open({ email: 'a@example.com', password: 'secret' });
    await session.signIn();
    expect(numberIn(await session.token())).toBe(1);
    expect(numberIn(await session.token())).toBe(1);
    expect(grants).toEqual(['password']);
  });

  it('renews its token ahead of the expiry, and says so', async () => {
    lifetime = 60; // Less than the margin of supabase-js.
    const told: string[] = [];
    const session = open({ email: 'a@example.com', password: 'secret' }, ({ refreshToken }) => told.push(refreshToken));
    await session.signIn();
    lifetime = 3600;
    expect(numberIn(await session.token())).toBe(2);
    expect(grants).toEqual(['password', 'refresh_token']);
    expect(told).toEqual(['refresh-1', 'refresh-2']);
  });

  it('with a password signs in again when its refresh token is refused', async () => {
    lifetime = -1;
    const session = open({ email: 'a@example.com', password: 'secret' });
    await session.signIn();
    refuseRefresh = true;
    lifetime = 3600;
    await expect(session.token()).rejects.toMatchObject({ code: 'NOT_SIGNED_IN' });
    expect(numberIn(await session.token())).toBe(2);
    expect(grants).toEqual(['password', 'refresh_token', 'password']);
  });

  it('gets another token when the cluster does not accept the one it has, at most every ten seconds', async () => {
    const session = open({ email: 'a@example.com', password: 'secret' });
    await session.signIn();
    await session.renew();
    await session.renew();
    expect(numberIn(await session.token())).toBe(2);
    expect(grants).toEqual(['password', 'refresh_token']);
  });

  it('signs in again when the cluster accepts neither of its tokens', async () => {
    const session = open({ email: 'a@example.com', password: 'secret' });
    await session.signIn();
    refuseRefresh = true;
    await session.renew();
    expect(numberIn(await session.token())).toBe(2);
    expect(grants).toEqual(['password', 'refresh_token', 'password']);
  });

  it('with tokens only has ended when its refresh token is refused', async () => {
    refuseRefresh = true;
    const accessToken = jwt({ sub: 'user-1', role: 'authenticated', exp: Math.floor(Date.now() / 1000) - 10 });
    const session = open({ accessToken, refreshToken: 'used' });
    await expect(session.signIn()).rejects.toMatchObject({ code: 'NOT_SIGNED_IN' });
    await expect(session.token()).rejects.toMatchObject({ code: 'NOT_SIGNED_IN', status: 401 });
  });

  it('with an access token alone is good until that expires', async () => {
    const exp = Math.floor(Date.now() / 1000);
    const good = open({ accessToken: jwt({ exp: exp + 100 }) });
    await good.signIn();
    const late = open({ accessToken: jwt({ exp: exp - 1 }) });
    await expect(late.signIn()).rejects.toMatchObject({
      code: 'NOT_SIGNED_IN',
      message: 'the access token has expired',
    });
    expect(() => open({ accessToken: 'sb_secret_x' })).toThrow('the access token is not a JWT');
    expect(grants).toEqual([]);
  });

  it('that somebody else keeps is asked for each time', async () => {
    let n = 0;
    const session = open({ accessToken: async () => `token-${++n}` });
    await session.signIn();
    expect([await session.token(), await session.token()]).toEqual(['token-2', 'token-3']);
  });
});
