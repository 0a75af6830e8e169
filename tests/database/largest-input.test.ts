import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestDatabase, type TestDatabase } from '../../scripts/db/test-database.mjs';
import { type Largest, type LargestWorld, largest } from './largest-input-table.js';
import { connect } from './sessions.js';

const USER = '00000000-0000-4000-8000-000000000001';
const PODS = 201;
/** Of the rows that create_pods reads and writes at its largest: it writes each pod once, what changes pods writes them and their events. */
const MAX_OF_CREATE_PODS = 6;
/** What these stop, deployments make anew in the same call: two calls' worth. */
const REPLACED = ['drain_node', 'delete_node'];
/** 500 objects, of which each is written by the function that makes one. */
const MAX_OF_APPLY_OBJECTS = 60;
// As stark_internal.lock_cluster takes it.
const CLUSTER_LOCK = 'select pg_advisory_xact_lock(1398030674, 1)';

let database: TestDatabase;
let owner: pg.Client;
let caller: pg.Client;
let holder: pg.Client;
let world: LargestWorld;
let types: Map<string, Map<string, string>>;
let most: Rows;

interface Rows {
  read: number;
  written: number;
}

beforeAll(async () => {
  database = await startTestDatabase();
  [owner, caller, holder] = await Promise.all([
    connect(database),
    connect(database, 'authenticator'),
    connect(database),
  ]);
  await owner.query('insert into auth.users (id, email) values ($1, $2)', [USER, 'ada@example.com']);
  await owner.query(`insert into stark.role_bindings (user_id, role) values ($1, 'admin')`, [USER]);
  // Another admin, so that the first may go.
  await owner.query(`insert into auth.users (id, email) values ('${USER.replace(/1$/, '2')}', 'bob@example.com')`);
  await owner.query(`insert into stark.role_bindings (user_id, role) values ('${USER.replace(/1$/, '2')}', 'admin')`);
  await owner.query(
    `insert into stark.packs (name, owner_id, visibility) values ('alpha', $1, 'public'), ('spare', $1, 'public')`,
    [USER],
  );
  await owner.query(
    `insert into stark.pack_versions (pack_id, pack_name, version, runtime, size_bytes, sha256, path, state, ready_at)
     select p.id, p.name, v, 'node', 1, repeat('a', 64), p.id || v || '/x.js', 'ready', now() from stark.packs p, unnest(array['0.9.0', '1.0.0']) v`,
  );
  await owner.query(`update stark.packs set latest_version = '1.0.0'`);
  const upload = await value<string>(
    `insert into stark.pack_versions (pack_id, pack_name, version, runtime, size_bytes, sha256, path)
     select id, name, '2.0.0', 'node', 1, repeat('a', 64), 'x' from stark.packs where name = 'alpha' returning id`,
  );
  const node = await value<string>(
    `insert into stark.nodes (name, owner_id, runtime, status, incarnation, allocatable)
     values ('n1', $1, 'node', 'healthy', 1, '{"cpu": 1000000, "memory": 1000000, "storage": 0, "pods": 500}') returning id`,
    [USER],
  );
  await owner.query('insert into stark.node_leases (node_id, incarnation) values ($1, 1)', [node]);
  await owner.query(`insert into stark.namespaces (name) values ('team')`);
  await owner.query(`insert into stark.roles (name) values ('helper')`);
  await owner.query(`insert into stark.priority_classes (name, value) values ('silver', 50)`);
  const token = await value<string>(
    `insert into stark.join_tokens (owner_id, expires_at) values ($1, now() + interval '1 day') returning id`,
    [USER],
  );
  await owner.query(
    `insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, created_by, status, node_id, node_name, incarnation)
     select 'pod-' || i, 'default', v.pack_id, v.pack_name, v.id, v.version, $2, 'running', $3, 'n1', 1
     from stark.pack_versions v, generate_series(1, $1) i where v.pack_name = 'alpha' and v.version = '1.0.0'`,
    [PODS, USER, node],
  );
  await owner.query(
    `insert into stark.deployments (name, namespace, pack_id, pack_name, replicas, acts_as, created_by) select 'web', 'default', id, name, 200, $1, $1
     from stark.packs where name = 'alpha'`,
    [USER],
  );
  await owner.query(
    `select stark_internal.add_revision(d.id, '{"labels": {}, "annotations": {}, "priority": 100, "spec": {}}', '{}', v.id, 'create', null, $1)
     from stark.deployments d join stark.pack_versions v using (pack_id) where v.version = '1.0.0'`,
    [USER],
  );
  await owner.query(
    `update stark.pods p set deployment_id = d.id, revision = 1, labels = jsonb_build_object('pod-template-hash', r.template_hash)
     from stark.deployments d join stark.deployment_revisions r on r.deployment_id = d.id where p.name <> 'pod-201'`,
  );
  const pods = await value<string[]>('select array_agg(id order by name) from stark.pods');
  world = { user: USER, node, pods, upload, token };
  const { rows } = await owner.query<{ fn: string; name: string; type: string }>(
    `select p.proname as fn, p.proargnames[i] as name, format_type(p.proargtypes[i - 1], null) as type
     from pg_proc p left join lateral generate_series(1, p.pronargs) i on true where p.pronamespace = 'stark'::regnamespace`,
  );
  types = new Map();
  for (const { fn, name, type } of rows) types.set(fn, (types.get(fn) ?? new Map()).set(name, type));
  await owner.query('analyze');
  most = (await call('create_pods', { as: 'admin' }, largest.create_pods?.args(world) ?? {})).rows;
});

afterAll(async () => {
  await Promise.all([owner?.end(), caller?.end(), holder?.end()]);
  await database?.stop();
});

async function value<T>(text: string, values: unknown[] = []): Promise<T> {
  const { rows } = await owner.query<Record<string, T>>(text, values);
  return Object.values(rows[0] ?? {})[0] as T;
}

const COUNTED = `select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::float8 as read,
    coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::float8 as written
  from pg_stat_xact_all_tables where schemaname in ('stark', 'stark_internal', 'auth', 'realtime')`;

async function counted(): Promise<Rows> {
  return (await caller.query<Rows>(COUNTED)).rows[0] as Rows;
}

/** One call as PostgREST makes it, taken back: its code, and the rows that it read and wrote. */
async function call(
  fn: string,
  { as }: { as?: string | undefined },
  args: object,
): Promise<{ code: string; rows: Rows }> {
  const role = as === 'secret' ? 'service_role' : 'authenticated';
  const claims = as === 'secret' ? { role } : { role, sub: USER };
  const given = Object.entries(args);
  const list = given.map(([name], i) => `${name} => $${i + 1}::${types.get(fn)?.get(name)}`).join(', ');
  const values = given.map(([name, one]) => (types.get(fn)?.get(name) === 'jsonb' ? JSON.stringify(one) : one));
  await caller.query('begin');
  try {
    await caller.query(`select set_config('request.jwt.claims', $1, true), set_config('role', $2, true)`, [
      JSON.stringify(claims),
      role,
    ]);
    // What earlier transactions of the session did may not have been handed on yet, and is counted too.
    const before = await counted();
    await caller.query(`select count(*) from stark.${fn}(${list})`, values);
    const after = await counted();
    return { code: 'ok', rows: { read: after.read - before.read, written: after.written - before.written } };
  } catch (error) {
    const { code = '', message } = error as pg.DatabaseError;
    return {
      code: code === 'PGRST' ? (JSON.parse(message) as { code: string }).code : `${code} ${message}`,
      rows: { read: 0, written: 0 },
    };
  } finally {
    await caller.query('rollback');
  }
}

/** What the largest input of a function meets, where it is not to be taken. */
const elsewhere: Record<string, string> = {
  finish_pack_version: 'BUNDLE_MISSING',
  setup_admin: 'SETUP_DONE',
  admit_node: 'JOIN_TOKEN_INVALID',
  join_node: 'JOIN_TOKEN_INVALID',
  promote_rollout: 'NOT_PAUSED',
  undo_rollout: 'REVISION_NOT_FOUND',
};

it('has a row for each function', () => {
  expect(Object.keys(largest).sort()).toEqual([...types.keys()].sort());
});

describe.each(Object.entries(largest))('%s', (fn, row: Largest) => {
  it('takes its largest input, and costs the others no more than create_pods does', async () => {
    const { code, rows } = await call(fn, row, row.args(world));
    expect(code).toBe(elsewhere[fn] ?? 'ok');
    const max = fn === 'apply_objects' ? MAX_OF_APPLY_OBJECTS : MAX_OF_CREATE_PODS * (REPLACED.includes(fn) ? 2 : 1);
    expect(rows.read, 'rows read').toBeLessThanOrEqual(max * most.read);
    expect(rows.written, 'rows written').toBeLessThanOrEqual(max * most.written);
  });

  it.skipIf(row.more === undefined)('refuses one more while somebody else has the cluster lock', async () => {
    await holder.query('begin');
    try {
      await holder.query(CLUSTER_LOCK);
      const before = await value('select seq from stark_internal.event_heads where topic = $1', ['*']);
      const answers = [];
      for (const [what, args] of row.more?.(world) ?? [])
        answers.push([what, (await call(fn, row, { ...row.args(world), ...args })).code]);
      expect(answers).toEqual(row.more?.(world).map(([what, , code]) => [what, code]));
      expect(await value('select seq from stark_internal.event_heads where topic = $1', ['*'])).toBe(before);
    } finally {
      await holder.query('rollback');
    }
  });
});
