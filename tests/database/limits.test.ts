import { readFile } from 'node:fs/promises';
import {
  CALL_LIMITS,
  dnsLabelProblem,
  dnsNameProblem,
  labelKeyProblem,
  labelValueProblem,
  packNameProblem,
  versionProblem,
} from '@stark-o/core/model';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestDatabase, type TestDatabase } from '../../scripts/db/test-database.mjs';
import { ApiSession, codeOf, connect } from './sessions.js';

const USER = '00000000-0000-4000-8000-000000000001';
const root = new URL('../../', import.meta.url);

let database: TestDatabase;
let owner: pg.Client;
let admin: ApiSession;
let secret: ApiSession;

beforeAll(async () => {
  database = await startTestDatabase();
  owner = await connect(database);
  await owner.query('insert into auth.users (id, email) values ($1, $2)', [USER, 'ada@example.com']);
  await owner.query(`insert into stark.role_bindings (user_id, role) values ($1, 'admin')`, [USER]);
  await owner.query(`insert into stark.packs (name, owner_id, visibility) values ('alpha', $1, 'public')`, [USER]);
  await owner.query(
    `insert into stark.pack_versions (pack_id, pack_name, version, runtime, size_bytes, sha256, path, state, ready_at)
     select id, name, '1.0.0', 'node', 1, repeat('a', 64), id || '/x.js', 'ready', now() from stark.packs`,
  );
  admin = await ApiSession.open(database, USER);
  secret = await ApiSession.open(database);
});

afterEach(async () => {
  // Not deleted, which would write an event for each.
  await owner.query('truncate stark.pods, stark.events cascade; delete from stark.nodes where true');
  await owner.query('delete from stark.namespaces where not reserved');
  await owner.query('update stark_internal.pass_state set is_due = false, groups_left = 0');
});

afterAll(async () => {
  await Promise.all([admin?.close(), secret?.close(), owner?.end()]);
  await database?.stop();
});

async function value<T>(text: string, values: unknown[] = []): Promise<T> {
  const { rows } = await owner.query<Record<string, T>>(text, values);
  return Object.values(rows[0] ?? {})[0] as T;
}

async function addNode(name: string, pods = CALL_LIMITS.podsOfANode): Promise<string> {
  const id = await value<string>(
    `insert into stark.nodes (name, owner_id, runtime, status, incarnation, labels, allocatable)
     values ($1, $2, 'node', 'healthy', 1, jsonb_build_object('host', $1::text), jsonb_build_object('cpu', 1000000, 'memory', 1000000, 'storage', 0, 'pods', $3::int))
     returning id`,
    [name, USER, pods],
  );
  await owner.query('insert into stark.node_leases (node_id, incarnation) values ($1, 1)', [id]);
  return id;
}

/** Pending pods, as a direct insert leaves them: no pass has seen them yet. */
async function addPods(count: number, { namespace = 'default', spec = "'{}'", prefix = 'pod' } = {}): Promise<void> {
  await owner.query(
    `insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, spec, created_by, created_at)
     select $2 || '-' || i, $3, v.pack_id, v.pack_name, v.id, v.version, ${spec}::jsonb, $4, now() + i * interval '1 microsecond'
     from stark.pack_versions v, generate_series(1, $1) i`,
    [count, prefix, namespace, USER],
  );
}

async function addRunning(count: number, node: string, namespace = 'default'): Promise<string[]> {
  await addPods(count, { prefix: node, namespace, spec: `'{"nodeName": "${node}"}'` });
  await owner.query(
    `update stark.pods p set status = 'scheduled', node_id = n.id, node_name = n.name, incarnation = 1, scheduled_at = now()
     from stark.nodes n where n.name = $1 and p.name like $1 || '-%'`,
    [node],
  );
  return value('select array_agg(id order by name) from stark.pods where node_name = $1', [node]);
}

const countOf = (where: string) => value<number>(`select count(*)::int from stark.pods where ${where}`);
const continueWork = () => value<boolean>('select stark_internal.continue_work()');
const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

async function sqlLimits(): Promise<Record<string, number>> {
  const source = await value<string>(
    `select prosrc from pg_proc where oid = 'stark_internal.call_limit(text)'::regprocedure`,
  );
  return Object.fromEntries(
    [...source.matchAll(/when '(\w+)' then (\d+)/g)].map(([, name, most]) => [name, Number(most)]),
  );
}

describe('the limits', () => {
  it('are the same in the database, in core, in the watcher and in docs/limits.md', async () => {
    const inSql = await sqlLimits();
    expect(Object.keys(inSql).length).toBeGreaterThan(10);
    const docs = await readFile(new URL('docs/limits.md', root), 'utf8');
    const inDocs = Object.fromEntries(
      [...docs.matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm)].map(([, name, most]) => [
        name,
        Number(most?.replaceAll(',', '')),
      ]),
    );
    expect(inDocs).toEqual(inSql);
    const inCore = Object.entries(CALL_LIMITS).map(([name, most]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      most,
    ]);
    expect(inSql).toMatchObject(Object.fromEntries(inCore));
    const watcher = await readFile(new URL('supabase/functions/watch/watcher.ts', root), 'utf8');
    expect(Number(/OBSERVATIONS_PER_CALL = ([\d_]+)/.exec(watcher)?.[1]?.replaceAll('_', ''))).toBe(inSql.observations);
  });
});

describe('what a name may look like', () => {
  const of = (length: number) => 'a'.repeat(length);
  const domain = (length: number) => `${`${of(49)}.`.repeat(10).slice(0, length - 1)}a`;
  const names = [
    [
      '',
      'a',
      'A',
      '0',
      '-',
      '-a',
      'a-',
      'a-b',
      'a--b',
      'a_b',
      'a.b',
      'a..b',
      '.a',
      'a.',
      'a b',
      'a\n',
      'ä',
      '😀',
      '@a/b',
      'a/b',
    ],
    [
      '@/b',
      '@a/',
      'a/',
      '/a',
      'a/b/c',
      'A/b',
      'a.b/c',
      'a..b/c',
      '-a/b',
      'a-/b',
      'a.-b/c',
      'a/B_c.d',
      '~a',
      '_a',
      '.hidden',
    ],
    [62, 63, 64, 65].flatMap((length) => [of(length), `${of(length - 1)}-`, `a/${of(length)}`]),
    [126, 127, 128, 129, 213, 214, 215, 252, 253, 254, 255].flatMap((length) => [
      of(length),
      domain(length),
      `${domain(length)}/a`,
    ]),
    ['1.0.0', '01.0.0', '1.0', '1.0.0-', '1.0.0-a.1', '1.0.0-01', '1.0.0+b', 'v1.0.0', '1.0.0-a+b.c', '1.0.0+b_c'],
    [126, 127, 128, 129].map((length) => `1.0.0-${of(length - 6)}`),
  ].flat();

  it.each([
    ['is_dns_label', dnsLabelProblem],
    ['is_dns_name', dnsNameProblem],
    ['is_pack_name', packNameProblem],
    ['is_semver', versionProblem],
    ['is_label_key', labelKeyProblem],
    ['is_label_value', labelValueProblem],
  ])('is the same in the database (%s) and in core', async (fn, problem) => {
    const inSql = await value<boolean[]>(
      `select array_agg(stark_internal.${fn}(n) order by ord) from unnest($1::text[]) with ordinality u (n, ord)`,
      [names],
    );
    const taken = (answers: readonly boolean[]) => names.filter((_, at) => answers[at]);
    expect(taken(names.map((name) => problem(name) === undefined))).toEqual(taken(inSql));
  });
});

describe('a call at its largest is taken, and one more is refused', () => {
  const create = (pods: unknown[]) =>
    codeOf(admin.call('select count(*) from stark.create_pods($1)', [JSON.stringify(pods)]));

  it('create_pods: pods, entries, bytes', async () => {
    const { pods, podEntries, podBytes } = CALL_LIMITS;
    expect(await create([{ pack: 'alpha', replicas: pods }])).toBe('ok');
    expect(await create([{ pack: 'alpha', replicas: pods + 1 }])).toBe('LIMIT_EXCEEDED');
    expect(await create([{ pack: 'alpha', replicas: pods }, { pack: 'alpha' }])).toBe('LIMIT_EXCEEDED');
    expect(await create(many(podEntries, () => ({ pack: 'alpha' })))).toBe('ok');
    expect(await create(many(podEntries + 1, () => ({ pack: 'alpha' })))).toBe('LIMIT_EXCEEDED');
    const entry = (text: string) => ({ pack: 'alpha', replicas: 16, spec: { config: { text } } });
    const bare = await value<number>('select octet_length($1::jsonb::text)', [JSON.stringify(entry(''))]);
    expect(await create([entry('x'.repeat(podBytes / 16 - bare))])).toBe('ok');
    expect(await create([entry('x'.repeat(podBytes / 16 - bare + 1))])).toBe('LIMIT_EXCEEDED');
  });

  it('create_pods: terms about other pods', async () => {
    const { pod_terms: most = 0 } = await sqlLimits();
    const terms = (count: number) =>
      many(count, (i) => ({
        pack: 'alpha',
        spec: {
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                { topologyKey: 'host', labelSelector: { matchLabels: { app: `a${i}` } } },
              ],
            },
          },
        },
      }));
    expect(await create(terms(most))).toBe('ok');
    expect(await create(terms(most + 1))).toBe('LIMIT_EXCEEDED');
  });

  it('update_pods, stop_pods and delete_pods', async () => {
    await addPods(CALL_LIMITS.pods + 1);
    const ids = await value<string[]>('select array_agg(id) from stark.pods');
    for (const fn of ['update_pods', 'stop_pods', 'delete_pods']) {
      const call = (some: string[]) => codeOf(admin.call(`select count(*) from stark.${fn}($1)`, [some]));
      expect(await call(ids)).toBe('LIMIT_EXCEEDED');
      expect(await call(ids.slice(1))).toBe('ok');
    }
    expect(await countOf('true')).toBe(1);
  });

  it('report_pods: reports, and those on one pod', async () => {
    const node = await addNode('n1');
    const ids = await addRunning(5, 'n1');
    const report = (count: number, of: number) =>
      codeOf(
        admin.call('select stark.report_pods($1, 1, $2)', [
          node,
          JSON.stringify(
            many(count, (i) => ({ pod_id: ids[i % of], status: i % 2 ? 'running' : 'starting', restarts: i })),
          ),
        ]),
      );
    const { reports, reportsOfOnePod } = CALL_LIMITS;
    expect(reports).toBe(5 * reportsOfOnePod);
    expect(await report(reports, 5)).toBe('ok');
    expect(await report(reports + 1, 5)).toBe('LIMIT_EXCEEDED');
    expect(await report(reportsOfOnePod, 1)).toBe('ok');
    expect(await report(reportsOfOnePod + 1, 1)).toBe('LIMIT_EXCEEDED');
  });

  it('append_pod_logs: lines, and bytes of them', async () => {
    const node = await addNode('n1');
    const [id] = await addRunning(1, 'n1');
    const append = (lines: object[]) =>
      codeOf(admin.call('select stark.append_pod_logs($1, 1, $2)', [node, JSON.stringify(lines)]));
    const line = (seq: number, message = 'x') => ({
      pod_id: id,
      seq,
      time: '2026-01-01T00:00:00Z',
      stream: 'stdout',
      message,
    });
    const { logLines, logBytes } = CALL_LIMITS;
    expect(await append(many(logLines, (i) => line(i)))).toBe('ok');
    expect(await value('select count(*)::int from stark.pod_logs')).toBe(logLines);
    expect(await append(many(logLines + 1, (i) => line(i)))).toBe('LIMIT_EXCEEDED');
    const long = (bytes: number) => many(256, (i) => line(i, 'x'.repeat(bytes)));
    const bare = await value<number>('select octet_length($1::jsonb::text)', [JSON.stringify(long(0))]);
    expect(await append(long(Math.floor((logBytes - bare) / 256)))).toBe('ok');
    expect(await append(long(Math.floor((logBytes - bare) / 256) + 1))).toBe('LIMIT_EXCEEDED');
  });

  it('watch_nodes', async () => {
    const { observations: most = 0 } = await sqlLimits();
    const watch = (count: number) =>
      codeOf(
        secret.call(`select stark.watch_nodes($1, now() - interval '5 seconds', now())`, [
          JSON.stringify(many(count, () => ({ node_id: USER, incarnation: 1, secret: 'x', sign: 'heartbeat' }))),
        ]),
      );
    expect(await watch(most)).toBe('ok');
    expect(await watch(most + 1)).toBe('LIMIT_EXCEEDED');
  });

  it('a node, whose pods are handed over, drained and evicted in one call', async () => {
    const offer = (pods: number) =>
      codeOf(admin.call(`select stark.register_node('n1', 'node', p_allocatable => $1)`, [JSON.stringify({ pods })]));
    expect(await offer(CALL_LIMITS.podsOfANode)).toBe('ok');
    expect(await offer(CALL_LIMITS.podsOfANode + 1)).toBe('INVALID_ARGUMENT');
    const config = (pods: number) =>
      codeOf(admin.call('select stark.update_cluster_config($1)', [JSON.stringify({ max_pods_per_node: pods })]));
    expect(await config(CALL_LIMITS.podsOfANode + 1)).toBe('INVALID_ARGUMENT');
  });

  it('delete_pack', async () => {
    const { ended_pods_removed_at_once: most = 0 } = await sqlLimits();
    await addPods(most + 1);
    await owner.query(`update stark.pods set status = 'stopped', finished_at = now()`);
    const remove = () => codeOf(admin.call(`select stark.delete_pack('alpha')`));
    expect(await remove()).toBe('LIMIT_EXCEEDED');
    await owner.query(`delete from stark.pods where name = 'pod-1'`);
    // The other tests need the pack.
    await admin.begin();
    await admin.query(`select stark.delete_pack('alpha')`);
    await admin.query('rollback');
  });
});

describe('work that is more than a step', () => {
  const { pods } = CALL_LIMITS;

  it('is placed by several passes, each of which places so many, and then is over', async () => {
    await addPods(2 * pods + 50);
    await addNode('n1');
    expect(await countOf(`status = 'scheduled'`)).toBe(pods);
    expect(await continueWork()).toBe(true);
    expect(await countOf(`status = 'scheduled'`)).toBe(2 * pods);
    expect(await continueWork()).toBe(true);
    expect(await countOf(`status = 'scheduled'`)).toBe(2 * pods + 50);
    expect(await continueWork()).toBe(false);
  });

  it('gives every group that fitted nowhere a turn when something changed', async () => {
    const { groups_of_a_pass: groups = 0 } = await sqlLimits();
    await addNode('n1');
    await addPods(4 * groups, { spec: `jsonb_build_object('nodeSelector', jsonb_build_object('disk', 'd' || i))` });
    await owner.query('select stark_internal.schedule_pods()');
    while (await continueWork());
    expect(await countOf(`status_reason = 'Unschedulable'`)).toBe(4 * groups);
    for (const disk of [1, 2 * groups, 4 * groups]) {
      await admin.call(`select stark.update_node('n1', $1)`, [JSON.stringify({ disk: `d${disk}` })]);
      let steps = 0;
      while (await continueWork()) steps += 1;
      expect(steps).toBeLessThanOrEqual(5);
      expect(await countOf(`status = 'scheduled' and name = 'pod-${disk}'`)).toBe(1);
    }
  });

  it('looks at the oldest of those that want the same, and at all who want something else', async () => {
    await addNode('n1');
    await addPods(pods + 20, { prefix: 'big', spec: `'{"resources": {"requests": {"cpu": 2000000}}}'` });
    await addPods(1, { prefix: 'small' });
    await owner.query('select stark_internal.schedule_pods()');
    expect(await countOf(`status = 'scheduled' and name = 'small-1'`)).toBe(1);
    while (await continueWork());
    expect(await countOf(`status_reason = 'Unschedulable'`)).toBe(pods + 20);
  });

  it('empties a namespace, and removes it with the last pod', async () => {
    await owner.query(`insert into stark.namespaces (name) values ('team')`);
    await addNode('n1');
    await addRunning(pods + 100, 'n1', 'team');
    await admin.call(`select stark.delete_namespace('team')`);
    expect(await countOf(`status = 'stopping'`)).toBe(pods);
    expect(await continueWork()).toBe(true);
    expect(await countOf(`status = 'stopping' and deletion_requested_at is not null`)).toBe(pods + 100);
    expect(await continueWork()).toBe(false);
    await owner.query(`update stark.pods set status = 'stopped', finished_at = now()`);
    while (await continueWork());
    expect(await value(`select count(*)::int from stark.namespaces where name = 'team'`)).toBe(0);
  });

  it('evicts from a tainted node', async () => {
    await addNode('n1');
    await addRunning(pods + 100, 'n1');
    await admin.call(`select stark.update_node('n1', p_taints => '[{"key": "broken", "effect": "NoExecute"}]')`);
    expect(await countOf(`status = 'stopping'`)).toBe(pods);
    expect(await continueWork()).toBe(true);
    expect(await countOf(`status = 'stopping'`)).toBe(pods + 100);
    expect(await continueWork()).toBe(false);
  });

  it('gives up nodes, and all of it with one run of the job', async () => {
    const { nodes_given_up_at_once: nodes = 0 } = await sqlLimits();
    await owner.query(
      `insert into stark.nodes (name, owner_id, runtime, status, incarnation, allocatable)
       select 'n' || i, $1, 'node', 'healthy', 1, '{"cpu": 1000, "memory": 1024, "storage": 0, "pods": 10}' from generate_series(1, $2) i`,
      [USER, 2 * nodes + 10],
    );
    await owner.query(
      `insert into stark.node_leases (node_id, incarnation, renewed_at) select id, 1, now() - interval '5 minutes' from stark.nodes`,
    );
    await owner.query(
      `update stark_internal.node_watch set watched = tstzmultirange(tstzrange(now() - interval '10 minutes', now() + interval '1 minute'))`,
    );
    const offline = () => value<number>(`select count(*)::int from stark.nodes where status = 'offline'`);
    try {
      expect(await value('select stark_internal.reap_nodes()')).toBe(nodes);
      expect(await offline()).toBe(nodes);
      await owner.query(await value<string>(`select command from cron.job where jobname = 'stark-reap-nodes'`));
      expect(await offline()).toBe(2 * nodes + 10);
    } finally {
      await owner.query(`update stark_internal.node_watch set watched = '{}'`);
    }
  });

  it('removes ended pods, and those of long ago', async () => {
    const { ended_pods_removed_at_once: most = 0 } = await sqlLimits();
    await addPods(most + 10);
    await owner.query(`update stark.pods set status = 'stopped', finished_at = now() - interval '60 days'`);
    expect(await value('select stark_internal.remove_old_pods()')).toBe(most);
    await owner.query('update stark.pods set deletion_requested_at = now()');
    expect(await continueWork()).toBe(true);
    expect(await countOf('true')).toBe(0);
    expect(await continueWork()).toBe(false);
  });
});
