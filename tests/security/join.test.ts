import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../harness/wait.js';
import { type Answer, Cluster, type Person } from './cluster.js';

interface Joined {
  node_id: string;
  user_id: string;
  access_token: string;
  refresh_token: string;
}

let cluster: Cluster;
let owner: Person;
let neighbour: Person;
let agent: Person;
let joined: Joined;
let other: { id: string; incarnation: number };
let pod: { id: string };
let secretPath: string;

beforeAll(async () => {
  cluster = await Cluster.start();
  owner = await cluster.person('owner', ['user']);
  neighbour = await cluster.person('neighbour', ['user']);
  other = await cluster.node(neighbour, 'other');
  secretPath = (await cluster.pack(neighbour, 'secret')).path;
  pod = await cluster.pod(neighbour, { pack: 'secret', spec: { nodeName: 'other' } });
  const token = await makeToken({ p_labels: { zone: 'b' } });
  joined = await cluster.must(join(token, 'mine'));
  agent = await asPerson(joined);
});
afterAll(() => cluster?.stop());

async function makeToken(args: object = {}, as = owner): Promise<string> {
  return (await cluster.must(cluster.rpc('create_join_token', args, { as }))).token;
}

function join(token: string | null, name: string, more: object = {}): Promise<Answer> {
  return cluster.request('/functions/v1/api/nodes/join', {
    method: 'POST',
    body: { token, name, runtime: 'node', ...more },
  });
}

/** The account of this session. */
async function asPerson({ user_id, access_token, refresh_token }: Joined): Promise<Person> {
  const client = cluster.anonymous();
  const { error } = await client.auth.setSession({ access_token, refresh_token });
  if (error) throw error;
  await client.realtime.setAuth(access_token);
  return { id: user_id, token: access_token, client };
}

async function count(query: string): Promise<number> {
  return (await cluster.database.query(`select count(*)::int as n from ${query}`)).rows[0].n;
}

const accounts = () => count(`auth.users where email like 'node-%'`);
const codeOf = ({ json }: Answer) => json?.error?.code ?? json?.code ?? 'ok';

describe('a join token', () => {
  it('lets one machine join, though two ask at once, and leaves no account of the other', async () => {
    const before = await accounts();
    const token = await makeToken();
    const answers = await Promise.all([join(token, 'left'), join(token, 'right')]);
    expect(answers.map(codeOf).sort()).toEqual(['JOIN_TOKEN_USED_UP', 'ok']);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 403]);
    expect(await accounts()).toBe(before + 1);
    expect(codeOf(await join(token, 'replayed'))).toBe('JOIN_TOKEN_USED_UP');
  });

  it('lets as many join as it says, though more ask at once', async () => {
    const token = await makeToken({ p_uses: 2 });
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => join(token, `crowd-${name}`)));
    expect(answers.map(codeOf).sort()).toEqual(['JOIN_TOKEN_USED_UP', 'JOIN_TOKEN_USED_UP', 'ok', 'ok']);
    expect(await count(`stark.nodes where name like 'crowd-%'`)).toBe(2);
  });

  it('gives one name to one machine, and is not used up by the other', async () => {
    const token = await makeToken({ p_uses: 3 });
    const answers = await Promise.all([join(token, 'same'), join(token, 'same')]);
    expect(answers.map(codeOf).sort()).toEqual(['NODE_NAME_TAKEN', 'ok']);
    expect(await count(`stark.join_tokens where max_uses = 3 and uses = 1`)).toBe(1);
    expect(codeOf(await join(token, 'other'))).toBe('NODE_NAME_TAKEN');
  });

  it('that is guessed, expired, revoked or malformed lets nobody in, and costs no account', async () => {
    const before = await accounts();
    const expired = await makeToken({ p_ttl_seconds: 60 });
    await cluster.database.query(`update stark.join_tokens set expires_at = now() where id = $1`, [
      expired.split('_')[2],
    ]);
    const revoked = await makeToken();
    await cluster.must(cluster.rpc('revoke_join_token', { p_id: revoked.split('_')[2] }, { as: owner }));
    const good = await makeToken();
    expect(codeOf(await join(expired, 'x'))).toBe('JOIN_TOKEN_EXPIRED');
    expect(codeOf(await join(revoked, 'x'))).toBe('JOIN_TOKEN_REVOKED');
    for (const guess of [
      '',
      'x',
      good.slice(0, -1),
      `${good} `,
      good.toUpperCase(),
      good.replace(/_[0-9a-f]{64}$/, ''),
      'a'.repeat(10_000),
    ]) {
      expect(codeOf(await join(guess, 'x')), guess.slice(0, 80)).toBe('JOIN_TOKEN_INVALID');
    }
    expect(codeOf(await join(null, 'x'))).toBe('NODE_REGISTRATION_CLOSED');
    for (const bad of [{ token: 5 }, { token: {} }, { name: undefined }, { name: ['x'] }, { runtime: null }]) {
      expect(codeOf(await join(good, 'x', bad)), JSON.stringify(bad)).toBe('INVALID_INPUT');
    }
    expect(codeOf(await join(good, '../x'))).toBe('INVALID_NAME');
    expect(codeOf(await join(good, 'x', { runtime: 'toaster' }))).toBe('INVALID_RUNTIME');
    expect(await accounts()).toBe(before);
    expect(await count(`stark.nodes where name = 'x'`)).toBe(0);
  });

  it('is worth nothing but to the Edge Function', async () => {
    const token = await makeToken();
    const sha = (await cluster.database.query(`select encode(sha256(convert_to($1, 'UTF8')), 'hex') as sha`, [token]))
      .rows[0].sha;
    const args = { p_secret_sha256: sha, p_name: 'x', p_runtime: 'node' };
    for (const as of [undefined, owner, agent, cluster.admin]) {
      for (const call of [
        cluster.rpc('admit_node', args, as ? { as } : {}),
        cluster.rpc('join_node', { ...args, p_user_id: agent.id }, as ? { as } : {}),
      ]) {
        expect([401, 403]).toContain((await call).status);
      }
    }
    // Nor is it shown to others, nor what is kept of it to anybody.
    expect((await cluster.rest('join_tokens?select=*', { as: neighbour })).json).toEqual([]);
    expect((await cluster.rest('join_tokens?select=*', { as: owner })).text).not.toContain(sha);
    expect((await cluster.rest('join_token_secrets', { as: owner })).status).toBe(404);
    expect(codeOf(await cluster.rpc('revoke_join_token', { p_id: token.split('_')[2] }, { as: neighbour }))).toBe(
      'JOIN_TOKEN_NOT_FOUND',
    );
  });

  it('ends with what its maker may do', async () => {
    const fired = await cluster.person('fired', ['user']);
    const token = await makeToken({ p_uses: 5 }, fired);
    const { node_id, ...session }: Joined = await cluster.must(join(token, 'of-fired'));
    const theirs = await asPerson({ node_id, ...session });
    const { incarnation } = await cluster.must(cluster.rpc('node_sync', { p_node_id: node_id }, { as: theirs }));
    await cluster.must(cluster.rpc('revoke_role', { p_user_id: fired.id, p_role: 'user' }, { as: cluster.admin }));
    expect(codeOf(await join(token, 'later'))).toBe('JOIN_TOKEN_REVOKED');
    const sync = await cluster.rpc('node_sync', { p_node_id: node_id, p_incarnation: incarnation }, { as: theirs });
    expect(codeOf(sync)).toBe('FORBIDDEN');
  });
});

describe('an account that joined', () => {
  it('speaks for its node', async () => {
    await cluster.must(
      cluster.rpc(
        'register_node',
        { p_name: 'mine', p_runtime: 'node', p_labels: { zone: 'a', tier: 'web' } },
        { as: agent },
      ),
    );
    const sync = await cluster.must(cluster.rpc('node_sync', { p_node_id: joined.node_id }, { as: agent }));
    expect(sync.topic).toBe(`stark:node:${joined.node_id}`);
    const [node] = (await cluster.rest('nodes?select=name,owner_id,labels', { as: agent })).json;
    expect(node).toEqual({ name: 'mine', owner_id: owner.id, labels: { zone: 'b', tier: 'web' } });
  });

  it('calls nothing else', async () => {
    const calls: [fn: string, args: object][] = [
      ['register_node', { p_name: 'second', p_runtime: 'node' }],
      ['register_node', { p_name: 'other', p_runtime: 'node' }],
      ['register_node', { p_name: 'mine', p_runtime: 'node', p_labels: { 'node-restriction.kubernetes.io/x': '1' } }],
      ['node_sync', { p_node_id: other.id }],
      ['node_sync', { p_node_id: other.id, p_incarnation: other.incarnation }],
      ['report_pods', { p_node_id: other.id, p_incarnation: other.incarnation, p_reports: [] }],
      ['append_pod_logs', { p_node_id: other.id, p_incarnation: other.incarnation, p_lines: [] }],
      ['disconnect_node', { p_node_id: other.id, p_incarnation: other.incarnation }],
      ['create_join_token', {}],
      ['revoke_join_token', { p_id: 'x' }],
      ['update_node', { p_name: 'mine', p_labels: { zone: null } }],
      ['uncordon_node', { p_name: 'mine' }],
      ['drain_node', { p_name: 'mine' }],
      ['delete_node', { p_name: 'mine' }],
      ['delete_node', { p_name: 'other', p_force: true }],
      ['create_pods', { p_pods: [{ pack: 'secret' }] }],
      [
        'register_pack_version',
        { p_name: 'x', p_version: '1.0.0', p_runtime: 'node', p_size_bytes: 1, p_sha256: 'a'.repeat(64) },
      ],
      ['grant_role', { p_user_id: agent.id, p_role: 'admin' }],
      ['update_cluster_config', { p_changes: { allow_node_registration: true } }],
      ['create_namespace', { p_name: 'x' }],
      ['list_users', {}],
      ['disable_user', { p_user_id: owner.id }],
    ];
    for (const [fn, args] of calls) {
      const { status } = await cluster.rpc(fn, args, { as: agent });
      expect([400, 403, 404], `${fn} ${JSON.stringify(args)}: ${status}`).toContain(status);
    }
    expect((await cluster.rpc('stop_pods', { p_ids: [pod.id] }, { as: agent })).status).not.toBe(200);
    expect(
      await count(
        `stark.nodes n where n.name = 'other' and n.incarnation = ${other.incarnation} and not n.unschedulable`,
      ),
    ).toBe(1);
  });

  it('reads no row of others, and no bundle', async () => {
    for (const [table, rows] of [
      ['nodes', 1],
      ['pods', 0],
      ['packs', 0],
      ['pack_versions', 0],
      ['pod_logs', 0],
      ['events', 0],
      ['join_tokens', 0],
      ['profiles', 1],
      ['role_bindings', 1],
    ] as const) {
      const { json } = await cluster.rest(`${table}?select=*`, { as: agent });
      expect(json, table).toHaveLength(rows);
    }
    expect(
      (await cluster.request(`/storage/v1/object/packs/${secretPath}`, { as: agent })).status,
    ).toBeGreaterThanOrEqual(400);
  });

  it('joins its node’s topic and no other', async () => {
    const listen = async (topic: string) => {
      const channel = agent.client.channel(topic, { config: { private: true } });
      const state = await new Promise<string>((resolve) => {
        channel.subscribe((status) => resolve(status));
      });
      await agent.client.removeChannel(channel);
      return state;
    };
    expect(await listen(`stark:node:${joined.node_id}`)).toBe('SUBSCRIBED');
    for (const topic of [`stark:node:${other.id}`, 'stark:namespace:default', 'stark:cluster', `stark:pod:${pod.id}`]) {
      expect(await listen(topic), topic).toBe('CHANNEL_ERROR');
    }
  });

  it('is nobody once its node is deleted: not by its token, not by its refresh token, not by joining again', async () => {
    const removed = waitFor('the command', () => heard.includes('node.removed'));
    const heard: string[] = [];
    const channel = agent.client.channel(`stark:node:${joined.node_id}`, {
      config: { private: true, broadcast: { replication_ready: true } as object },
    });
    const ready = new Promise((resolve) => {
      channel.on(
        'system',
        {},
        ({ message }: { message?: string }) => message?.startsWith('Replication') && resolve(true),
      );
    });
    channel.on('broadcast', { event: '*' }, ({ event }) => void heard.push(event)).subscribe();
    await ready;
    await cluster.must(cluster.rpc('delete_node', { p_name: 'mine' }, { as: owner }));
    await removed;
    expect(codeOf(await cluster.rpc('node_sync', { p_node_id: joined.node_id }, { as: agent }))).toBe('NODE_NOT_FOUND');
    expect(codeOf(await cluster.rpc('register_node', { p_name: 'mine', p_runtime: 'node' }, { as: agent }))).toBe(
      'FORBIDDEN',
    );
    expect((await cluster.rest('nodes?select=*', { as: agent })).json).toEqual([]);
    const { data } = await agent.client.auth.getSession();
    const renewed = await cluster.request('/auth/v1/token?grant_type=refresh_token', {
      method: 'POST',
      body: { refresh_token: data.session?.refresh_token },
    });
    expect(renewed.status).toBe(400);
    expect(await count(`auth.users where id = '${joined.user_id}'`)).toBe(0);
  });
});

describe('where strangers may join', () => {
  it('they own what they make, which is one node, and get nobody’s private pack', async () => {
    await cluster.must(
      cluster.rpc('update_cluster_config', { p_changes: { allow_node_registration: true } }, { as: cluster.admin }),
    );
    const stranger: Joined = await cluster.must(join(null, 'stranger'));
    const they = await asPerson(stranger);
    await cluster.must(
      cluster.rpc(
        'register_node',
        { p_name: 'stranger', p_runtime: 'node', p_labels: { of: 'stranger' } },
        { as: they },
      ),
    );
    await cluster.must(cluster.rpc('node_sync', { p_node_id: stranger.node_id }, { as: they }));
    expect(codeOf(await cluster.rpc('register_node', { p_name: 'stranger-2', p_runtime: 'node' }, { as: they }))).toBe(
      'FORBIDDEN',
    );
    expect(codeOf(await cluster.rpc('create_join_token', {}, { as: they }))).toBe('FORBIDDEN');
    const placed = await cluster.pod(neighbour, { pack: 'secret', spec: { nodeSelector: { of: 'stranger' } } });
    expect(placed.status).toBe('pending');
  });
});
