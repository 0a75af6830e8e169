import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Facts } from '@stark-o/core/model';
import { createClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import type { Check } from '../src/doctor/check.js';
import { clock, judgeClock } from '../src/doctor/checks/clock.js';
import { grants } from '../src/doctor/checks/grants.js';
import { jobs } from '../src/doctor/checks/jobs.js';
import { judgeKey } from '../src/doctor/checks/key.js';
import { machine } from '../src/doctor/checks/machine.js';
import { nodes } from '../src/doctor/checks/nodes.js';
import { judgePublic } from '../src/doctor/checks/public-channels.js';
import { judgePrivate } from '../src/doctor/checks/realtime.js';
import { tick } from '../src/doctor/checks/tick.js';
import { url } from '../src/doctor/checks/url.js';
import { vault } from '../src/doctor/checks/vault.js';
import { watchCall } from '../src/doctor/checks/watch-call.js';
import { watcher } from '../src/doctor/checks/watcher.js';
import { tryToJoin } from '../src/doctor/realtime.js';
import { runChecks, verdict } from '../src/doctor/run.js';
import type { Subject } from '../src/doctor/subject.js';

// What is judged of answers that only time, or another project, gives; tests/cli/doctor asks a whole stack.

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const now = 100_000;

const job = (name: string, more: object = {}) => ({
  ...{ name, schedule: '15 seconds', found: true, active: true, started_at: at(now - 5), succeeded_at: at(now - 5) },
  ...{ status: 'succeeded', message: '', ...more },
});

const healthy: Facts = {
  now: at(now),
  started_at: at(0),
  server_version: 170_004,
  database: { id: 'x', since: at(0) },
  migrations: [],
  extensions: { pg_cron: '1.6', pg_net: '0.20.4', supabase_vault: '0.3.1' },
  grants: [{ grant: 'execute on cron.schedule', held: true }],
  jobs: [job('stark-reap-nodes'), job('stark-maintenance', { started_at: null, succeeded_at: null, status: null })],
  jobs_are_logged: true,
  watch: { heard_at: at(now - 4), called_at: at(now - 40) },
  vault: { project_url: 'https://abc.supabase.co', secret_key: 'secret', error: null },
  probe: null,
  nodes: { healthy: 2 },
};

/** What a check finds in a database that says this. */
function findIn(check: Check, facts: Partial<Facts>, more: Partial<Subject> = {}) {
  const subject = { url: 'https://abc.supabase.co', facts: async () => ({ ...healthy, ...facts }), ...more };
  return check.run(subject as unknown as Subject);
}

describe('the jobs of pg_cron', () => {
  it.each<[string, Check, Partial<Facts>, string, RegExp]>([
    ['run', tick, {}, 'ok', /the last run was 5 s ago/],
    [
      'have not run for long',
      tick,
      { jobs: [job('stark-reap-nodes', { succeeded_at: at(now - 600) })] },
      'failed',
      /600 s ago: pg_cron is not running/,
    ],
    [
      'have never run',
      tick,
      { jobs: [job('stark-reap-nodes', { succeeded_at: null })] },
      'failed',
      /no job has ever run/,
    ],
    [
      'cannot have run yet',
      tick,
      { jobs: [job('stark-reap-nodes', { succeeded_at: null })], started_at: at(now - 20) },
      'warning',
      /a moment ago/,
    ],
    [
      'are not logged',
      tick,
      { jobs: [job('stark-reap-nodes', { succeeded_at: null })], jobs_are_logged: false },
      'warning',
      /cron.log_run is off/,
    ],
    [
      'fail',
      tick,
      { jobs: [job('stark-watch', { status: 'failed', message: 'permission denied' })] },
      'failed',
      /stark-watch failed: permission denied/,
    ],
    ['cannot be read', jobs, { jobs: null }, 'failed', /cannot be read/],
  ])('%s', async (_, check, facts, result, message) => {
    expect(await findIn(check, facts)).toMatchObject({ result, message: expect.stringMatching(message) });
  });
});

describe('the watcher', () => {
  it.each<[string, Partial<Facts>, string, RegExp]>([
    ['speaks', {}, 'ok', /the last word was 4 s ago/],
    [
      'is not needed',
      { nodes: { offline: 3 }, watch: { heard_at: null, called_at: null } },
      'ok',
      /nobody needs to watch/,
    ],
    [
      'has been silent',
      { watch: { heard_at: at(now - 300), called_at: at(now - 30) } },
      'failed',
      /2 nodes are connected, and the last word was 300 s ago/,
    ],
    ['never came', { watch: { heard_at: null, called_at: at(now - 30) } }, 'failed', /nobody has watched yet/],
    ['is on its way', { watch: { heard_at: null, called_at: at(now - 3) } }, 'warning', /called a moment ago/],
  ])('%s', async (_, facts, result, message) => {
    expect(await findIn(watcher, facts)).toMatchObject({ result, message: expect.stringMatching(message) });
  });
});

describe('the secrets in Vault', () => {
  it.each<[string, Facts['vault'], string, RegExp]>([
    ['cannot be read', null, 'failed', /cannot be read/],
    [
      'are of another project',
      { project_url: null, secret_key: null, error: 'invalid ciphertext' },
      'failed',
      /cannot be decrypted: invalid ciphertext/,
    ],
    [
      'are not there',
      { project_url: null, secret_key: null, error: null },
      'failed',
      /missing: project_url and secret_key/,
    ],
    [
      'hold a legacy key',
      { project_url: 'https://x', secret_key: 'legacy', error: null },
      'warning',
      /legacy key \(service_role\)/,
    ],
    ['hold something else', { project_url: 'https://x', secret_key: 'unknown', error: null }, 'failed', /is no key/],
  ])('%s', async (_, found, result, message) => {
    expect(await findIn(vault, { vault: found })).toMatchObject({ result, message: expect.stringMatching(message) });
  });

  it.each<[string, Facts['probe'], string, RegExp]>([
    [
      'works',
      { id: 7, status: 200, error: null, body: '{"function":"watch","database":true}' },
      'ok',
      /URL and the key in Vault/,
    ],
    [
      'reaches no function',
      { id: 8, status: 404, error: null, body: '{"code":"NOT_FOUND"}' },
      'failed',
      /no function watch, or an older one/,
    ],
    ['reaches an older function', { id: 7, status: 405, error: null, body: '{}' }, 'failed', /an older one/],
    [
      'breaks the function',
      { id: 7, status: 546, error: null, body: 'x' },
      'failed',
      /answered HTTP 546 to the database/,
    ],
  ])('calling by them %s', async (_, probe, result, message) => {
    const subject = { probe: async () => 7, freshFacts: async () => ({ ...healthy, probe }) };
    expect(await findIn(watchCall, {}, subject)).toMatchObject({ result, message: expect.stringMatching(message) });
  });

  it('calling by them is never tried without', async () => {
    expect(await findIn(watchCall, {}, { probe: async () => null })).toMatchObject({
      result: 'failed',
      hint: 'stark doctor --fix',
    });
  });
});

describe('nodes', () => {
  it.each<[Facts['nodes'], string, string]>([
    [{ healthy: 2 }, 'ok', '2 healthy'],
    [{}, 'warning', 'no pod can run: there is no node'],
    [{ offline: 1 }, 'warning', 'no pod can run: 1 offline'],
    [{ healthy: 1, unhealthy: 2 }, 'warning', '1 healthy, 2 unhealthy'],
  ])('%j', async (counts, result, message) => {
    expect(await findIn(nodes, { nodes: counts })).toMatchObject({ result, message });
  });
});

it('a grant on a function is asked for as SQL writes it', async () => {
  const finding = await findIn(grants, { grants: [{ grant: 'execute on cron.schedule', held: false }] });
  expect(finding.hint).toContain('grant execute on function cron.schedule to postgres;');
});

describe('a key', () => {
  const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
  const judge = (key: string, host = 'abc.supabase.co') => judgeKey(key, host, 'set', Date.UTC(2026, 10, 30));
  it.each<[string, string, string | undefined, RegExp | '']>([
    ['publishable', 'sb_publishable_x', undefined, ''],
    ['secret', 'sb_secret_x', 'failed', /secret key/],
    ['legacy secret', jwt({ role: 'service_role', ref: 'abc' }), 'failed', /secret key/],
    ['legacy', jwt({ role: 'anon', ref: 'abc', exp: 2_000_000_000 }), 'warning', /legacy key.*end.*2026/],
    ['legacy of another project', jwt({ role: 'anon', ref: 'xyz' }), 'failed', /of project xyz, and this is abc/],
    ['legacy that has expired', jwt({ role: 'anon', ref: 'abc', exp: 1 }), 'failed', /expired/],
    ['nonsense', 'hello', 'failed', /no key/],
  ])('%s', (_, key, result, message) => {
    const finding = judge(key);
    expect(finding?.result).toBe(result);
    expect(finding?.message ?? '').toMatch(message);
  });

  it('of a stack of one’s own names a project that is no host', () => {
    expect(judgeKey(jwt({ role: 'anon', ref: 'local' }), '127.0.0.1:54321', 'set')?.result).toBe('warning');
  });
});

describe('a clock', () => {
  it.each<[number, number, string]>([
    [0.4, 0.1, 'ok'],
    [-5, 0, 'ok'],
    [12, 0.1, 'warning'],
    [-12, 0.1, 'warning'],
    [12, 10, 'ok'],
    [3600, 0.1, 'failed'],
    [-40, 0.1, 'failed'],
  ])('that is %d s ahead, to within %d s', (ahead, uncertain, result) => {
    expect(judgeClock(ahead, uncertain).result).toBe(result);
  });

  it('of which nothing is said', async () => {
    expect(await clock.run({ gateway: async () => ({ ms: 1 }) } as unknown as Subject)).toMatchObject({
      result: 'skipped',
    });
  });
});

describe('this machine', () => {
  it.each([
    ['v20.19.0', 'ok'],
    ['v24.1.0', 'ok'],
    ['v20.18.3', 'failed'],
    ['v18.20.0', 'failed'],
  ])('with Node.js %s', async (version, result) => {
    expect(await machine('0.1.0', version).run({} as Subject)).toMatchObject({ result });
  });
});

describe('an address', () => {
  const look = (place: string, gateway: () => Promise<unknown>) =>
    url.run({ url: place, isLocal: false, settings: { context: 'there' }, gateway } as unknown as Subject);
  const failing = (cause: object) => async () => {
    throw Object.assign(new TypeError('fetch failed'), { cause });
  };
  it.each<[string, string, () => Promise<unknown>, string, RegExp]>([
    [
      'is far and not encrypted',
      'http://far.example',
      async () => ({ status: 200, body: { name: 'GoTrue' }, ms: 1 }),
      'warning',
      /not encrypted/,
    ],
    [
      'has a certificate nobody trusts',
      'https://far.example',
      failing({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
      'failed',
      /certificate of far.example is not trusted/,
    ],
    ['has no host', 'https://far.example', failing({ code: 'ENOTFOUND' }), 'failed', /no such host/],
    ['is starting', 'https://far.example', async () => ({ status: 503, body: {}, ms: 1 }), 'failed', /HTTP 503/],
  ])('that %s', async (_, place, gateway, result, message) => {
    expect(await look(place, gateway)).toMatchObject({
      result,
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  });
});

describe('Realtime', () => {
  let server: WebSocketServer;
  let reason = '';
  beforeAll(async () => {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    server.on('connection', (socket) =>
      socket.on('message', (data) => {
        const [join, ref, topic, event] = JSON.parse(String(data)) as string[];
        if (event !== 'phx_join') return;
        socket.send(JSON.stringify([join, ref, topic, 'phx_reply', { status: 'error', response: { reason } }]));
      }),
    );
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const refused = (why: string) => {
    reason = why;
    const { port } = server.address() as AddressInfo;
    const client = createClient(`http://127.0.0.1:${port}`, 'key', { realtime: { transport: WebSocket as never } });
    return tryToJoin(client, 'topic', false);
  };

  it('that allows private channels only is as it should be', async () => {
    const joining = await refused('PrivateOnly: This project only allows private channels');
    expect(judgePublic(joining, false)).toMatchObject({ result: 'ok', message: expect.stringContaining('refused') });
  });

  it('that allows public ones is named as a setting, unless only this machine reaches it', () => {
    expect(judgePublic('joined', false)).toMatchObject({
      result: 'warning',
      hint: expect.stringContaining('switch "Allow public access" off'),
    });
    expect(judgePublic('joined', true).result).toBe('ok');
  });

  it.each([
    ['Unauthorized: You do not have permissions to read from this Channel topic', /policies on realtime.messages/],
    ['InvalidJWTToken: Token has expired 60 seconds ago', /stark auth login/],
    ['RealtimeDisabledForTenant: Realtime disabled', /enable the Realtime service/],
  ])('that refuses a private channel because of %s', async (why, hint) => {
    expect(judgePrivate(await refused(why))).toMatchObject({ result: 'failed', hint: expect.stringMatching(hint) });
  });
});

describe('all checks', () => {
  const check = (id: string, result: 'ok' | 'failed' | 'skipped' | 'warning', after: string[] = []): Check => ({
    ...{ id, title: id, after },
    run: () => ({ result, message: id, hint: `mend ${id}` }),
  });

  it('that lean on a failed one are skipped, with what mends that', async () => {
    const outcomes = await runChecks(
      [check('a', 'failed'), check('b', 'ok', ['a']), check('c', 'ok', ['b'])],
      {} as Subject,
    );
    expect(outcomes.map(({ id, result, hint }) => [id, result, hint])).toEqual([
      ['a', 'failed', 'mend a'],
      ['b', 'skipped', 'mend a'],
      ['c', 'skipped', 'mend a'],
    ]);
  });

  it('that break are failed', async () => {
    const breaks: Check = { id: 'a', title: 'a', run: () => Promise.reject(new Error('oh')) };
    expect(await runChecks([breaks], {} as Subject)).toMatchObject([{ result: 'failed', message: 'oh' }]);
  });

  it('give the worst as their verdict, and what was skipped is not bad', () => {
    const of = (...all: ('ok' | 'failed' | 'skipped' | 'warning')[]) =>
      verdict(all.map((result) => ({ id: '', title: '', message: '', result })));
    expect([of('ok', 'skipped'), of('skipped'), of('ok', 'warning'), of('warning', 'failed')]).toEqual([
      'ok',
      'ok',
      'warning',
      'failed',
    ]);
  });
});
