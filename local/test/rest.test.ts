import { randomUUID } from 'node:crypto';
import type { SupabaseClient } from '@supabase/supabase-js';
import { CompactSign, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jwtSecret, keys, startTestGateway, type TestStack } from './gateway-support.js';
import { waitFor } from './postgres-support.js';

let stack: TestStack;
let alice: SupabaseClient;
let bob: SupabaseClient;

beforeAll(async () => {
  stack = await startTestGateway({
    sql: `
      create schema stark;
      grant usage on schema stark to anon, authenticated, service_role;
      create table stark.secrets (id int primary key, body text);
      alter table stark.secrets enable row level security;
      insert into stark.secrets values (1, 'closed');
      create table stark.open (id int primary key, body jsonb);
      grant select, insert on stark.open to authenticated;

      create table public.notes (
        id bigint generated always as identity primary key,
        owner uuid not null default auth.uid(),
        body text not null constraint body_is_short check (length(body) <= 20),
        tags jsonb not null default '[]'
      );
      alter table public.notes enable row level security;
      create policy own on public.notes for all to authenticated
        using (owner = (select auth.uid())) with check (owner = (select auth.uid()));

      grant all on public.notes to anon, authenticated, service_role;

      create type public.mood as enum ('sad', 'happy');
      create table public.kinds (id int primary key, tags jsonb, words text[], moods public.mood[]);
      grant all on public.kinds to authenticated;

      create function public.fail(kind text) returns void language plpgsql as $$
      begin
        if kind = 'P0001' then raise exception 'plain' using detail = 'the detail', hint = 'the hint'; end if;
        if kind = 'PT402' then raise sqlstate 'PT402' using message = 'pay first'; end if;
        if kind = '42P01' then perform * from public.not_there; end if;
        if kind = '42501' then perform * from stark.secrets; end if;
        if kind = '23505' then insert into stark.open values (7, '1'), (7, '2'); end if;
        if kind = 'P0002' then raise no_data_found; end if;
        if kind = '53400' then raise sqlstate '53400' using message = 'limit'; end if;
        if kind = 'PGRST' then
          raise sqlstate 'PGRST' using
            message = json_build_object('code', 'QUOTA_EXCEEDED', 'message', 'too many', 'details', 'd', 'hint', 'h')::text,
            detail = json_build_object('status', 429, 'headers', json_build_object('Retry-After', '7'))::text;
        end if;
        if kind = 'PGRST-bad' then raise sqlstate 'PGRST' using message = 'no json', detail = 'none'; end if;
      end $$;

      create function public.context() returns jsonb language sql as $$
        select jsonb_build_object('role', auth.role(), 'uid', auth.uid(), 'email', auth.email(), 'user', current_user,
          'jwt', auth.jwt(), 'method', current_setting('request.method'), 'path', current_setting('request.path'),
          'mine', current_setting('request.headers')::jsonb ->> 'x-mine', 'search_path', current_setting('search_path'),
          'cookie', current_setting('request.cookies')::jsonb ->> 'crumb') $$;
      create function public.write_note() returns void language sql as $$ insert into public.notes (body) values ('from get') $$;
      create function public.echo_json(p_value jsonb) returns jsonb language sql as $$
        select jsonb_build_object('type', jsonb_typeof(p_value), 'value', p_value) $$;
      create function public.echo_args(p_ids uuid[], p_names text[], p_big bigint, p_real float8, p_flag boolean,
        p_at timestamptz default null, p_word text default 'default') returns jsonb language sql as $$
        select jsonb_build_object('ids', p_ids, 'names', p_names, 'big', p_big::text, 'real', p_real, 'flag', p_flag, 'at', p_at, 'word', p_word) $$;
      create table public.moments (id int primary key, at timestamptz, local_at timestamp);
      grant all on public.moments to authenticated;
      create table public.items (id int primary key, body jsonb not null);
      grant select on public.items to authenticated;
      insert into public.items select n, jsonb_build_object('n', n) from generate_series(1, 3) n;
      create function public.set_of_open() returns setof public.items language sql stable as 'select * from public.items';
      create function public.one_open() returns public.items language sql stable as 'select * from public.items where id = 1';
      create function public.numbers() returns setof int language sql stable as 'select generate_series(1, 3)';
      create function public.is_true() returns boolean language sql stable as 'select true';
      create function public.pair() returns table (a int, b text) language sql stable as $$ select 1, 'x' $$;
      create function public.nothing() returns void language sql as 'select';
      create function public.nap(seconds float8) returns text language sql as $$ select pg_sleep(seconds)::text $$;
      create function public.teapot() returns text language plpgsql as $$
      begin
        perform set_config('response.status', '418', true);
        perform set_config('response.headers', '[{"X-Pot": "tea"}]', true);
        return 'short and stout';
      end $$;
    `,
  });
  alice = stack.client();
  bob = stack.client();
  await alice.auth.signUp({ email: 'alice@example.com', password: 'password-a' });
  await bob.auth.signUp({ email: 'bob@example.com', password: 'password-b' });
}, 120_000);
afterAll(() => stack?.stop());

const sign = (claims: Record<string, unknown>, secret = jwtSecret, exp: string | number = '1h') =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setExpirationTime(exp)
    .sign(new TextEncoder().encode(secret));

/** A bare request with the publishable key, as this token says. */
const as = (token: string, path: string, init: RequestInit = {}) =>
  fetch(`${stack.url}${path}`, {
    ...init,
    headers: {
      apikey: keys.publishable,
      authorization: `Bearer ${token}`,
      ...(init.headers as Record<string, string>),
    },
  });

describe('rows', () => {
  it('belong to who made them', async () => {
    const made = await alice
      .from('notes')
      .insert({ body: 'hello', tags: ['x', { y: 1 }] })
      .select()
      .single();
    expect(made.error).toBeNull();
    expect(made.data).toMatchObject({ body: 'hello', tags: ['x', { y: 1 }] });
    expect((await bob.from('notes').select()).data).toEqual([]);
    expect((await alice.from('notes').select('body')).data).toEqual([{ body: 'hello' }]);
    expect((await bob.from('notes').update({ body: 'mine now' }).eq('id', made.data?.id).select()).data).toEqual([]);
    const stolen = await bob.from('notes').insert({ body: 'x', owner: made.data?.owner });
    expect([stolen.status, stolen.error?.code]).toEqual([403, '42501']);
    expect((await stack.client().from('notes').select()).data).toEqual([]);
    expect((await stack.admin().from('notes').select('body')).data).toEqual([{ body: 'hello' }]);
  });

  it('show times as PostgREST does', async () => {
    const rows = [
      { id: 1, at: '2026-11-21T05:15:09.43+00:00', local_at: '2026-11-21T05:15:09' },
      { id: 2, at: 'infinity', local_at: '-infinity' },
      { id: 3, at: null, local_at: null },
    ];
    expect((await alice.from('moments').insert(rows).select().order('id')).data).toEqual(rows);
    const { data } = await alice.from('moments').select('at').gte('at', '2026-11-21T07:15:09+02:00').order('id');
    expect(data?.map((row) => row.at)).toEqual([rows[0]?.at, 'infinity']);
  });

  it('keep JSON as JSON', async () => {
    for (const body of ['text', 5, null, { a: ['b'] }, [1, 'two']]) {
      const id = Math.floor(Math.random() * 1e9);
      const { data, error } = await alice.schema('stark').from('open').insert({ id, body }).select().single();
      expect([error, data]).toEqual([null, { id, body }]);
      const [row] = await stack.test.as('postgres')`select jsonb_typeof(body) as type from stark.open where id = ${id}`;
      expect(row?.type ?? null).toBe(body === null ? null : jsonType(body));
    }
  });

  it('change JSON, arrays and enums too, one or many at once', async () => {
    const rows = [
      { id: 1, tags: [1, 'a'], words: ['x', 'y,"z'], moods: ['sad', 'happy'] },
      { id: 2, tags: { k: true }, words: [], moods: null },
      { id: 3, tags: 'word', words: null, moods: [] },
    ];
    const made = await alice.from('kinds').upsert(rows).select().order('id');
    expect([made.error, made.data]).toEqual([null, rows]);
    const changed = await alice
      .from('kinds')
      .update({ tags: [[]], words: ['only'], moods: ['happy'] })
      .eq('id', 2)
      .select()
      .single();
    expect([changed.error, changed.data]).toEqual([null, { id: 2, tags: [[]], words: ['only'], moods: ['happy'] }]);
    const again = await alice
      .from('kinds')
      .upsert([{ id: 2, tags: [false] }], { onConflict: 'id' })
      .select('tags')
      .single();
    expect([again.error, again.data]).toEqual([null, { tags: [false] }]);
    expect((await alice.from('kinds').select('id').contains('words', ['only'])).data).toEqual([{ id: 2 }]);
    for (const [filter, ids] of [
      ['[1]', [1]],
      ['["a",1]', [1]],
      [{ k: true }, []],
      ['[false]', [2]],
    ] as const) {
      const found = await alice
        .from('kinds')
        .select('id')
        .contains('tags', filter as never);
      expect([filter, found.error, found.data?.map(({ id }) => id)]).toEqual([filter, null, ids]);
    }
    const { data: sad } = await alice.from('kinds').select('id').contains('moods', ['sad']);
    expect(sad).toEqual([{ id: 1 }]);
    expect((await alice.from('kinds').select('first:tags->0').eq('id', 1)).data).toEqual([{ first: 1 }]);
  });

  it('of a schema that is not exposed are out of reach', async () => {
    for (const schema of ['auth', 'storage', 'vault', 'pg_catalog']) {
      const { status, error } = await stack.admin().schema(schema).from('users').select();
      expect([schema, status, error?.code]).toEqual([schema, 406, 'PGRST106']);
    }
    const hidden = await stack.admin().from('auth.users').select();
    expect([hidden.status, hidden.error?.code]).toEqual([404, 'PGRST205']);
  });
});

describe('errors', () => {
  const call = async (kind: string, client = alice) => {
    const { status, error } = await client.rpc('fail', { kind });
    return [status, error?.code, error?.message];
  };

  it.each([
    ['P0001', 400, 'plain'],
    ['PT402', 402, 'pay first'],
    ['42P01', 404, 'relation "public.not_there" does not exist'],
    ['42501', 403, 'permission denied for table secrets'],
    ['23505', 409, 'duplicate key value violates unique constraint "open_pkey"'],
    ['P0002', 500, 'no_data_found'],
    ['53400', 500, 'limit'],
  ])('%s is status %i', async (code, status, message) => {
    expect(await call(code)).toEqual([status, code, message]);
  });

  it('carry detail and hint', async () => {
    const { error } = await alice.rpc('fail', { kind: 'P0001' });
    expect(error).toMatchObject({ code: 'P0001', message: 'plain', details: 'the detail', hint: 'the hint' });
  });

  it('of a broken rule are 400 and name the rule', async () => {
    const { status, error } = await alice.from('notes').insert({ body: 'x'.repeat(21) });
    expect([status, error?.code]).toEqual([400, '23514']);
    expect(error?.message).toContain('body_is_short');
  });

  it('raised as PGRST are the response', async () => {
    const response = await fetch(`${stack.url}/rest/v1/rpc/fail`, {
      method: 'POST',
      headers: { apikey: keys.publishable, 'content-type': 'application/json' },
      body: '{"kind":"PGRST"}',
    });
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await response.json()).toEqual({ code: 'QUOTA_EXCEEDED', message: 'too many', details: 'd', hint: 'h' });
    expect(await call('PGRST-bad')).toEqual([500, 'PGRST121', expect.stringContaining('Could not parse JSON')]);
  });

  it('tell anon to sign in and everybody else that they may not', async () => {
    const anon = await stack.client().schema('stark').from('secrets').select();
    expect([anon.status, anon.error?.code]).toEqual([401, '42501']);
    expect((await alice.schema('stark').from('secrets').select()).status).toBe(403);
    expect((await stack.admin().schema('stark').from('secrets').select()).status).toBe(403);
  });
});

describe('roles', () => {
  it('come from the token, with its claims', async () => {
    const { data } = await alice.rpc('context');
    const { data: user } = await alice.auth.getUser();
    expect(data).toMatchObject({
      role: 'authenticated',
      user: 'authenticated',
      uid: user.user?.id,
      email: 'alice@example.com',
      method: 'POST',
      path: '/rpc/context',
      search_path: '"public", "public", "extensions"',
      jwt: {
        iss: `${stack.url}/auth/v1`,
        aud: 'authenticated',
        aal: 'aal1',
        app_metadata: { provider: 'email' },
        is_anonymous: false,
      },
    });
    expect((await stack.client().rpc('context')).data).toMatchObject({ role: 'anon', user: 'anon', uid: null });
    expect((await stack.admin().rpc('context')).data).toMatchObject({ role: 'service_role', user: 'service_role' });
    const seen = await (
      await as(await keys.jwt('anon'), '/rest/v1/rpc/context', { headers: { 'x-mine': 'yes', cookie: 'crumb=1' } })
    ).json();
    expect(seen).toMatchObject({ method: 'GET', mine: 'yes', cookie: '1' });
  });

  it.each([
    'postgres',
    'supabase_admin',
    'authenticator',
    'supabase_auth_admin',
    'supabase_storage_admin',
    'pg_read_all_data',
    'none',
  ])('a signed token cannot take role "%s"', async (role) => {
    const token = await sign({ role, sub: randomUUID() });
    const paths: [string, RequestInit?][] = [
      ['/rest/v1/notes'],
      ['/rest/v1/rpc/context', { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }],
      ['/storage/v1/bucket'],
      [
        '/storage/v1/bucket',
        { method: 'POST', body: '{"id":"b","name":"b"}', headers: { 'content-type': 'application/json' } },
      ],
    ];
    for (const [path, init] of paths) {
      const response = await as(token, path, init);
      const text = await response.text();
      expect([path, response.status, text]).toEqual([
        path,
        403,
        expect.stringContaining('permission denied to set role'),
      ]);
    }
  });

  it.each([
    ['nobody', 'nobody'],
    ['', ''],
    [5, '5'],
    [null, 'null'],
    [['service_role'], '["service_role"]'],
  ])('a signed token cannot take a role that is not there: %j', async (role, name) => {
    const response = await as(await sign({ role: role as string }), '/rest/v1/notes');
    expect([response.status, await response.json()]).toEqual([
      401,
      { code: '22023', details: null, hint: null, message: `role "${name}" does not exist` },
    ]);
  });

  it('are anon for a signed token that names none, and for an Authorization that is no bearer', async () => {
    const claims = { sub: randomUUID() };
    expect(await (await as(await sign(claims), '/rest/v1/rpc/context')).json()).toMatchObject({
      role: 'anon',
      user: 'anon',
      uid: claims.sub,
    });
    const headers = { apikey: keys.secret, authorization: 'Basic c2VjcmV0' };
    expect(await (await fetch(`${stack.url}/rest/v1/rpc/context`, { headers })).json()).toMatchObject({ user: 'anon' });
  });

  const part = (value: unknown) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const now = () => Math.floor(Date.now() / 1000);
  const admin = { role: 'service_role' };
  const signed = part({ alg: 'HS256', typ: 'JWT' });
  const unsecured = part({ alg: 'none', typ: 'JWT' });
  const noKey = 'None of the keys was able to decode the JWT';
  const notNone = "JWT is unsecured but expected 'alg' was not 'none'";
  const bad = (message: string, details: string | null = null) => ['PGRST301', message, details] as const;
  const claim = (message: string) => ['PGRST303', message, null] as const;
  const parts = (count: number) => bad(`Expected 3 parts in JWT; got ${count}`);
  const broken = bad('JWT cryptographic operation failed');
  const wrongKey = (details: string) => bad('No suitable key or wrong key type', details);
  const none = bad('Wrong or unsupported encoding algorithm', notNone);
  const other = 'another-secret-of-thirty-two-characters';
  const tokens: [name: string, token: () => string | Promise<string>, answer: readonly (string | null)[]][] = [
    ['empty', () => '', bad('Empty JWT is sent in Authorization header')],
    ['no JWT', () => 'nonsense', parts(1)],
    ['the secret key beside the publishable one', () => keys.secret, parts(1)],
    ['a key of nobody', () => 'sb_secret_of_nobody', parts(1)],
    ['two parts', () => `${signed}.${part(admin)}`, parts(2)],
    ['four parts', () => `${signed}.${part(admin)}.x.y`, parts(4)],
    ['three parts of nothing', () => '..', broken],
    ['three parts of nonsense', () => 'quif.fonv.iuqv', broken],
    ['a header that is no object', () => `${part('[]')}.${part(admin)}.x`, broken],
    ['a header of no known algorithm', () => `${part({ alg: 'HS1' })}.${part(admin)}.aaaa`, broken],
    ['padding', () => `${signed}.${part(admin)}.aaa=`, broken],
    ['alg none with an empty signature', () => `${unsecured}.${part(admin)}.`, none],
    ['alg none with a signature', () => `${unsecured}.${part(admin)}.aaaa`, none],
    ['an empty signature', () => `${signed}.${part(admin)}.`, wrongKey(noKey)],
    ['a wrong signature', () => `${signed}.${part(admin)}.aaaa`, wrongKey(noKey)],
    ['a signature with another secret', () => sign(admin, other), wrongKey(noKey)],
    [
      'the claims of another token',
      async () => (await sign({ role: 'anon' })).replace(/\..*\./, `.${part(admin)}.`),
      wrongKey(noKey),
    ],
    [
      'another algorithm with the right secret',
      () => new SignJWT(admin).setProtectedHeader({ alg: 'HS512' }).sign(new TextEncoder().encode(jwtSecret)),
      wrongKey('No suitable key was found to decode the JWT'),
    ],
    [
      'an asymmetric algorithm',
      () => `${part({ alg: 'RS256' })}.${part(admin)}.aaaa`,
      wrongKey('No suitable key was found to decode the JWT'),
    ],
    ['claims that are no object', () => signText('[1]'), claim('Parsing claims failed')],
    ['exp in the past', () => sign(admin, jwtSecret, now() - 3600), claim('JWT expired')],
    [
      'exp that is no number',
      () => signText('{"role":"service_role","exp":"never"}'),
      claim("The JWT 'exp' claim must be a number"),
    ],
    ['nbf to come', () => sign({ ...admin, nbf: now() + 3600 }), claim('JWT not yet valid')],
    [
      'nbf that is no number',
      () => sign({ ...admin, nbf: 'now' as never }),
      claim("The JWT 'nbf' claim must be a number"),
    ],
    ['iat to come', () => sign({ ...admin, iat: now() + 3600 }), claim('JWT issued at future')],
    [
      'iat that is no number',
      () => sign({ ...admin, iat: [] as never }),
      claim("The JWT 'iat' claim must be a number"),
    ],
    [
      'an audience that is no text',
      () => sign({ ...admin, aud: [5] as never }),
      claim("The JWT 'aud' claim must be a string or an array of strings"),
    ],
  ];

  /** A token whose claims are this text, rightly signed. */
  const signText = (text: string) =>
    new CompactSign(new TextEncoder().encode(text))
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(jwtSecret));

  it.each(tokens)('are refused, never anon, for a bearer with %s', async (_name, token, [code, message, details]) => {
    const bearer = await token();
    for (const [method, path] of [
      ['GET', '/rest/v1/notes'],
      ['POST', '/rest/v1/rpc/nothing'],
      ['GET', '/rest/v1/not_there'],
    ] as const) {
      const response = await as(bearer, path, { method });
      expect([path, response.status, await response.json()]).toEqual([
        path,
        401,
        { code, details, hint: null, message },
      ]);
      expect(response.headers.get('www-authenticate')).toBe(
        `Bearer error="invalid_token", error_description="${message}"`,
      );
    }
    // Auth and Storage have words of their own for it, and rules of their own for the claims of a token that is signed.
    if (code === 'PGRST303' && message !== 'JWT expired') return;
    for (const path of ['/auth/v1/user', '/auth/v1/admin/users', '/storage/v1/bucket']) {
      expect([path, (await as(bearer, path)).ok]).toEqual([path, false]);
    }
  });

  it('forgive clocks that differ by less than half a minute', async () => {
    for (const claims of [{ exp: now() - 5 }, { nbf: now() + 25 }, { iat: now() + 25 }, { exp: null }]) {
      const token = await signText(JSON.stringify({ role: 'service_role', ...claims }));
      const response = await as(token, '/rest/v1/rpc/context');
      expect([claims, (await response.json()).user]).toEqual([claims, 'service_role']);
    }
    const lower = await fetch(`${stack.url}/rest/v1/rpc/context`, {
      headers: { apikey: keys.publishable, authorization: `bearer  ${await sign(admin)}` },
    });
    expect((await lower.json()).user).toBe('service_role');
  });

  it('are not what a user says at sign-up or later', async () => {
    const mallory = stack.client();
    const response = await fetch(`${stack.url}/auth/v1/signup`, {
      method: 'POST',
      headers: { apikey: keys.publishable, 'content-type': 'application/json' },
      body: JSON.stringify({
        email: 'mallory@example.com',
        password: 'password-m',
        role: 'service_role',
        aud: 'service_role',
        app_metadata: { role: 'admin' },
        data: { role: 'service_role', aud: 'x', sub: randomUUID() },
      }),
    });
    expect(response.status).toBe(200);
    await mallory.auth.signInWithPassword({ email: 'mallory@example.com', password: 'password-m' });
    await mallory.auth.updateUser({ data: { role: 'service_role' } });
    await mallory.auth.refreshSession();
    const { data } = await mallory.rpc('context');
    expect(data).toMatchObject({
      role: 'authenticated',
      user: 'authenticated',
      jwt: { aud: 'authenticated', role: 'authenticated' },
    });
    expect(data.jwt.app_metadata).toEqual({ provider: 'email', providers: ['email'] });
  });

  it('keep their own settings, such as the time a statement may take', async () => {
    const sql = stack.test.as('supabase_admin');
    await sql`alter role anon set statement_timeout = '200ms'`;
    await stack.lite.reload();
    const slow = await stack.client().rpc('nap', { seconds: 1 });
    expect([slow.status, slow.error?.code]).toEqual([500, '57014']);
    expect((await alice.rpc('nap', { seconds: 0.3 })).status).toBe(200);
    await sql`alter role anon set statement_timeout = '3s'`;
    await stack.lite.reload();
  });
});

describe('grants', () => {
  it('are never given by serving requests', async () => {
    const sql = stack.test.as('supabase_admin');
    const privileges = () => sql`
      select c.oid::regclass::text as name, c.relacl::text as acl from pg_class c
      join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('stark', 'public', 'auth', 'storage')
      union all select nspname, nspacl::text from pg_namespace
      union all select defaclrole::regrole || ' ' || coalesce(defaclnamespace::regnamespace::text, '') || defaclobjtype::text, defaclacl::text
      from pg_default_acl order by 1, 2`;
    const before = await privileges();
    for (const client of [alice, stack.client(), stack.admin()]) {
      await client.schema('stark').from('secrets').select();
      await client.schema('stark').from('open').select();
      await client.rpc('context');
      await client.storage.listBuckets();
      await client.auth.getUser();
    }
    expect(await privileges()).toEqual(before);
    expect((await alice.schema('stark').from('secrets').select()).status).toBe(403);
  });
});

describe('functions', () => {
  it.each<[string, unknown]>([
    ['an object', { a: 1, b: [null, { c: 'd' }], e: null }],
    ['an array of objects', [{ name: 'a', ports: [{ n: 1 }] }, { name: "it's" }]],
    ['an array of strings', ['a', 'b,c', '{}']],
    ['an empty array', []],
    ['a string', 'plain "quoted" text'],
    ['a string that looks like JSON', '{"a":1}'],
    ['a number', 12.5],
    ['true', true],
    ['null', null],
  ])('take %s as jsonb', async (_what, value) => {
    const { data, error } = await alice.rpc('echo_json', { p_value: value });
    expect([error, data]).toEqual([null, { type: value === null ? null : jsonType(value), value }]);
  });

  it('take JSON from a query string too', async () => {
    const token = await keys.jwt('anon');
    const get = async (value: string) => {
      const response = await as(token, `/rest/v1/rpc/echo_json?p_value=${encodeURIComponent(value)}`);
      return [response.status, await response.json()];
    };
    expect(await get('{"a":[1]}')).toEqual([200, { type: 'object', value: { a: [1] } }]);
    expect(await get('no json')).toEqual([400, expect.objectContaining({ code: '22P02' })]);
  });

  it('take arrays, numbers, times and defaults', async () => {
    const ids = [randomUUID(), randomUUID()];
    const args = { p_ids: ids, p_names: ['a', 'b,"c"', ''], p_big: '9007199254740993', p_real: 0.1, p_flag: false };
    const { data, error } = await alice.rpc('echo_args', args);
    expect(error).toBeNull();
    expect(data).toEqual({
      ids,
      names: args.p_names,
      big: '9007199254740993',
      real: 0.1,
      flag: false,
      at: null,
      word: 'default',
    });
    expect(
      (await alice.rpc('echo_args', { ...args, p_ids: [], p_names: [], p_at: '2026-01-02T03:04:05Z', p_word: null }))
        .data,
    ).toMatchObject({
      ids: [],
      names: [],
      word: null,
      at: '2026-01-02T03:04:05+00:00',
    });
  });

  it('return sets, rows, scalars and nothing', async () => {
    expect((await alice.rpc('set_of_open').select('id').order('id', { ascending: false }).limit(2)).data).toEqual([
      { id: 3 },
      { id: 2 },
    ]);
    expect((await alice.rpc('one_open').single()).data).toEqual({ id: 1, body: { n: 1 } });
    expect((await alice.rpc('numbers')).data).toEqual([1, 2, 3]);
    expect((await alice.rpc('is_true')).data).toBe(true);
    expect((await alice.rpc('pair')).data).toEqual([{ a: 1, b: 'x' }]);
    const nothing = await alice.rpc('nothing');
    expect([nothing.status, nothing.data]).toEqual([204, null]);
  });

  it('called by GET may not write', async () => {
    const token = (await alice.auth.getSession()).data.session?.access_token ?? '';
    const response = await as(token, '/rest/v1/rpc/write_note');
    expect([response.status, (await response.json()).code]).toEqual([405, '25006']);
    expect((await alice.rpc('write_note')).status).toBe(204);
  });

  it('may set status and headers of the response', async () => {
    const response = await as(await keys.jwt('anon'), '/rest/v1/rpc/teapot', { method: 'POST' });
    expect([response.status, response.headers.get('x-pot'), await response.json()]).toEqual([
      418,
      'tea',
      'short and stout',
    ]);
  });

  it('that are not there are named', async () => {
    const { status, error } = await alice.rpc('fial', { kind: 'x' });
    expect([status, error?.code]).toEqual([404, 'PGRST202']);
  });
});

describe('the schema cache', () => {
  it('follows migrations by itself', async () => {
    const sql = stack.test.as('postgres');
    expect((await alice.from('later').select()).error?.code).toBe('PGRST205');
    await sql`create table public.later (id int primary key)`;
    await sql`grant all on public.later to authenticated`;
    await waitFor('the new table', async () => (await alice.from('later').select()).status === 200);
    await sql`alter table public.later add column word text default 'new'`;
    await waitFor(
      'the new column',
      async () => (await alice.from('later').insert({ id: 1, word: 'w' })).status === 201,
    );
    await sql`drop table public.later`;
    await waitFor('the table to go', async () => (await alice.from('later').select()).error?.code === 'PGRST205');
  });
});

describe('a restart of Postgres', () => {
  it('is survived by pools with broken connections', async () => {
    await Promise.all(Array.from({ length: 8 }, () => alice.rpc('context')));
    await stack.test.as('supabase_admin')`
      select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'stark-%' and pid <> pg_backend_pid()`;
    const answers = await Promise.all([
      ...Array.from({ length: 8 }, () => alice.from('notes').select('id')),
      alice.rpc('context'),
      alice.auth.getUser(),
    ]);
    expect(answers.map(({ error }) => error)).toEqual(answers.map(() => null));
  });

  it('never ends this process, whenever connections are cut', async () => {
    const admin = stack.test.as('supabase_admin');
    let stop = false;
    const statuses = new Set<number>();
    const ask = async () => {
      while (!stop) {
        statuses.add((await alice.rpc('context')).status);
        statuses.add((await alice.from('notes').insert({ body: 'busy' })).status);
      }
    };
    const asking = Array.from({ length: 6 }, ask);
    for (let cut = 0; cut < 15; cut += 1) {
      await admin`select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'stark-%'`;
      await admin`select pg_sleep(0.03)`;
    }
    stop = true;
    await Promise.all(asking);
    // A write that was cut off may have happened or not: that is a 503, never a guess and never a crash.
    expect([...statuses].filter((status) => ![200, 201, 503].includes(status))).toEqual([]);
    expect((await alice.rpc('context')).status).toBe(200);
  });

  it('is waited for by requests, and the cache is fresh after it', async () => {
    const { cluster } = stack.test;
    await cluster.stop();
    const during = alice.from('notes').select('id');
    const [answer] = await Promise.all([during, cluster.start()]);
    expect(answer.error).toBeNull();
    const written = await alice.from('notes').insert({ body: 'after' });
    expect(written.error).toBeNull();
    await stack.test.as('postgres')`create table public.after_restart (id int primary key)`;
    await stack.test.as('postgres')`grant all on public.after_restart to authenticated`;
    await waitFor('the new table', async () => (await alice.from('after_restart').select()).status === 200);
  });

  it('that takes too long is 503', async () => {
    const { cluster } = stack.test;
    await cluster.stop();
    const response = await as(await keys.jwt('anon'), '/rest/v1/notes');
    expect([response.status, (await response.json()).code]).toEqual([503, 'PGRST001']);
    await cluster.start();
    await waitFor('rows again', async () => (await alice.from('notes').select('id')).status === 200);
  }, 30_000);
});

function jsonType(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}
