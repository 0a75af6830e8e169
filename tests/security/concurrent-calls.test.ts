import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, type Person } from './cluster.js';

let cluster: Cluster;
let first: Person;
let second: Person;

beforeAll(async () => {
  cluster = await Cluster.start({ setup: false });
  first = await cluster.person('first');
  second = await cluster.person('second');
});
afterAll(() => cluster.stop());

const codes = (answers: { json: { code?: string } }[]) => answers.map(({ json }) => json?.code ?? 'ok').sort();

describe('at the same moment', () => {
  it('two first admins: one wins, and nobody else may ask', async () => {
    expect((await cluster.rpc('setup_admin', { p_user_id: first.id })).status).toBe(401);
    expect((await cluster.rpc('setup_admin', { p_user_id: first.id }, { as: first })).status).toBe(403);
    const { secret: key } = cluster.stack.keys;
    const both = [first, second].map(({ id }) => cluster.rpc('setup_admin', { p_user_id: id }, { key }));
    expect(codes(await Promise.all(both))).toEqual(['SETUP_DONE', 'ok']);
    const { rows } = await cluster.database.query(`select user_id from stark.role_bindings where role = 'admin'`);
    expect(rows).toHaveLength(1);
    for (const person of [first, second]) {
      await cluster.must(cluster.rpc('grant_role', { p_user_id: person.id, p_role: 'user' }, { key }));
    }
    cluster.admin = rows[0].user_id === first.id ? first : second;
  });

  it('two nodes of one name: one owner', async () => {
    const register = (as: Person) => cluster.rpc('register_node', { p_name: 'contested', p_runtime: 'node' }, { as });
    expect(codes(await Promise.all([register(first), register(second)]))).toEqual(['NODE_NAME_TAKEN', 'ok']);
  });

  it('two packs of one name: one owner', async () => {
    const register = (as: Person) =>
      cluster.rpc(
        'register_pack_version',
        { p_name: 'contested', p_version: '1.0.0', p_runtime: 'node', p_size_bytes: 1, p_sha256: 'a'.repeat(64) },
        { as },
      );
    const answers = await Promise.all([register(first), register(second)]);
    // An admin may add to anybody's pack; still there is one pack, and one owner of it.
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    const { rows } = await cluster.database.query(
      `select count(*)::int as n from stark.pack_versions where pack_name = 'contested'`,
    );
    expect(rows).toEqual([{ n: 1 }]);
  });

  it('two agents of one node: one incarnation is heard', async () => {
    const { node_id: id } = await cluster.must(
      cluster.rpc('register_node', { p_name: 'twice', p_runtime: 'node' }, { as: first }),
    );
    const sync = () => cluster.must(cluster.rpc('node_sync', { p_node_id: id }, { as: first }));
    const [one, two] = await Promise.all([sync(), sync()]);
    expect(one.incarnation).not.toBe(two.incarnation);
    const report = (incarnation: number) =>
      cluster.rpc('report_pods', { p_node_id: id, p_incarnation: incarnation, p_reports: [] }, { as: first });
    expect(codes(await Promise.all([report(one.incarnation), report(two.incarnation)]))).toEqual([
      'STALE_INCARNATION',
      'ok',
    ]);
  });

  it('a version finished and announced anew: what is ready keeps its sum', async () => {
    const version = await cluster.pack(first, 'hurried', { finish: false });
    const finish = cluster.rpc('finish_pack_version', { p_version_id: version.version_id }, { as: first });
    const again = cluster.rpc('finish_pack_version', { p_version_id: version.version_id }, { as: first });
    const announce = cluster.rpc(
      'register_pack_version',
      { p_name: 'hurried', p_version: '1.0.0', p_runtime: 'node', p_size_bytes: 1, p_sha256: 'b'.repeat(64) },
      { as: first },
    );
    await Promise.all([finish, again, announce]);
    const { rows } = await cluster.database.query(
      `select state, sha256 from stark.pack_versions where pack_name = 'hurried'`,
    );
    if (rows[0].state === 'ready') expect(rows[0].sha256).not.toBe('b'.repeat(64));
    else expect(rows[0].sha256).toBe('b'.repeat(64));
  });

  it('pods made and removed: no node keeps room for what is gone', async () => {
    await cluster.pack(first, 'brief');
    await cluster.node(first, 'roomy');
    const make = () => cluster.rpc('create_pods', { p_pods: [{ pack: 'brief', replicas: 3 }] }, { as: first });
    for (let round = 0; round < 3; round++) {
      const made = (await cluster.must(make())) as { id: string }[];
      const ids = made.map(({ id }) => id);
      await Promise.all([
        make(),
        cluster.rpc('delete_pods', { p_ids: ids }, { as: first }),
        cluster.rpc('stop_pods', { p_ids: ids }, { as: first }),
      ]);
    }
    const { rows } = await cluster.database.query(`
      select n.name from stark.nodes n
      where (n.allocated ->> 'pods')::int <> (select count(*) from stark.pods p where p.node_id = n.id and stark_internal.occupies(p.status))
         or (n.allocated ->> 'pods')::int > (n.allocatable ->> 'pods')::int`);
    expect(rows).toEqual([]);
  });
});

describe('when the last admin’s account is removed', () => {
  it('the cluster is not anybody’s for the taking', async () => {
    const { secret: key } = cluster.stack.keys;
    const last = await cluster.person('last', ['admin']);
    await cluster.must(cluster.rpc('revoke_role', { p_user_id: cluster.admin.id, p_role: 'admin' }, { key }));
    const removed = await cluster.request(`/auth/v1/admin/users/${last.id}`, { method: 'DELETE', key });
    expect((await cluster.rpc('needs_setup', {})).json, removed.text).toBe(false);
  });
});
