import { createHash, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestDatabase, type TestDatabase } from '../../scripts/db/test-database.mjs';
import { ApiSession, codeOf, connect, untilSomebodyWaits } from './sessions.js';

let database: TestDatabase;
let owner: pg.Client;
let sessions: { close(): Promise<void> }[];

beforeAll(async () => {
  database = await startTestDatabase();
  owner = await connect(database);
});

afterAll(async () => {
  await owner?.end();
  await database?.stop();
});

beforeEach(() => {
  sessions = [];
});

afterEach(async () => {
  await Promise.all(sessions.map((session) => session.close()));
  // Emptied and not deleted from: a deletion would be refused at the last admin.
  await owner.query(
    'delete from stark.pods; delete from stark.nodes; delete from stark.packs; truncate stark.role_bindings',
  );
  await owner.query('delete from auth.users');
});

async function open(user?: string): Promise<ApiSession> {
  const session = await ApiSession.open(database, user);
  sessions.push(session);
  return session;
}

async function addUser(role?: string): Promise<string> {
  const id = randomUUID();
  await owner.query('insert into auth.users (id, email) values ($1, $2)', [id, `${id}@example.com`]);
  if (role) await owner.query('insert into stark.role_bindings (user_id, role) values ($1, $2)', [id, role]);
  return id;
}

async function addPack(name: string, user: string): Promise<void> {
  await owner.query(`insert into stark.packs (name, owner_id, visibility) values ($1, $2, 'public')`, [name, user]);
  await owner.query(
    `insert into stark.pack_versions (pack_id, pack_name, version, runtime, size_bytes, sha256, path, state, ready_at)
     select id, name, '1.0.0', 'node', 1, repeat('a', 64), id || '/x.js', 'ready', now() from stark.packs where name = $1`,
    [name],
  );
}

async function addNode(name: string, user: string, pods = 10): Promise<string> {
  const { rows } = await owner.query<{ id: string }>(
    `insert into stark.nodes (name, owner_id, runtime, status, incarnation, allocatable)
     values ($1, $2, 'node', 'healthy', 1, jsonb_build_object('cpu', 1000, 'memory', 1024, 'storage', 0, 'pods', $3::int)) returning id`,
    [name, user, pods],
  );
  return rows[0]?.id ?? '';
}

const createPods = `select id, name, status from stark.create_pods($1)`;

describe('two sessions at once', () => {
  it('set up one first admin', async () => {
    const users = [await addUser(), await addUser()];
    const callers = await Promise.all(users.map(() => open()));
    const codes = await Promise.all(
      callers.map((caller, index) => codeOf(caller.call('select stark.setup_admin($1)', [users[index]]))),
    );
    expect(codes.sort()).toEqual(['SETUP_DONE', 'ok']);
    const { rows } = await owner.query(`select user_id from stark.role_bindings where role = 'admin'`);
    expect(rows).toHaveLength(1);
  });

  it('leave one admin when each removes the other', async () => {
    const admins = [await addUser('admin'), await addUser('admin')];
    const callers = await Promise.all(admins.map((admin) => open(admin)));
    const codes = await Promise.all(
      callers.map((caller, index) => codeOf(caller.call(`select stark.revoke_role($1, 'admin')`, [admins[1 - index]]))),
    );
    // The second is an admin no longer, or would be the last to go; either way one stays.
    expect(codes).toContain('ok');
    const { rows } = await owner.query(`select from stark.role_bindings where role = 'admin'`);
    expect(rows).toHaveLength(1);
  });

  it('do not share a node’s last slot', async () => {
    const user = await addUser('admin');
    await addPack('alpha', user);
    await addNode('n1', user, 1);
    const [first, second] = [await open(user), await open(user)];
    await first.begin();
    await first.query(createPods, ['[{"pack": "alpha", "name": "first"}]']);
    const late = second.call(createPods, ['[{"pack": "alpha", "name": "second"}]']);
    await untilSomebodyWaits(owner);
    await first.commit();
    await late;
    const { rows } = await owner.query('select name, status, status_message from stark.pods order by name');
    expect(rows).toEqual([
      { name: 'first', status: 'scheduled', status_message: null },
      { name: 'second', status: 'pending', status_message: '0/1 nodes: 1 insufficient pods' },
    ]);
  });

  it('make one node of one name', async () => {
    const users = [await addUser('user'), await addUser('user')];
    const callers = await Promise.all(users.map((user) => open(user)));
    const codes = await Promise.all(
      callers.map((caller) => codeOf(caller.call(`select stark.register_node('n1', 'node')`))),
    );
    expect(codes.sort()).toEqual(['NODE_NAME_TAKEN', 'ok']);
  });

  it('hear one of two agents that connect for one node', async () => {
    const user = await addUser('node');
    const node = await addNode('n1', user);
    const agents = [await open(user), await open(user)];
    const answers = (await Promise.all(
      agents.map((agent) => agent.call('select stark.node_sync($1) as a', [node])),
    )) as { a: { incarnation: number } }[][];
    const incarnations = answers.map(([row]) => row?.a.incarnation ?? 0);
    expect([...incarnations].sort()).toEqual([2, 3]);
    const report = (agent: ApiSession, incarnation: number) =>
      codeOf(agent.call(`select stark.report_pods($1, $2, '[]')`, [node, incarnation]));
    const codes = await Promise.all(agents.map((agent, index) => report(agent, incarnations[index] ?? 0)));
    expect(codes.sort()).toEqual(['STALE_INCARNATION', 'ok']);
  });

  it('do not deadlock when one writes the tables directly', async () => {
    const user = await addUser('admin');
    await addPack('alpha', user);
    await addNode('n1', user);
    const writer = await connect(database);
    sessions.push({ close: () => writer.end() });
    const caller = await open(user);
    await writer.query('begin');
    await writer.query(`update stark.nodes set labels = '{"a": "b"}'`);
    const call = codeOf(caller.call(createPods, ['[{"pack": "alpha", "spec": {"nodeSelector": {"a": "b"}}}]']));
    await untilSomebodyWaits(owner);
    await writer.query(`update stark.packs set description = 'changed'`);
    await writer.query('commit');
    expect(await call).toBe('ok');
    const { rows } = await owner.query('select status from stark.pods');
    expect(rows).toEqual([{ status: 'scheduled' }]);
  });
});

describe('many sessions at once', () => {
  it('never overcommit a node and never deadlock', async () => {
    const user = await addUser('admin');
    await addPack('alpha', user);
    const nodes = [await addNode('n1', user, 4), await addNode('n2', user, 4), await addNode('n3', user, 4)];
    const callers = await Promise.all(Array.from({ length: 6 }, () => open(user)));
    const overcommitted = `select name from stark.nodes where (allocated ->> 'pods')::int > (allocatable ->> 'pods')::int or (allocated ->> 'cpu')::int > (allocatable ->> 'cpu')::int`;
    const work = async (caller: ApiSession, index: number): Promise<string[]> => {
      const codes: string[] = [];
      for (let round = 0; round < 6; round++) {
        const cpu = 50 + ((index * 7 + round * 13) % 5) * 100;
        const pods = JSON.stringify([{ pack: 'alpha', replicas: 2, spec: { resources: { requests: { cpu } } } }]);
        codes.push(await codeOf(caller.call(createPods, [pods])));
        codes.push(await codeOf(caller.call('select stark.node_sync($1)', [nodes[(index + round) % nodes.length]])));
        const some = `select coalesce(array_agg(id), '{}') from (select id from stark.pods where finished_at is null order by id limit 1) p`;
        codes.push(
          await codeOf(caller.call(`select stark.delete_pods(i.ids) from (${some}) as i (ids) where i.ids <> '{}'`)),
        );
        codes.push(...(await caller.call(overcommitted)).map((row) => JSON.stringify(row)));
      }
      return codes;
    };
    const codes = (await Promise.all(callers.map(work))).flat();
    // A pod that another session removed first is not there to delete; nothing else may go wrong.
    expect(codes.filter((code) => code !== 'ok' && code !== 'POD_NOT_FOUND')).toEqual([]);
    const { rows: wrong } = await owner.query(
      `select n.name from stark.nodes n left join lateral (
         select count(*) as pods, coalesce(sum(cpu_request), 0) as cpu from stark.pods p where p.node_id = n.id and stark_internal.occupies(p.status)) s on true
       where (n.allocated ->> 'pods')::int <> s.pods or (n.allocated ->> 'cpu')::int <> s.cpu`,
    );
    expect(wrong).toEqual([]);
    const { rows: miscounted } = await owner.query(
      `select t.namespace from stark_internal.namespace_totals t left join lateral (
         select count(*) as pods, coalesce(sum(cpu_request), 0) as cpu from stark.pods p where p.namespace = t.namespace and p.finished_at is null) s on true
       where (t.pods, t.cpu) <> (s.pods, s.cpu)`,
    );
    expect(miscounted).toEqual([]);
    const { rows: unexplained } = await owner.query(
      `select name from stark.pods where status = 'pending' and status_message is null`,
    );
    expect(unexplained).toEqual([]);
    const { rows: gaps } = await owner.query('select from stark.events having max(seq) - min(seq) + 1 <> count(*)');
    expect(gaps).toEqual([]);
  });

  it('keep a quota', async () => {
    const user = await addUser('admin');
    await addPack('alpha', user);
    await owner.query(`insert into stark.namespaces (name, quota) values ('team', '{"pods": 5}')`);
    const callers = await Promise.all(Array.from({ length: 4 }, () => open(user)));
    const create = (caller: ApiSession) =>
      codeOf(caller.call(createPods, ['[{"pack": "alpha", "namespace": "team"}]']));
    const codes = (
      await Promise.all(
        callers.map(async (caller) => [await create(caller), await create(caller), await create(caller)]),
      )
    ).flat();
    expect(codes.filter((code) => code === 'ok')).toHaveLength(5);
    expect(codes.filter((code) => code === 'QUOTA_EXCEEDED')).toHaveLength(7);
    const { rows } = await owner.query(`select count(*)::int as pods from stark.pods where namespace = 'team'`);
    expect(rows).toEqual([{ pods: 5 }]);
  });
});

describe('a caller that others keep waiting', () => {
  it('is told that the cluster is busy, and that nothing was done', async () => {
    const admin = await open(await addUser('admin'));
    const other = await connect(database);
    try {
      await other.query('begin; select stark_internal.lock_cluster()');
      await admin.begin();
      await admin.query(`set local lock_timeout = '100ms'`);
      const { code, message, detail } = await admin
        .query(`select stark.create_namespace('late')`)
        .then(() => Promise.reject(new Error('it did not wait')))
        .catch((error: { code: string; message: string; detail: string }) => error);
      expect({ code, ...JSON.parse(message), ...JSON.parse(detail) }).toMatchObject({
        code: 'CLUSTER_BUSY',
        status: 503,
      });
      await admin.query('rollback');
      await other.query('commit');
      expect(await codeOf(admin.call(`select stark.create_namespace('late')`))).toBe('ok');
    } finally {
      await other.end();
    }
  });

  it('waits half of the time that a statement has, where its session does not say less', async () => {
    const admin = await open(await addUser('admin'));
    const other = await connect(database);
    try {
      await other.query('begin; select stark_internal.lock_cluster()');
      const began = performance.now();
      expect(await codeOf(admin.call(`select stark.create_namespace('later')`))).toBe('CLUSTER_BUSY');
      expect(performance.now() - began).toBeGreaterThan(3_500);
      await other.query('commit');
    } finally {
      await other.end();
    }
  });
});

describe('Supabase Auth', () => {
  it('removes a user who has made pods, as its own role', async () => {
    const [keeper, leaver] = [await addUser('admin'), await addUser('user')];
    await addPack('alpha', keeper);
    await addNode('n1', keeper);
    await (await open(leaver)).call(createPods, ['[{"pack": "alpha", "name": "left"}]']);
    const auth = await connect(database, 'supabase_auth_admin');
    sessions.push({ close: () => auth.end() });
    await auth.query('delete from auth.users where id = $1', [leaver]);
    const { rows } = await owner.query('select name, status, created_by from stark.pods');
    expect(rows).toEqual([{ name: 'left', status: 'scheduled', created_by: null }]);
    const { rows: bindings } = await owner.query('select from stark.role_bindings where user_id = $1', [leaver]);
    expect(bindings).toEqual([]);
  });

  describe('waits for the cluster lock before it takes a row', () => {
    const agentOf = async (name: string): Promise<{ admin: string; agent: string }> => {
      const [admin, agent] = [await addUser('admin'), await addUser('node')];
      await addNode(name, admin);
      await owner.query('update stark.nodes set agent_id = $1 where name = $2', [agent, name]);
      return { admin, agent };
    };
    const asAuth = async (statement: string, values: unknown[]): Promise<string> => {
      const auth = await connect(database, 'supabase_auth_admin');
      sessions.push({ close: () => auth.end() });
      return codeOf(auth.query(statement, values));
    };

    it('when it removes a user whom somebody disables', async () => {
      const { admin, agent } = await agentOf('n1');
      const caller = await open(admin);
      await caller.begin();
      await caller.query(`select stark.cordon_node('n1')`);
      const removal = asAuth('delete from auth.users where id = $1', [agent]);
      await untilSomebodyWaits(owner);
      await caller.query('select stark.disable_user($1)', [agent]);
      await caller.commit();
      expect(await removal).toBe('ok');
    });

    it('when it renames an agent whose node somebody deletes', async () => {
      const { admin, agent } = await agentOf('n1');
      const caller = await open(admin);
      await caller.begin();
      await caller.query(`select stark.cordon_node('n1')`);
      const renaming = asAuth(`update auth.users set email = 'x@example.com' where id = $1`, [agent]);
      await untilSomebodyWaits(owner);
      await caller.query(`select stark.delete_node('n1')`);
      await caller.commit();
      expect(await renaming).toBe('ok');
    });
  });
});

describe('a join token', () => {
  it('that was taken back lets nobody in who had shown it before', async () => {
    const [user, account] = [await addUser('user'), await addUser()];
    const maker = await open(user);
    const [made] = (await maker.call('select t ->> $1 as id, t ->> $2 as token from stark.create_join_token() t', [
      'id',
      'token',
    ])) as { id: string; token: string }[];
    // A machine that joins waits for this row after the token was read and before it is used up.
    await owner.query('begin');
    await owner.query('select from stark.profiles where id = $1 for update', [account]);
    const sha256 = createHash('sha256')
      .update(made?.token ?? '')
      .digest('hex');
    const watcher = await connect(database);
    sessions.push({ close: () => watcher.end() });
    const joining = (await open()).call(`select stark.join_node($1, $2, 'n1', 'node')`, [sha256, account]);
    await untilSomebodyWaits(watcher);
    const revoking = maker.call('select uses from stark.revoke_join_token($1)', [made?.id]);
    await untilSomebodyWaits(watcher, 2);
    await owner.query('commit');
    await joining;
    expect(await revoking).toEqual([{ uses: 1 }]);
  });
});

describe('an agent', () => {
  it('hands over its lines while one of its pods is deleted, whose lines are dropped', async () => {
    const user = await addUser('admin');
    await addPack('alpha', user);
    const node = await addNode('n1', user);
    const [deleter, agent] = [await open(user), await open(user)];
    const pods = (await deleter.call(createPods, [
      '[{"pack": "alpha", "name": "a"}, {"pack": "alpha", "name": "b"}]',
    ])) as { id: string }[];
    await owner.query(`update stark.pods set status = 'evicted', finished_at = now() where name = 'a'`);
    await deleter.begin();
    await deleter.query('select stark.delete_pods($1)', [[pods[0]?.id]]);
    const time = new Date().toISOString();
    const lines = pods.map(({ id }) => ({ pod_id: id, seq: 1, time, stream: 'stdout', message: 'x' }));
    const append = agent.call('select stark.append_pod_logs($1, 1, $2) as lines', [node, JSON.stringify(lines)]);
    await untilSomebodyWaits(owner);
    await deleter.commit();
    expect(await append).toEqual([{ lines: 1 }]);
  });
});
