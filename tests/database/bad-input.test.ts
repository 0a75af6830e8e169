import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../security/cluster.js';
import { rows } from './bad-input-table.js';
import { BadInputWorld, type Caller } from './bad-input-world.js';
import { hostileValues } from './hostile-values.js';

let world: BadInputWorld;
let statusOf: Map<string, number>;
/** Name and type of each argument of each function, as the catalogue has them. */
let signatures: Map<string, [name: string, type: string][]>;

beforeAll(async () => {
  world = await BadInputWorld.build();
  const { database } = world.cluster;
  const codes = await database.query<{ code: string; status: number }>(
    'select code, http_status as status from stark.error_codes',
  );
  statusOf = new Map(codes.rows.map(({ code, status }) => [code, status]));
  const functions = await database.query<{ name: string; arguments: [string, string][] }>(
    `select p.proname as name, coalesce(a.arguments, '[]') as arguments
     from pg_proc p
     left join lateral (
       select jsonb_agg(jsonb_build_array(p.proargnames[i], format_type(p.proargtypes[i - 1], null)) order by i) as arguments
       from generate_series(1, p.pronargs) i) a on true
     where p.pronamespace = 'stark'::regnamespace and p.prorettype <> 'trigger'::regtype`,
  );
  signatures = new Map(functions.rows.map(({ name, arguments: list }) => [name, list]));
});
afterAll(() => world?.stop());

/** Postgres' own codes for a value that is not of the argument's type; PostgREST answers them with 400. */
const ofWrongType = ['22P02', '22003', '22P05', '22021', '22007', '22008', '2202E'];

/** Statuses that are not 400 of codes that are not Stark's own. */
const others: Record<string, number> = { '42501': 403, PGRST202: 404 };

function call(fn: string, body: unknown, as: Caller): Promise<Answer> {
  const who = as === 'secret' ? { key: world.cluster.stack.keys.secret } : { as: world.person(as) };
  const headers = { 'content-type': 'application/json' };
  return world.cluster.rpc(fn, typeof body === 'string' ? body : JSON.stringify(body), { ...who, headers });
}

/** A refusal: a code with the status that belongs to it, a message of one line, a hint where the code is Stark's. */
function problemOf({ status, json, text }: Answer, codes: readonly string[], names = ''): string | undefined {
  const said = `${status} ${text.slice(0, 300)}`;
  if (typeof json?.code !== 'string' || typeof json.message !== 'string') return `is no coded error: ${said}`;
  if (!codes.includes(json.code)) return `should be ${codes.join(' or ')}: ${said}`;
  const own = statusOf.get(json.code);
  const wanted = own ?? others[json.code] ?? 400;
  if (status !== wanted) return `should have status ${wanted}: ${said}`;
  if (own !== undefined && !json.hint) return `has no hint: ${said}`;
  if (json.message.includes('\n') || json.message.length > 500) return `says too much: ${said}`;
  if (/stark_internal|pg_temp|violates/.test(text)) return `tells of machinery: ${said}`;
  if (!json.message.includes(names)) return `does not name ${names}: ${said}`;
  return undefined;
}

it('has a row for each function and a word on each argument', () => {
  const said = Object.entries(rows).map(([name, { bad }]) => `${name}(${Object.keys(bad).sort()})`);
  const there = [...signatures].map(([name, list]) => `${name}(${list.map(([argument]) => argument).sort()})`);
  expect(said.sort()).toEqual(there.sort());
});

describe.each(Object.entries(rows))('%s', (fn, row) => {
  const all: [what: string, body: unknown, as: Caller, codes: string[], names?: string | undefined][] = [];

  it('refuses bad input with a coded error that names it, and changes nothing', async () => {
    const good = row.good(world);
    all.push(['an unknown argument', { ...good, p_nonsense: 1 }, row.as, ['PGRST202']]);
    all.push(['half a body', '{"p_', row.as, ['PGRST102']]);
    if (row.denied) all.push([`the call of ${row.denied[0]}`, good, row.denied[0], [row.denied[1]]]);
    if (row.denied && row.as !== 'secret') {
      all.push(['a disabled account', good, 'disabled', ['USER_DISABLED']]);
      all.push(['an account without a role', good, 'nobody', ['FORBIDDEN', row.denied[1]]]);
    }
    for (const [what, args, code, names] of row.cases?.(world) ?? [])
      all.push([what, { ...good, ...args }, row.as, [code], names]);
    for (const [argument, type] of signatures.get(fn) ?? []) {
      const expected = row.bad[argument] ?? 'typed';
      for (const [what, json] of hostileValues(type, expected)) {
        const { [argument]: _, ...rest } = good as Record<string, unknown>;
        const body = `${JSON.stringify(rest).slice(0, -1)}${Object.keys(rest).length > 0 ? ',' : ''}"${argument}":${json}}`;
        all.push([
          `${argument}: ${what}`,
          body,
          row.as,
          [...expected.split(/[ ,]+/).filter((word) => statusOf.has(word)), ...ofWrongType],
        ]);
      }
    }
    const before = await world.fingerprint();
    const problems = await Promise.all(
      all.map(async ([what, body, as, codes, names]) => {
        const answer = await call(fn, body, as);
        const problem = problemOf(answer, codes, names);
        return problem === undefined ? [] : [`${what} ${problem}`];
      }),
    );
    expect(problems.flat()).toEqual([]);
    expect(await world.fingerprint()).toEqual(before);
  });
});

/** Requests that no function is asked by: the services of the stack refuse them, and nothing breaks. */
const requests: [method: string, path: string, body: unknown, status: number, code: string][] = [
  ['GET', '/rest/v1/pods?select="', undefined, 400, 'PGRST100'],
  ['GET', '/rest/v1/pods?select=name(', undefined, 400, 'PGRST100'],
  ['GET', '/rest/v1/pods?nope=eq.1', undefined, 400, '42703'],
  ['GET', '/rest/v1/pods?name=eq.%00', undefined, 400, '22021'],
  ['GET', '/rest/v1/pods?id=eq.x', undefined, 400, '22P02'],
  ['GET', '/rest/v1/pods?limit=-1', undefined, 416, 'PGRST103'],
  ['GET', '/rest/v1/rpc/no_such_function', undefined, 404, 'PGRST202'],
  ['POST', '/rest/v1/rpc/cordon_node', { p_name: 'n1', extra: true }, 404, 'PGRST202'],
  ['GET', '/rest/v1/rpc/cordon_node?p_name=n1', undefined, 405, '25006'],
  ['POST', '/rest/v1/pods', { name: 'x' }, 403, '42501'],
  ['PATCH', '/rest/v1/nodes?name=eq.n1', { status: 'offline' }, 403, '42501'],
  ['DELETE', '/rest/v1/events', undefined, 400, '21000'],
  ['DELETE', '/rest/v1/events?seq=gt.0', undefined, 403, '42501'],
  ['POST', '/auth/v1/token?grant_type=password', { email: { a: 1 }, password: 'x' }, 400, 'bad_json'],
  ['POST', '/auth/v1/token?grant_type=password', { email: 'a@b.c\0', password: 'x' }, 400, 'bad_json'],
  ['POST', '/auth/v1/token?grant_type=refresh_token', { refresh_token: ['x'] }, 400, 'bad_json'],
  ['POST', '/auth/v1/signup', null, 400, 'bad_json'],
  ['POST', '/auth/v1/recover', '{"email"', 400, 'bad_json'],
  ['PUT', '/auth/v1/user', { email: [] }, 400, 'bad_json'],
  ['PUT', '/auth/v1/user', { data: 'x' }, 400, 'bad_json'],
  ['POST', '/storage/v1/bucket', '{', 400, 'Error'],
  ['POST', '/storage/v1/object/list/packs', { prefix: {} }, 400, 'Error'],
  ['POST', '/storage/v1/object/list/packs', { limit: 'x' }, 400, 'Error'],
  ['DELETE', '/storage/v1/object/packs', { prefixes: [{}] }, 400, 'Error'],
  ['POST', '/storage/v1/object/packs/a%00b', '{}', 400, 'InvalidKey'],
  ['PROPFIND', '/rest/v1/pods', undefined, 405, ''],
];

it('answers malformed requests to any service with 4xx, and changes nothing', async () => {
  const before = await world.fingerprint();
  for (const [method, path, body, status, code] of requests) {
    const options = { method, body, as: world.person('admin'), headers: { 'content-type': 'application/json' } };
    const isText = body === undefined || typeof body === 'string';
    const ask = path.startsWith('/rest/')
      ? world.cluster.rest.bind(world.cluster)
      : world.cluster.request.bind(world.cluster);
    const answer = await ask(path.replace('/rest/v1/', ''), { ...options, body: isText ? body : JSON.stringify(body) });
    const said = answer.json?.error_code ?? answer.json?.code ?? answer.json?.error ?? '';
    expect([method, path, body, answer.status, said]).toEqual([method, path, body, status, code]);
  }
  expect(await world.fingerprint()).toEqual(before);
});

it('refuses TRACE, which clients cannot even send', async () => {
  const { hostname, port } = new URL(world.cluster.stack.url);
  const status = await new Promise((resolve, reject) => {
    const trace = request({ method: 'TRACE', hostname, port, path: '/rest/v1/pods' }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    trace.once('error', reject).end();
  });
  expect(status).toBe(405);
});

it('refuses each malformed report of an agent by itself, and drops malformed lines', async () => {
  const before = await world.fingerprint();
  const report = { pod_id: world.pods.running, status: 'running' };
  const bad: [report: unknown, code: string][] = [
    [5, 'INVALID_ARGUMENT'],
    [{}, 'INVALID_ARGUMENT'],
    [{ ...report, pod_id: "'; drop table stark.pods; --" }, 'INVALID_ARGUMENT'],
    [{ ...report, pod_id: '00000000-0000-4000-8000-00000000dead' }, 'POD_NOT_FOUND'],
    [{ ...report, status: 'flying' }, 'INVALID_ARGUMENT'],
    [{ ...report, status: 'pending' }, 'INVALID_ARGUMENT'],
    [{ ...report, status: 'stopped' }, 'STATUS_STEP_REFUSED'],
    [{ ...report, exit_code: 1.5 }, 'INVALID_ARGUMENT'],
    [{ ...report, restarts: -1 }, 'INVALID_ARGUMENT'],
    [{ ...report, ready: 'yes' }, 'INVALID_ARGUMENT'],
    [{ ...report, ports: { http: 70_000 } }, 'INVALID_ARGUMENT'],
    [{ ...report, observed_at: 'infinity' }, 'INVALID_ARGUMENT'],
    [{ ...report, message: { a: 1 } }, 'INVALID_ARGUMENT'],
  ];
  const speaker = { p_node_id: world.node.id, p_incarnation: world.node.incarnation };
  const judged = await call('report_pods', { ...speaker, p_reports: bad.map(([one]) => one) }, 'owner');
  expect(judged.json.map(({ accepted, code }: { accepted: boolean; code: string }) => [accepted, code])).toEqual(
    bad.map(([, code]) => [false, code]),
  );
  const line = { pod_id: world.pods.running, seq: 1, time: '2026-01-01T00:00:00Z', stream: 'stdout', message: 'x' };
  const lines = [
    5,
    {},
    { ...line, seq: 0.5 },
    { ...line, time: 'soon' },
    { ...line, stream: 'tty' },
    { ...line, message: 5 },
  ];
  expect((await call('append_pod_logs', { ...speaker, p_lines: lines }, 'owner')).json).toBe(0);
  expect(await world.fingerprint()).toEqual(before);
});
