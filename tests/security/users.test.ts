import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, Cluster, type Person, type RequestOptions } from './cluster.js';

const password = 'correct horse';
let cluster: Cluster;
let operator: Person;
let nobody: Person;

beforeAll(async () => {
  cluster = await Cluster.start();
  operator = await cluster.person('operator', ['operator']);
  nobody = await cluster.person('nobody');
});
afterAll(() => cluster.stop());

const post = (path: string, body: unknown, options: RequestOptions = {}) =>
  cluster.request(path, { method: 'POST', body, ...options });
const signUp = (name: string) => post('/auth/v1/signup', { email: `${name}@example.com`, password });
const add = (body: object, options: RequestOptions) =>
  post('/functions/v1/api/auth/users', { password, ...body }, options);
const configure = (changes: object) =>
  cluster.must(cluster.rpc('update_cluster_config', { p_changes: changes }, { as: cluster.admin }));
const listed = async (email: string) => {
  const users: { email: string }[] = await cluster.must(cluster.rpc('list_users', {}, { as: cluster.admin }));
  return users.find((user) => user.email === email);
};

describe('registration', () => {
  it('is closed and opened by an admin, for every way of signing up', async () => {
    await configure({ allow_registration: false });
    const ways: Promise<Answer>[] = [
      signUp('closed'),
      post('/auth/v1/otp', { email: 'closed@example.com', create_user: true }),
      post('/auth/v1/magiclink', { email: 'closed@example.com' }),
    ];
    for (const { status, text } of await Promise.all(ways)) expect(status, text).toBeGreaterThanOrEqual(400);
    expect(await listed('closed@example.com')).toBeUndefined();
    expect((await signUp('closed')).json).toMatchObject({ message: 'this cluster takes no registrations' });
    expect((await signUp('closed')).status).toBe(403);
    await configure({ allow_registration: true });
    expect((await signUp('open')).status).toBe(200);
    expect(await listed('open@example.com')).toMatchObject({ roles: [] });
  });
});

describe('adding a user', () => {
  it('is an admin’s, also while registration is closed', async () => {
    await configure({ allow_registration: false });
    const body = { email: 'Added@example.com', display_name: 'Added', role: 'developer', namespace: 'stark-public' };
    const { status, json } = await add(body, { as: cluster.admin });
    expect(status).toBe(201);
    expect(await listed('added@example.com')).toMatchObject({
      id: json.user_id,
      display_name: 'Added',
      roles: [{ role: 'developer', namespace: 'stark-public' }],
    });
    const added = await cluster.signIn('added@example.com');
    const args = { p_verb: 'create', p_kind: 'pods', p_namespace: 'stark-public' };
    expect((await cluster.rpc('can_i', args, { as: added })).json).toBe(true);
    await configure({ allow_registration: true });
  });

  it('is refused with the code that Postgres gives', async () => {
    const refusals: [body: object, who: RequestOptions, status: number, code: string][] = [
      [{ email: 'x@example.com' }, { as: operator }, 403, 'FORBIDDEN'],
      [{ email: 'x@example.com' }, { as: nobody }, 403, 'FORBIDDEN'],
      [{ email: 'x@example.com', role: 'admin' }, { as: nobody }, 403, 'FORBIDDEN'],
      [{ email: 'nobody@example.com' }, { as: cluster.admin }, 409, 'EMAIL_TAKEN'],
      [{ email: 'x@example.com', role: 'king' }, { as: cluster.admin }, 404, 'ROLE_NOT_FOUND'],
      [{ email: 'x@example.com', role: 5 }, { as: cluster.admin }, 400, 'INVALID_INPUT'],
      [{ email: 'x@example.com', password: 'short' }, { as: cluster.admin }, 400, 'INVALID_INPUT'],
    ];
    for (const [body, who, status, code] of refusals) {
      const answer = await add(body, who);
      expect(answer.json.error, answer.text).toMatchObject({ code });
      expect(answer.status).toBe(status);
    }
    expect(await listed('x@example.com')).toBeUndefined();
  });

  it('lets nobody sign up as the one who is about to be added', async () => {
    await configure({ allow_registration: false });
    const args = { p_email: 'boss@example.com', p_role: 'admin' };
    const { user_id: id } = await cluster.must(cluster.rpc('admit_user', args, { as: cluster.admin }));
    for (const claim of [{ id }, { id, user_id: id, data: { id }, app_metadata: { id } }]) {
      const body = { email: 'boss@example.com', password, ...claim };
      expect((await post('/auth/v1/signup', body)).status).toBe(403);
      expect((await post('/auth/v1/admin/users', body, { as: operator })).status).toBe(403);
    }
    await configure({ allow_registration: true });
    const { json } = await post('/auth/v1/signup', { email: 'boss@example.com', password, id });
    expect((await cluster.rpc('whoami', {}, { token: json.access_token })).json).toMatchObject({ roles: [] });
  });

  it('is done by no key and no token but a user’s own', async () => {
    const { publishable } = cluster.stack.keys;
    for (const who of [
      {},
      { key: null },
      { token: publishable },
      { token: 'sb_secret_x' },
      { token: 'a.b.c' },
      { key: null, token: publishable },
      { headers: { 'x-supabase-api-key': cluster.stack.keys.secret } },
    ]) {
      expect((await add({ email: 'x@example.com', role: 'admin' }, who)).status).toBe(401);
    }
    expect(await listed('x@example.com')).toBeUndefined();
  });
});

describe('disabling a user', () => {
  it('ends their rights, tokens and sign-ins at once, and enabling brings them back', async () => {
    const gone = await cluster.person('gone', ['admin']);
    const session = await post('/auth/v1/token?grant_type=password', { email: 'gone@example.com', password });
    const refresh = () =>
      post('/auth/v1/token?grant_type=refresh_token', { refresh_token: session.json.refresh_token });
    await cluster.must(cluster.rpc('disable_user', { p_user_id: gone.id }, { as: cluster.admin }));
    expect((await cluster.rpc('whoami', {}, { as: gone })).json).toMatchObject({ code: 'USER_DISABLED' });
    expect((await cluster.rpc('enable_user', { p_user_id: gone.id }, { as: gone })).status).toBe(403);
    expect((await cluster.rest('roles', { as: gone })).json).toEqual([]);
    expect((await post('/auth/v1/token?grant_type=password', { email: 'gone@example.com', password })).status).toBe(
      400,
    );
    expect((await refresh()).json).toMatchObject({ error_code: 'user_banned' });
    expect(await listed('gone@example.com')).toMatchObject({ disabled_at: expect.any(String) });
    await cluster.must(cluster.rpc('enable_user', { p_user_id: gone.id }, { as: cluster.admin }));
    expect((await cluster.rpc('whoami', {}, { as: gone })).json).toMatchObject({ roles: [{ role: 'admin' }] });
    expect((await refresh()).status).toBe(200);
  });

  it('happens to only one of two admins who disable each other', async () => {
    const other = await cluster.person('other', ['admin']);
    const disable = (who: Person, whom: Person) => cluster.rpc('disable_user', { p_user_id: whom.id }, { as: who });
    const answers = await Promise.all([disable(cluster.admin, other), disable(other, cluster.admin)]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const left = answers[0]?.status === 200 ? cluster.admin : other;
    const lost = left === other ? cluster.admin : other;
    await cluster.must(cluster.rpc('enable_user', { p_user_id: lost.id }, { as: left }));
  });
});
