import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NodeAgent, startNodeAgent } from '@stark-o/agent/node';
import { Ajv2020 } from 'ajv/dist/2020.js';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SessionFile } from '../../cli/src/session/sessions.js';
import { ADMIN, Cluster } from '../agent/cluster.js';
import { type CommandResult, sharedStark } from '../harness/command.js';
import { MeddlingProxy } from '../harness/meddling-proxy.js';
import { root, startTestStack, type TestStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';

// One whole stack on which every check is well, and each is broken once. What only time breaks (no job for long, no watcher) is
// judged in cli/test/doctor.test.ts.

interface Report {
  url: string;
  result: string;
  checks: { id: string; result: string; message: string; hint: string | null }[];
}

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const validate = new Ajv2020({ allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(join(root, 'cli', 'schemas', 'doctor.json'), 'utf8')),
);

let test: TestStack;
let cluster: Cluster;
let proxy: MeddlingProxy;
let database: pg.Client;
let superuser: pg.Client;
let agent: NodeAgent | undefined;
let config: string;
let env: Record<string, string>;
const notYet: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  config = await mkdtemp(join(tmpdir(), 'stark-doctor-'));
  env = { STARK_CONFIG_DIR: config };
  test = await startTestStack();
  const { url, keys, dbUrl } = test.stack;
  proxy = await MeddlingProxy.to(url);
  cluster = await Cluster.setUp(test);
  database = new pg.Client(dbUrl);
  superuser = new pg.Client(await test.superuserUrl());
  await Promise.all([database.connect(), superuser.connect()]);
  for (const [name, place] of [
    ['whole', url],
    ['meddled', proxy.url],
  ] as const) {
    await run(['context', 'set', name, '--url', place, '--key', keys.publishable]);
  }
  await run(['context', 'use', 'whole']);
  await signIn('whole', url, ADMIN.email);
}, 60_000);
afterAll(async () => {
  await agent?.stop();
  await Promise.all([database?.end(), superuser?.end()]);
  await proxy?.close();
  await test?.stop();
  await rm(config, { recursive: true, force: true });
});
// What a test broke is mended also when it failed.
afterEach(async () => {
  proxy.meddling = {};
  for (const mend of notYet.splice(0).reverse()) await mend();
});

async function run(args: string[], more: Record<string, string> = {}): Promise<CommandResult> {
  return sharedStark(args, { env: { ...env, ...more } });
}

async function doctor(
  args: string[] = [],
  more: Record<string, string> = {},
): Promise<Report & { code: number | null }> {
  const { code, stdout, stderr } = await run(['doctor', '--json', ...args], more);
  expect(stdout, stderr).not.toBe('');
  const report = JSON.parse(stdout) as Report;
  validate(report);
  expect(validate.errors).toBeNull();
  // Whatever is not well says what to type.
  for (const { id, result, hint } of report.checks) if (result !== 'ok') expect(hint, id).toBeTruthy();
  expect(code).toBe(report.checks.some(({ result }) => result === 'failed') ? 1 : 0);
  return { ...report, code };
}

const found = (report: Report, id: string) => report.checks.find((check) => check.id === id);

async function signIn(context: string, url: string, email: string): Promise<void> {
  const { data, error } = await cluster.client.auth.signInWithPassword({ email, password: ADMIN.password });
  if (error) throw error;
  await new SessionFile(config, context, url).write({
    accessToken: data.session.access_token,
    refreshToken: data.session.refresh_token,
    expiresAt: data.session.expires_at ?? 0,
    userId: data.session.user.id,
    email,
  });
}

/** Runs SQL that breaks something, and what mends it at the end of the test. */
async function broken(client: pg.Client, breaks: string, mends: string): Promise<void> {
  notYet.push(() => client.query(mends));
  await client.query(breaks);
}

const context = ['--context', 'meddled'];

describe('a whole stack', () => {
  it('lacks nothing but a node at first', async () => {
    const report = await doctor();
    expect(found(report, 'nodes')).toMatchObject({ result: 'warning', hint: 'stark node agent start --name node-1' });
    expect(report.checks.filter(({ result }) => result === 'failed')).toEqual([]);
  });

  it('is well with one, in every check', async () => {
    agent = await startNodeAgent({
      supabaseUrl: test.stack.url,
      key: test.stack.keys.publishable,
      credentials: ADMIN,
      name: 'one',
      dataDir: join(config, 'agents'),
      allocatable: { cpu: 1000, memory: 1024, pods: 10 },
      log: silent,
    });
    let last: Report | undefined;
    await waitFor(
      'every check to be ok',
      async () => {
        last = await doctor();
        return last.checks.every(({ result }) => result === 'ok');
      },
      { deadlineMs: 60_000, everyMs: 1_000 },
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last?.checks.filter(({ result }) => result !== 'ok'))}`);
    });
    expect(last).toMatchObject({ result: 'ok', url: test.stack.url });
    expect(await run(['doctor', '-o', 'name'])).toMatchObject({ code: 0, stdout: 'doctor/ok\n' });
  }, 90_000);

  it('is shown as a line for each check', async () => {
    const { code, stdout, stderr } = await run(['doctor']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').filter(Boolean)).toHaveLength(18);
    expect(stdout).toMatch(/^ok {7}jobs +5 jobs, all active$/m);
  });

  it('tells a user with the URL of the database what an admin is told', async () => {
    const report = await doctor(['--db-url', test.stack.dbUrl, ...context]);
    expect(report.checks.filter(({ result }) => result !== 'ok').map(({ id }) => id)).toEqual(['session', 'realtime']);
    const wrong = new URL(test.stack.dbUrl);
    wrong.password = 'wrong';
    expect(found(await doctor(['--db-url', wrong.href]), 'migrations')).toMatchObject({
      result: 'failed',
      message: expect.stringContaining('the password is wrong'),
    });
    expect(await run(['doctor', '--db-url', 'localhost'])).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('the way to the cluster', () => {
  const answered = (path: RegExp, status: number, body: unknown) => {
    proxy.meddling = { answer: ({ url = '' }) => (path.test(url) ? { status, body } : undefined) };
  };

  it('that leads nowhere, or to something else, is failed, and all behind it skipped', async () => {
    const report = await doctor(['--url', 'http://127.0.0.1:9']);
    expect(found(report, 'url')).toMatchObject({ result: 'failed', hint: 'stark up --detach' });
    const behind = report.checks.filter(({ id }) => id !== 'machine' && id !== 'url');
    expect(new Set(behind.map(({ result }) => result))).toEqual(new Set(['skipped']));
    answered(/./, 404, { message: 'not here' });
    expect(found(await doctor(context), 'url')?.message).toMatch(/is no Supabase project \(HTTP 404\)/);
    answered(/./, 540, {});
    expect(found(await doctor(context), 'url')).toMatchObject({ hint: expect.stringContaining('dashboard') });
  });

  it.each<[string, () => string, string, RegExp]>([
    ['a secret key', () => test.stack.keys.secret, 'failed', /secret key, which may do everything/],
    ['the key of another project', () => 'sb_publishable_of_another', 'failed', /of another project, or was revoked/],
    ['no key at all', () => 'nonsense', 'failed', /no key of a Supabase project/],
  ])('with %s', async (_, key, result, message) => {
    const report = await doctor([], { STARK_KEY: key() });
    expect(found(report, 'key')).toMatchObject({ result, message: expect.stringMatching(message) });
    expect(found(report, 'key')?.hint).toContain('stark context set whole');
  });

  it('that does not expose the schema names the setting', async () => {
    const reload = `notify pgrst, 'reload config'`;
    await broken(
      database,
      `alter role authenticator set pgrst.db_schemas = 'public, graphql_public'; ${reload}`,
      `alter role authenticator reset pgrst.db_schemas; ${reload}`,
    );
    const report = await waitFor('PostgREST to have read its settings', async () => {
      const now = await doctor();
      return found(now, 'schema')?.result === 'failed' ? now : undefined;
    });
    expect(found(report, 'schema')).toMatchObject({
      message: expect.stringContaining('PGRST106'),
      hint: expect.stringMatching(/"Exposed schemas".*supabase config push.*\[api\] schemas of supabase\/config\.toml/),
    });
    expect(found(report, 'migrations')).toMatchObject({ result: 'skipped', hint: found(report, 'schema')?.hint });
    const told = await doctor(['--db-url', test.stack.dbUrl]);
    expect(found(told, 'schema')?.hint).toContain(
      `alter role authenticator set pgrst.db_schemas = 'public, graphql_public, stark'; ${reload}`,
    );
    expect(found(told, 'migrations')).toMatchObject({ result: 'ok' });
  });

  it('on which the clock differs', async () => {
    const skew = (seconds: number) => {
      const date = new Date(Date.now() + seconds * 1000).toUTCString();
      proxy.meddling = { tell: (headers) => ({ ...headers, date }) };
    };
    skew(-3600);
    expect(found(await doctor(context), 'clock')).toMatchObject({
      result: 'failed',
      message: expect.stringMatching(/3(599|600|601) s ahead/),
    });
    skew(20);
    expect(found(await doctor(context), 'clock')).toMatchObject({
      result: 'warning',
      hint: expect.stringMatching(/ntp/),
    });
  });

  it.each<[string, number, unknown, RegExp]>([
    [
      'is not deployed',
      404,
      { code: 'NOT_FOUND', message: 'Requested function was not found' },
      /watch is not deployed/,
    ],
    [
      'is older than its health',
      404,
      { error: { code: 'NOT_FOUND', message: 'nothing' } },
      /watch is an older version/,
    ],
    ['is of another version', 200, { function: 'watch', version: '0123' }, /watch is version 0123/],
    ['asks for a JWT', 401, { code: 401, message: 'Missing authorization header' }, /asks for a JWT/],
    ['does not start', 503, { code: 'BOOT_ERROR', message: 'Function failed to start' }, /HTTP 503: Function failed/],
  ])('with a function that %s', async (_, status, body, message) => {
    answered(/^\/functions\/v1\/watch\/health/, status, body);
    expect(found(await doctor(context), 'functions')).toMatchObject({
      result: 'failed',
      message: expect.stringMatching(message),
      hint: expect.stringContaining('supabase functions deploy watch'),
    });
  });
});

describe('who asks', () => {
  it('is nobody', async () => {
    const report = await doctor(context);
    expect(found(report, 'session')).toMatchObject({ result: 'skipped', hint: 'stark auth login' });
    expect(found(report, 'migrations')?.hint).toBe('stark auth login, or stark doctor --db-url <url of the database>');
  });

  it('has a session that the cluster has ended', async () => {
    await new SessionFile(config, 'meddled', proxy.url).write({
      ...{ accessToken: 'a.b.c', refreshToken: 'gone', expiresAt: 1, userId: 'x', email: ADMIN.email },
    });
    expect(found(await doctor(context), 'session')).toMatchObject({ result: 'failed', hint: 'stark auth login' });
  });

  it('has no rights: what the database tells is skipped, and never failed', async () => {
    const email = 'guest@example.com';
    await cluster.client.auth.signOut();
    await cluster.client.auth.signUp({ email, password: ADMIN.password });
    await signIn('meddled', proxy.url, email);
    const report = await doctor(context);
    expect(report.code).toBe(0);
    expect(found(report, 'session')).toMatchObject({
      result: 'warning',
      message: `${email} has no role, and so no right`,
    });
    expect(found(report, 'migrations')).toMatchObject({
      result: 'skipped',
      hint: 'stark doctor --db-url <url of the database>',
    });
    expect(found(report, 'realtime')).toMatchObject({
      result: 'skipped',
      hint: expect.stringContaining('ask an admin'),
    });
    const token = (await cluster.client.auth.getSession()).data.session?.access_token;
    const key = { apikey: test.stack.keys.publishable, 'content-type': 'application/json' };
    const headers = { ...key, authorization: `Bearer ${token}` };
    const refused = await fetch(`${test.stack.url}/functions/v1/api/vault`, { method: 'POST', headers });
    expect(refused.status).toBe(403);
  });
});

describe('the database', () => {
  it.each<[string, string, string, RegExp, string]>([
    [
      'has a migration that was edited since',
      `update supabase_migrations.schema_migrations set name = name || '#', statements = statements || '{select 1}' where version = '20260101000054'`,
      `update supabase_migrations.schema_migrations set name = trim(name, '#'), statements = trim_array(statements, 1) where version = '20260101000054'`,
      /1 migrations were other ones when they were pushed: 20260101000054_diagnostics\.sql/,
      'docs/hosted.md',
    ],
    [
      'lacks a migration',
      `update supabase_migrations.schema_migrations set version = 'x' where version = '20260101000051'`,
      `update supabase_migrations.schema_migrations set version = '20260101000051' where version = 'x'`,
      /1 of \d+ migrations are missing, the first is 20260101000051/,
      'supabase db push --remote',
    ],
  ])('%s', async (_, breaks, mends, message, hint) => {
    await broken(database, breaks, mends);
    expect(found(await doctor(), 'migrations')).toMatchObject({
      result: 'failed',
      message: expect.stringMatching(message),
      hint: expect.stringContaining(hint),
    });
  });

  it('lacks an extension', async () => {
    await broken(
      superuser,
      `update pg_extension set extname = 'gone' where extname = 'pg_net'`,
      `update pg_extension set extname = 'pg_net' where extname = 'gone'`,
    );
    expect(found(await doctor(), 'extensions')).toMatchObject({
      result: 'failed',
      message: 'missing: pg_net',
      hint: 'in the SQL editor: create extension pg_net with schema extensions;',
    });
  });

  it('lacks a grant', async () => {
    // What may be read cannot be taken from postgres, which may read everything (pg_read_all_data).
    const table = 'delete on cron.job_run_details';
    await broken(
      superuser,
      `revoke ${table} from public, postgres`,
      `grant ${table} to public; grant ${table} to postgres with grant option`,
    );
    expect(found(await doctor(), 'grants')).toMatchObject({
      result: 'failed',
      message: 'postgres lacks select, delete on cron.job_run_details',
      hint: expect.stringContaining('grant select, delete on cron.job_run_details to postgres;'),
    });
  });

  it('lacks a job, and one is switched off: by its URL it is mended', async () => {
    notYet.push(() => database.query('select stark_internal.schedule_jobs()'));
    await database.query(`select cron.unschedule('stark-watch')`);
    await database.query(
      `select cron.alter_job(jobid, active => false) from cron.job where jobname = 'stark-reconcile'`,
    );
    expect(found(await doctor(), 'jobs')).toMatchObject({
      result: 'failed',
      message: 'stark-watch is not there, stark-reconcile is switched off',
      hint: 'in the SQL editor: select stark_internal.schedule_jobs()',
    });
    expect(found(await doctor(['--fix', '--db-url', test.stack.dbUrl]), 'jobs')).toMatchObject({ result: 'ok' });
  });
});

describe('Vault', () => {
  const secrets = async () => {
    const { rows } = await database.query(
      `select name, decrypted_secret as value from vault.decrypted_secrets order by name`,
    );
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  };
  const set = (name: string, value: string) =>
    database.query('select vault.update_secret(id, $2) from vault.secrets where name = $1', [name, value]);
  let elsewhere: Server;

  beforeAll(async () => {
    // The project that a preview branch was made of: its function is there, takes its key, and has another database.
    elsewhere = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ function: 'watch', version: 'x', database: false }));
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => elsewhere.close(resolve)));

  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    [
      'lacks a secret',
      () => database.query(`delete from vault.secrets where name = 'secret_key'`),
      'vault',
      /^missing: secret_key; nobody watches/,
    ],
    [
      'has a publishable key',
      () => set('secret_key', test.stack.keys.publishable),
      'vault',
      /secret_key is a publishable key/,
    ],
    [
      'has a key that was revoked',
      () => set('secret_key', 'sb_secret_revoked'),
      'watch-call',
      /secret_key in Vault is refused/,
    ],
    [
      'has a URL that leads nowhere',
      () => set('project_url', 'http://127.0.0.1:9'),
      'watch-call',
      /project_url in Vault leads nowhere/,
    ],
    [
      'has the URL of the project that this one is a branch of',
      () => set('project_url', `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`),
      'watch-call',
      /leads to another project, whose database is not this one/,
    ],
  ])('%s, and is mended', async (_, breaks, id, message) => {
    const right = await secrets();
    await breaks();
    expect(found(await doctor(), id)).toMatchObject({
      result: 'failed',
      message: expect.stringMatching(message),
      hint: 'stark doctor --fix',
    });
    const { code, stdout, stderr } = await run(['doctor', '--fix']);
    expect(code, stdout).toBe(0);
    expect(stderr).toContain('done: Write the URL and the secret key');
    expect(await secrets()).toEqual(right);
  });

  it('that came from another project cannot be read, lets agents work, and is mended', async () => {
    const right = await secrets();
    await superuser.query(`update vault.secrets set secret = encode(sha512(convert_to(secret, 'UTF8')), 'base64')`);
    expect(found(await doctor(), 'vault')).toMatchObject({
      result: 'failed',
      message: expect.stringContaining('Vault cannot be decrypted'),
      hint: 'stark doctor --fix',
    });
    await superuser.query(`update stark_internal.node_watch set watched = '{}', called_at = null`);
    await cluster.client.auth.signInWithPassword(ADMIN);
    const { nodeId = '', incarnation = 0 } = agent ?? {};
    const asked = await cluster.client.rpc('node_sync', { p_node_id: nodeId, p_incarnation: incarnation });
    expect(asked.error).toBeNull();
    expect((await run(['doctor', '--fix'])).stderr).toContain('done:');
    expect(await secrets()).toEqual(right);
  });
});

describe('Realtime', () => {
  it('refuses a private channel although the right is there', async () => {
    const policy = 'alter policy "Stark: who may read a topic" on realtime.messages using';
    const condition = `stark_internal.may_use_topic((select realtime.topic()), extension, 'read')`;
    await broken(database, `${policy} (false)`, `${policy} (${condition})`);
    expect(found(await doctor(), 'realtime')).toMatchObject({
      result: 'failed',
      message: expect.stringContaining('refused although the right is there'),
      hint: expect.stringContaining('realtime.messages'),
    });
  });
});

describe('function watch', () => {
  it('does not watch for the database of another project', async () => {
    const ask = (database: string | undefined) =>
      fetch(`${test.stack.url}/functions/v1/watch`, {
        method: 'POST',
        headers: { apikey: test.stack.keys.secret, 'content-type': 'application/json' },
        body: JSON.stringify({ database }),
      });
    const refused = await ask('00000000-0000-4000-8000-00000000dead');
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ error: { code: 'OTHER_DATABASE', hint: 'stark doctor --fix' } });
    const { rows } = await database.query('select id from stark_internal.database_identity');
    expect((await ask(rows[0].id)).status).toBe(202);
    // One of an older version says nothing of it.
    expect((await ask(undefined)).status).toBe(202);
  });
});

describe('a database that was restored', () => {
  it('has its agent connect anew, under a number that was not given out', async () => {
    const before = agent?.incarnation ?? 0;
    await database.query('select stark_internal.reset_after_restore()');
    await waitFor('the agent to be connected', () => (agent?.incarnation ?? 0) > before + 10_000);
    await waitFor('its node to be healthy', async () => found(await doctor(), 'nodes')?.result === 'ok');
  });
});
