import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SessionStore, Tokens } from '../src/control-plane/join.js';
import { openSession } from '../src/control-plane/session.js';

let server: Server;
let url: string;
let grants: string[];
let lifetime: number;
let serverAhead: number;
let refuseRefresh: boolean;
let refuseJoin: boolean;
let joins: unknown[];
let issued: number;
const sessions: { close(): Promise<void> }[] = [];

function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}.c2lnbmF0dXJl`;
}

function tokenResponse(): object {
  issued += 1;
  const exp = Math.floor(Date.now() / 1000) + serverAhead + lifetime;
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
  serverAhead = 0;
  refuseRefresh = false;
  refuseJoin = false;
  joins = [];
  issued = 0;
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    const grant = searchParams.get('grant_type') ?? pathname;
    grants.push(grant);
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.once('end', () => {
      if (pathname === '/functions/v1/api/nodes/join') {
        joins.push(JSON.parse(body));
        const error = { code: 'JOIN_TOKEN_USED_UP', message: 'used up', hint: 'make another', details: null };
        if (refuseJoin) answer(403, { error });
        else answer(201, { node_id: 'node-1', ...tokenResponse() });
      } else if (grant === 'refresh_token' && refuseRefresh) {
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
    const session = open({ email: 'a@example.com', password: 'secret' }, ({ refreshToken }) => {
      told.push(refreshToken);
    });
    await session.signIn();
    lifetime = 3600;
    expect(numberIn(await session.token())).toBe(2);
    expect(grants).toEqual(['password', 'refresh_token']);
    expect(told).toEqual(['refresh-1', 'refresh-2']);
  });

  it.each([
    ['ahead', -7200],
    ['behind', 7200],
  ])('keeps its token for as long as that lives on a machine whose clock is hours %s', async (_, ahead) => {
    serverAhead = ahead;
    const session = open({ email: 'a@example.com', password: 'secret' });
    await session.signIn();
    await session.token();
    expect(numberIn(await session.token())).toBe(1);
    lifetime = 60;
    await session.renew();
    lifetime = 3600;
    expect(numberIn(await session.token())).toBe(3);
    expect(numberIn(await session.token())).toBe(3);
    expect(grants).toEqual(['password', 'refresh_token', 'refresh_token']);
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

  it('with an access token alone leaves it to the cluster when that has expired', async () => {
    const accessToken = jwt({ exp: Math.floor(Date.now() / 1000) - 1 });
    const session = open({ accessToken });
    await session.signIn();
    await session.renew();
    expect(await session.token()).toBe(accessToken);
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

describe('the session of a node that joins', () => {
  let kept: Tokens | undefined;
  const store: SessionStore = {
    read: async () => kept,
    keep: async (tokens) => {
      kept = tokens;
    },
    forget: async () => {
      kept = undefined;
    },
  };
  const joining = (token?: string) => open({ join: { name: 'n1', runtime: 'node', token, store } });
  beforeEach(() => {
    kept = undefined;
  });

  it('is had for the join token, and kept', async () => {
    const session = joining('stark_join_x');
    await session.signIn();
    expect(joins).toEqual([{ token: 'stark_join_x', name: 'n1', runtime: 'node' }]);
    expect(numberIn(await session.token())).toBe(1);
    expect(kept?.refreshToken).toBe('refresh-1');
  });

  it('is renewed once, and then good, where the clock is ahead', async () => {
    serverAhead = -7200;
    const session = joining('stark_join_x');
    await session.signIn();
    expect(numberIn(await session.token())).toBe(2);
    expect(numberIn(await session.token())).toBe(2);
    expect(kept?.refreshToken).toBe('refresh-2');
  });

  it('is come back to without another token, proven to be alive, and kept as it changes', async () => {
    kept = { accessToken: 'old', refreshToken: 'refresh-0' };
    const session = joining();
    await session.signIn();
    expect(grants).toEqual(['refresh_token']);
    expect(joins).toEqual([]);
    expect(kept?.refreshToken).toBe('refresh-1');
    await session.renew();
    expect(kept?.refreshToken).toBe('refresh-2');
  });

  it('is replaced by a new one when the cluster has ended it and there is a token', async () => {
    kept = { accessToken: 'old', refreshToken: 'refresh-0' };
    refuseRefresh = true;
    const session = joining('stark_join_y');
    await session.signIn();
    expect(joins).toHaveLength(1);
    expect(kept?.refreshToken).toBe('refresh-1');
  });

  it('says what to do when it has ended and there is no token', async () => {
    kept = { accessToken: 'old', refreshToken: 'refresh-0' };
    refuseRefresh = true;
    await expect(joining().signIn()).rejects.toMatchObject({
      code: 'NOT_SIGNED_IN',
      hint: 'start the agent with --token and a new join token',
    });
    expect(joins).toEqual([]);
  });

  it('is asked for as a stranger without a token, and passes on why not', async () => {
    refuseJoin = true;
    await expect(joining().signIn()).rejects.toMatchObject({
      code: 'JOIN_TOKEN_USED_UP',
      status: 403,
      hint: 'make another',
    });
    expect(joins).toEqual([{ token: null, name: 'n1', runtime: 'node' }]);
    expect(kept).toBeUndefined();
  });

  it('is forgotten with its node', async () => {
    const session = joining('stark_join_x');
    await session.signIn();
    await session.forget?.();
    expect(kept).toBeUndefined();
  });
});
