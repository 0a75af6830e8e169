import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jwtSecret, keys, startTestGateway, type TestStack } from './gateway-support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestGateway({
    sql: `
      create table public.profiles (id uuid primary key references auth.users (id) on delete cascade, email text);
      create function public.on_user() returns trigger language plpgsql security definer set search_path = '' as $$
      begin
        if new.email = 'refused@example.com' then raise exception 'not this one'; end if;
        if new.email = 'closed@example.com' then raise sqlstate 'PT403' using message = 'closed', detail = 'CLOSED', hint = 'ask'; end if;
        insert into public.profiles values (new.id, new.email);
        return new;
      end $$;
      create trigger on_user after insert on auth.users for each row execute function public.on_user();
    `,
  });
}, 120_000);
afterAll(() => stack?.stop());

const password = 'a long password';
let count = 0;
const newEmail = () => `user${++count}@example.com`;
const signIn = (email: string, secret = password) =>
  stack.client().auth.signInWithPassword({ email, password: secret });

/** A bare call of the admin API. */
const call = (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
  fetch(`${stack.url}/auth/v1/admin/users${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const secret = { apikey: keys.secret };

describe('createUser', () => {
  it('makes a confirmed user who can sign in, with an identity and metadata', async () => {
    const email = newEmail();
    const { data, error } = await stack.admin().auth.admin.createUser({
      email: email.toUpperCase(),
      password,
      email_confirm: true,
      user_metadata: { name: 'Ada' },
      app_metadata: { team: 'x' },
    });
    expect(error).toBeNull();
    expect(data.user).toMatchObject({
      aud: 'authenticated',
      role: 'authenticated',
      email,
      user_metadata: { name: 'Ada', email_verified: true },
      app_metadata: { provider: 'email', providers: ['email'], team: 'x' },
      identities: [
        {
          provider: 'email',
          id: data.user?.id,
          user_id: data.user?.id,
          email,
          identity_data: { sub: data.user?.id, email },
        },
      ],
    });
    expect(data.user?.email_confirmed_at).toBeTypeOf('string');
    const session = await signIn(email);
    expect(session.error).toBeNull();
    expect(session.data.user).toMatchObject({
      id: data.user?.id,
      user_metadata: { name: 'Ada' },
      app_metadata: { team: 'x' },
    });
    const [row] = await stack.test.as('supabase_admin')`
      select u.encrypted_password like '$2_$10$%' as bcrypt, jsonb_typeof(u.raw_user_meta_data) as meta,
        jsonb_typeof(i.identity_data) as identity, exists (select from public.profiles p where p.id = u.id) as trigger_ran
      from auth.users u join auth.identities i on i.user_id = u.id where u.id = ${data.user?.id ?? ''}`;
    expect(row).toEqual({ bcrypt: true, meta: 'object', identity: 'object', trigger_ran: true });
  });

  it('leaves an unconfirmed user outside', async () => {
    const email = newEmail();
    await stack.admin().auth.admin.createUser({ email, password });
    expect((await signIn(email)).error).toMatchObject({ code: 'email_not_confirmed' });
  });

  it('takes a given id and a password hash', async () => {
    const id = randomUUID();
    const email = newEmail();
    const other = newEmail();
    await stack.admin().auth.admin.createUser({ email: other, password });
    const [row] = await stack.test.as(
      'supabase_admin',
    )`select encrypted_password from auth.users where email = ${other}`;
    const { data } = await stack
      .admin()
      .auth.admin.createUser({ id, email, password_hash: row?.encrypted_password, email_confirm: true });
    expect(data.user?.id).toBe(id);
    expect((await signIn(email)).error).toBeNull();
  });

  it('refuses what GoTrue refuses, in its words', async () => {
    const email = newEmail();
    await stack.admin().auth.admin.createUser({ email, password });
    const cases: [object, number, string][] = [
      [{ email, password }, 422, 'email_exists'],
      [{ password }, 400, 'validation_failed'],
      [{ email: 'not an address', password }, 400, 'validation_failed'],
      [{ email: newEmail(), password: 'x'.repeat(73) }, 400, 'validation_failed'],
      [{ email: newEmail(), password, id: 'no uuid' }, 400, 'validation_failed'],
      [{ email: newEmail(), password, ban_duration: 'soon' }, 400, 'validation_failed'],
      [{ email: 5 }, 400, 'bad_json'],
      [{ email: newEmail(), user_metadata: [] }, 400, 'bad_json'],
      [{ email: 'refused@example.com', password }, 500, 'unexpected_failure'],
    ];
    for (const [body, status, code] of cases) {
      const response = await call('POST', '', secret, body);
      expect([body, response.status, (await response.json()).error_code]).toEqual([body, status, code]);
      expect(response.headers.get('x-sb-error-code')).toBe(code);
    }
    const left = await stack.test.as('supabase_admin')`select from auth.users where email = 'refused@example.com'`;
    expect(left).toHaveLength(0);
  });

  it('is answered as a trigger wants that raises a status, at sign-up too', async () => {
    const body = { email: 'closed@example.com', password };
    const refusal = { code: 'PT403', message: 'closed', detail: 'CLOSED', hint: 'ask' };
    const created = await call('POST', '', secret, body);
    expect([created.status, await created.json()]).toEqual([403, refusal]);
    const signedUp = await fetch(`${stack.url}/auth/v1/signup`, {
      method: 'POST',
      headers: { apikey: keys.publishable, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect([signedUp.status, await signedUp.json()]).toEqual([403, refusal]);
  });

  it('lets exactly one of many at once have an address', async () => {
    const email = newEmail();
    const answers = await Promise.all(Array.from({ length: 6 }, () => call('POST', '', secret, { email, password })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422, 422, 422, 422, 422]);
  });
});

describe('listUsers and getUserById', () => {
  it('pages through all users, newest first', async () => {
    const admin = stack.admin().auth.admin;
    for (let i = 0; i < 5; i += 1) await admin.createUser({ email: newEmail(), password: 'irrelevant1' });
    const first = await admin.listUsers({ page: 1, perPage: 2 });
    const second = await admin.listUsers({ page: 2, perPage: 2 });
    expect(first.data.users).toHaveLength(2);
    expect(second.data.users).toHaveLength(2);
    expect(first.data).toMatchObject({ aud: 'authenticated', nextPage: 2 });
    const all = await admin.listUsers({ perPage: 1000 });
    expect(all.data.users.slice(0, 4).map(({ id }) => id)).toEqual(
      [...first.data.users, ...second.data.users].map(({ id }) => id),
    );
    expect((all.data as { total?: number }).total).toBe(all.data.users.length);
    const times = all.data.users.map(({ created_at }) => Date.parse(created_at));
    expect(times).toEqual([...times].sort((a, b) => b - a));
  });

  it('finds one, or says there is none', async () => {
    const admin = stack.admin().auth.admin;
    const made = await admin.createUser({ email: newEmail(), password });
    expect((await admin.getUserById(made.data.user?.id ?? '')).data.user).toEqual(made.data.user);
    expect((await admin.getUserById(randomUUID())).error).toMatchObject({ status: 404, code: 'user_not_found' });
    const wrong = await call('GET', '/not-a-uuid', secret);
    expect([wrong.status, (await wrong.json()).error_code]).toEqual([404, 'validation_failed']);
  });
});

describe('updateUserById', () => {
  it('changes address, password and metadata', async () => {
    const admin = stack.admin().auth.admin;
    const [email, renamed] = [newEmail(), newEmail()];
    const made = await admin.createUser({ email, password, email_confirm: true, user_metadata: { a: 1, b: 2 } });
    const id = made.data.user?.id ?? '';
    const { data, error } = await admin.updateUserById(id, {
      email: renamed,
      password: 'another password',
      user_metadata: { b: 3, a: null },
      app_metadata: { roles: ['x'] },
    });
    expect(error).toBeNull();
    expect(data.user).toMatchObject({ email: renamed, app_metadata: { provider: 'email', roles: ['x'] } });
    expect(data.user?.user_metadata).toEqual({ b: 3, email_verified: true });
    expect(data.user?.identities?.[0]).toMatchObject({ email: renamed });
    expect((await signIn(renamed, 'another password')).error).toBeNull();
    expect((await signIn(email)).error).toMatchObject({ code: 'invalid_credentials' });
  });

  it('refuses a taken address, a weak password and a user who is not there', async () => {
    const admin = stack.admin().auth.admin;
    const email = newEmail();
    await admin.createUser({ email, password });
    const { data } = await admin.createUser({ email: newEmail(), password });
    const id = data.user?.id ?? '';
    expect((await admin.updateUserById(id, { email })).error).toMatchObject({ status: 422, code: 'email_exists' });
    expect((await admin.updateUserById(id, { password: '123' })).error).toMatchObject({
      status: 422,
      code: 'weak_password',
    });
    expect((await admin.updateUserById(randomUUID(), { email: newEmail() })).error).toMatchObject({ status: 404 });
  });

  it('bans and lets in again', async () => {
    const admin = stack.admin().auth.admin;
    const email = newEmail();
    const { data } = await admin.createUser({ email, password, email_confirm: true });
    const id = data.user?.id ?? '';
    const client = stack.client();
    const { data: signedIn } = await client.auth.signInWithPassword({ email, password });
    // The client remembers a refused token for a while, so the second refresh is a bare one.
    const refresh = async () =>
      fetch(`${stack.url}/auth/v1/token?grant_type=refresh_token`, {
        method: 'POST',
        headers: { apikey: keys.publishable },
        body: JSON.stringify({ refresh_token: signedIn.session?.refresh_token }),
      });
    const banned = await admin.updateUserById(id, { ban_duration: '1h30m' });
    expect(Date.parse(banned.data.user?.banned_until ?? '') - Date.now()).toBeGreaterThan(89 * 60_000);
    expect((await signIn(email)).error).toMatchObject({ status: 400, code: 'user_banned' });
    expect((await client.auth.refreshSession()).error).toMatchObject({ code: 'user_banned' });
    await admin.updateUserById(id, { ban_duration: 'none' });
    expect((await signIn(email)).error).toBeNull();
    expect((await refresh()).status).toBe(200);
  });
});

describe('deleteUser', () => {
  it('removes the user, and sessions end', async () => {
    const admin = stack.admin().auth.admin;
    const email = newEmail();
    const { data } = await admin.createUser({ email, password, email_confirm: true });
    const id = data.user?.id ?? '';
    const client = stack.client();
    await client.auth.signInWithPassword({ email, password });
    expect((await admin.deleteUser(id)).error).toBeNull();
    expect((await client.auth.getUser()).error).toMatchObject({ code: 'user_not_found' });
    expect((await client.auth.refreshSession()).error).toMatchObject({ code: 'refresh_token_not_found' });
    expect((await signIn(email)).error).toMatchObject({ code: 'invalid_credentials' });
    const [rows] = await stack.test.as('supabase_admin')`
      select (select count(*) from auth.identities where user_id = ${id})::int as identities,
        (select count(*) from auth.sessions where user_id = ${id})::int as sessions,
        (select count(*) from auth.refresh_tokens where user_id = ${id})::int as tokens,
        (select count(*) from public.profiles where id = ${id})::int as profiles`;
    expect(rows).toEqual({ identities: 0, sessions: 0, tokens: 0, profiles: 0 });
    expect((await admin.deleteUser(id)).error).toMatchObject({ status: 404, code: 'user_not_found' });
  });

  it('softly keeps the row and frees the address', async () => {
    const admin = stack.admin().auth.admin;
    const email = newEmail();
    const { data } = await admin.createUser({ email, password, email_confirm: true });
    expect((await admin.deleteUser(data.user?.id ?? '', true)).error).toBeNull();
    expect((await signIn(email)).error).toMatchObject({ code: 'invalid_credentials' });
    const [row] = await stack.test.as(
      'supabase_admin',
    )`select email, deleted_at from auth.users where id = ${data.user?.id ?? ''}`;
    expect(row?.email).not.toContain('@');
    expect(row?.deleted_at).not.toBeNull();
    expect((await admin.createUser({ email, password })).error).toBeNull();
  });
});

describe('everybody else', () => {
  it('is refused, with every verb', async () => {
    const email = newEmail();
    const { data } = await stack.admin().auth.admin.createUser({ email, password, email_confirm: true });
    const id = data.user?.id ?? '';
    const token = (await signIn(email)).data.session?.access_token ?? '';
    const sign = (claims: object, key = jwtSecret, exp = '1h') =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime(exp)
        .sign(new TextEncoder().encode(key));
    const forged = await sign({ role: 'service_role' }, 'x'.repeat(40));
    const expired = await sign({ role: 'service_role' }, jwtSecret, '-1m');
    const callers: [string, Record<string, string>, number, string | undefined][] = [
      ['nobody', {}, 401, undefined],
      ['an unknown key', { apikey: 'sb_secret_guess' }, 401, undefined],
      [
        'the publishable key',
        { apikey: keys.publishable, authorization: `Bearer ${keys.publishable}` },
        403,
        'not_admin',
      ],
      [
        'the anon JWT',
        { apikey: await keys.jwt('anon'), authorization: `Bearer ${await keys.jwt('anon')}` },
        403,
        'not_admin',
      ],
      ['a user', { apikey: keys.publishable, authorization: `Bearer ${token}` }, 403, 'not_admin'],
      ['a user with the secret key', { apikey: keys.secret, authorization: `Bearer ${token}` }, 403, 'not_admin'],
      ['a forged token', { apikey: keys.publishable, authorization: `Bearer ${forged}` }, 403, 'bad_jwt'],
      ['an expired token', { apikey: keys.publishable, authorization: `Bearer ${expired}` }, 403, 'bad_jwt'],
      [
        'a database role',
        { apikey: keys.publishable, authorization: `Bearer ${await sign({ role: 'postgres' })}` },
        403,
        'not_admin',
      ],
    ];
    const requests: [string, string, unknown?][] = [
      ['GET', ''],
      ['GET', `/${id}`],
      ['POST', '', { email: newEmail(), password }],
      ['PUT', `/${id}`, { role: 'service_role' }],
      ['DELETE', `/${id}`],
    ];
    for (const [who, headers, status, code] of callers) {
      for (const [method, path, body] of requests) {
        const response = await call(method, path, headers, body);
        const answer = (await response.json()) as { error_code?: string };
        expect([who, method, response.status, answer.error_code]).toEqual([who, method, status, code]);
      }
    }
    expect((await stack.admin().auth.admin.getUserById(id)).data.user?.role).toBe('authenticated');
  });

  it('is not the service: its legacy JWT may', async () => {
    const jwt = await keys.jwt('service_role');
    expect((await call('GET', '', { apikey: jwt, authorization: `Bearer ${jwt}` })).status).toBe(200);
    expect((await call('GET', '', { apikey: keys.publishable, authorization: `Bearer ${jwt}` })).status).toBe(200);
    expect((await call('GET', '', { apikey: keys.secret })).status).toBe(200);
  });
});

describe('signing up and in', () => {
  it('refreshes a session and ends it', async () => {
    const client = stack.client();
    const { data } = await client.auth.signUp({ email: newEmail(), password, options: { data: { name: 'x' } } });
    const { data: refreshed, error } = await client.auth.refreshSession();
    expect(error).toBeNull();
    expect(refreshed.session?.refresh_token).not.toBe(data.session?.refresh_token);
    const { data: claims } = await client.auth.getClaims();
    expect(claims?.claims).toMatchObject({
      iss: `${stack.url}/auth/v1`,
      aal: 'aal1',
      user_metadata: { name: 'x' },
      app_metadata: { provider: 'email' },
      amr: [{ method: 'token_refresh' }],
    });
    const token = refreshed.session?.access_token ?? '';
    expect((await stack.admin().auth.admin.signOut(token, 'global')).error).toBeNull();
    expect((await client.auth.getUser(token)).error).toMatchObject({ name: 'AuthSessionMissingError' });
  });

  it('with sign-up off makes no user, by no road', async () => {
    const closed = await startTestGateway({ lite: { signupEnabled: false } });
    try {
      const auth = closed.client().auth;
      expect((await auth.signUp({ email: 'a@example.com', password })).error).toMatchObject({
        code: 'signup_disabled',
      });
      expect((await auth.signInWithOtp({ email: 'a@example.com' })).error).not.toBeNull();
      await fetch(`${closed.url}/auth/v1/magiclink`, {
        method: 'POST',
        headers: { apikey: keys.publishable },
        body: '{"email":"a@example.com"}',
      });
      await fetch(`${closed.url}/auth/v1/recover`, {
        method: 'POST',
        headers: { apikey: keys.publishable },
        body: '{"email":"a@example.com"}',
      });
      expect((await closed.admin().auth.admin.listUsers()).data.users).toEqual([]);
      expect(
        (await closed.admin().auth.admin.createUser({ email: 'a@example.com', password, email_confirm: true })).error,
      ).toBeNull();
      expect((await auth.signInWithPassword({ email: 'a@example.com', password })).error).toBeNull();
    } finally {
      await closed.stop();
    }
  }, 60_000);
});
