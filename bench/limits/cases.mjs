// Each call at the largest that it takes, in the cluster of world.mjs. `prepare` makes what the call is about, and is not measured.

/** A function of the API as PostgREST calls it, its answer as JSON included. */
const rpc = (as, fn, casts, values) => ({
  as,
  text: `select coalesce(json_agg(r), '[]')::text from stark.${fn}(${casts.map((cast, i) => `$${i + 1}::${cast}`).join(', ')}) r`,
  values: values.map((value, i) => (casts[i] === 'jsonb' ? JSON.stringify(value) : value)),
});
const read = (text) => ({ as: 'admin', text: `select coalesce(json_agg(r), '[]')::text from (${text}) r` });
const job = (text) => ({ as: 'cron', text: `select stark_internal.${text}` });
const many = (count, make) => Array.from({ length: count }, (_, i) => make(i));
/** Text that does not compress, as what is secret or random. */
const noise = (bytes) =>
  many(Math.ceil(bytes / 10), () => Math.random().toString(36).slice(2, 12))
    .join('')
    .slice(0, bytes);

const create = (pods) => rpc('admin', 'create_pods', ['jsonb'], [pods]);
const ids = (world, where, most) =>
  world.value(`select array_agg(id) from (select id from stark.pods where ${where} order by name limit ${most}) p`);
const nodeId = (world, name) => world.value('select id from stark.nodes where name = $1', [name]);
const reports = (pods, make) =>
  many(make.length, (i) => ({ pod_id: pods[i % pods.length], observed_at: new Date().toISOString(), ...make[i] }));

/** Names of a node, of the pods on it, and of the namespaces and packs that a case makes for itself. */
const CROWD = 'crowd-00001';

export const setup = async (world) => {
  await world.addNodes(1, { prefix: 'crowd', pods: 500 });
  await world.runOn(CROWD, 500, { prefix: 'crowd' });
  await world.query(`insert into stark.namespaces (name, quota) values ('big', '{"pods": 100000}')`);
  await world.addNodes(4, { prefix: 'wide', pods: 500 });
  for (let i = 1; i <= 4; i++) await world.runOn(`wide-0000${i}`, 500, { prefix: `big${i}`, namespace: `'big'` });
  await world.settle();
};

export const cases = [
  { name: 'create_pods, 200 replicas', call: () => create([{ pack: 'pack-1', namespace: 'team-1', replicas: 200 }]) },
  {
    name: 'create_pods, 200 replicas in a namespace with a quota and 2,000 pods',
    call: () => create([{ pack: 'pack-1', namespace: 'big', replicas: 200 }]),
  },
  {
    name: 'create_pods, 50 entries that want different nodes',
    call: () =>
      create(
        many(50, (i) => ({
          pack: `pack-${i + 1}`,
          namespace: `team-${i + 1}`,
          spec: { nodeSelector: { hostname: `node-000${10 + i}` } },
        })),
      ),
  },
  {
    name: 'create_pods, 24 entries with 24 terms about other pods',
    call: () =>
      create(
        many(24, (i) => ({
          pack: 'pack-1',
          namespace: 'team-1',
          spec: {
            affinity: {
              podAntiAffinity: {
                preferredDuringSchedulingIgnoredDuringExecution: [
                  {
                    weight: 1,
                    podAffinityTerm: { topologyKey: 'zone', labelSelector: { matchLabels: { app: `app-${i}` } } },
                  },
                ],
              },
            },
          },
        })),
      ),
  },
  {
    name: 'create_pods, 512 kB (8 pods with 64 kB of env)',
    call: () => create([{ pack: 'pack-1', namespace: 'team-1', replicas: 8, spec: { env: { BIG: noise(63_000) } } }]),
  },
  {
    name: 'stop_pods, 200',
    call: async (w) => rpc('admin', 'stop_pods', ['uuid[]'], [await ids(w, `status = 'running'`, 200)]),
  },
  {
    name: 'delete_pods, 200',
    call: async (w) => rpc('admin', 'delete_pods', ['uuid[]'], [await ids(w, `status = 'running'`, 200)]),
  },
  {
    name: 'report_pods, 500 ends',
    call: async (w) => {
      const pods = await ids(w, `node_name = '${CROWD}'`, 500);
      return rpc(
        'admin',
        'report_pods',
        ['uuid', 'bigint', 'jsonb'],
        [
          await nodeId(w, CROWD),
          1,
          reports(
            pods,
            many(500, () => ({ status: 'succeeded', exit_code: 0 })),
          ),
        ],
      );
    },
  },
  {
    name: 'report_pods, 100 on each of 5 pods',
    call: async (w) => {
      const pods = await ids(w, `node_name = '${CROWD}'`, 5);
      const made = many(500, (i) => ({ status: Math.floor(i / 5) % 2 ? 'running' : 'starting', restarts: i }));
      return rpc('admin', 'report_pods', ['uuid', 'bigint', 'jsonb'], [await nodeId(w, CROWD), 1, reports(pods, made)]);
    },
  },
  ...[
    ['append_pod_logs, 5,000 lines of 100 bytes', 5_000, 100],
    ['append_pod_logs, 4 MB (250 lines of 16 kB)', 250, 16_300],
  ].map(([name, count, bytes]) => ({
    name,
    call: async (w) => {
      const pods = await ids(w, `node_name = '${CROWD}'`, 500);
      const lines = many(count, (i) => ({
        pod_id: pods[i % 500],
        seq: i,
        time: new Date().toISOString(),
        stream: 'stdout',
        message: noise(bytes),
      }));
      return rpc('admin', 'append_pod_logs', ['uuid', 'bigint', 'jsonb'], [await nodeId(w, CROWD), 1, lines]);
    },
  })),
  {
    name: 'node_sync, a node of 500 pods connects anew',
    call: async (w) => rpc('admin', 'node_sync', ['uuid', 'bigint'], [await nodeId(w, CROWD), null]),
  },
  {
    name: 'node_sync, a node of 500 pods asks again',
    call: async (w) => rpc('admin', 'node_sync', ['uuid', 'bigint'], [await nodeId(w, CROWD), 1]),
  },
  { name: 'drain_node, 500 pods', call: () => rpc('admin', 'drain_node', ['text'], [CROWD]) },
  {
    name: 'delete_node by force, 500 pods',
    call: () => rpc('admin', 'delete_node', ['text', 'boolean'], [CROWD, true]),
  },
  {
    name: 'disconnect_node, 500 pods',
    call: async (w) => rpc('admin', 'disconnect_node', ['uuid', 'bigint'], [await nodeId(w, CROWD), 1]),
  },
  {
    name: 'update_node, a taint NoExecute on 500 pods',
    call: () =>
      rpc('admin', 'update_node', ['text', 'jsonb', 'jsonb'], [CROWD, {}, [{ key: 'broken', effect: 'NoExecute' }]]),
  },
  { name: 'register_node', call: () => rpc('admin', 'register_node', ['text', 'text'], ['new-node', 'node']) },
  { name: 'delete_namespace, 2,000 pods', call: () => rpc('admin', 'delete_namespace', ['text'], ['big']) },
  {
    name: 'update_cluster_config, which rings 5,000 nodes',
    call: () => rpc('admin', 'update_cluster_config', ['jsonb'], [{ liveness: 'thrifty' }]),
  },
  {
    name: 'explain_placement, 5,000 nodes',
    call: () => rpc('admin', 'explain_placement', ['jsonb'], [{ pack: 'pack-1' }]),
  },
  ...[
    ['watch_nodes, 1,000 heartbeats', { sign: 'heartbeat', usage: { cpu: 1, memory: 1, pods: {} } }],
    ['watch_nodes, 1,000 nodes lost their connection', { sign: 'gone' }],
  ].map(([name, sign]) => ({
    name,
    call: async (w) => {
      const nodes = await w.query('select id as node_id, incarnation::int from stark.nodes order by name limit 1000');
      const seen = nodes.map((node) => ({ ...node, secret: 'a'.repeat(64), ...sign }));
      return rpc(
        'service',
        'watch_nodes',
        ['jsonb', 'timestamptz', 'timestamptz'],
        [seen, new Date(Date.now() - 5_000), new Date()],
      );
    },
  })),
  {
    name: 'reap_nodes, 1,000 silent nodes: 100 given up, 200 of their pods evicted',
    prepare: async (w) => {
      await w.query(
        `update stark.node_leases set renewed_at = now() - interval '5 minutes' where node_id in (select id from stark.nodes where name like 'node-%' order by name limit 1000)`,
      );
      await w.query(
        `update stark_internal.node_watch set watched = tstzmultirange(tstzrange(now() - interval '10 minutes', now())) where only_row`,
      );
    },
    call: () => job('reap_nodes()'),
    undo: async (w) => {
      await w.query('update stark.node_leases set renewed_at = now() where true');
      await w.query(`update stark_internal.node_watch set watched = '{}' where only_row`);
    },
  },
  {
    name: 'continue_work, 200 pods of a namespace that is being deleted',
    prepare: (w) => w.query(`update stark.namespaces set phase = 'terminating' where name = 'big'`),
    call: () => job('continue_work()'),
    undo: (w) => w.query(`update stark.namespaces set phase = 'active' where name = 'big'`),
  },
  { name: 'read 1,000 pods', call: () => read('select * from stark.pods order by name limit 1000') },
  { name: 'read 1,000 nodes', call: () => read('select * from stark.nodes order by name limit 1000') },
  {
    name: 'read 1,000 events of a namespace',
    call: () => read(`select * from stark.events where seq > 0 and namespace = 'team-1' order by seq limit 1000`),
  },
  { name: 'read list_users, 500 users', call: () => read('select * from stark.list_users() limit 1000') },
  { name: 'read namespace_usage', call: () => read('select * from stark.namespace_usage limit 1000') },
  {
    name: 'removal of a user with 2,000 pods',
    prepare: async (w) => {
      await w.query(
        `insert into auth.users (id, email) values ('00000000-0000-4000-8000-0000000000ff', 'gone@example.com')`,
      );
      await w.query(
        `update stark.pods set created_by = '00000000-0000-4000-8000-0000000000ff' where namespace = 'big'`,
      );
    },
    call: () => ({
      as: 'cron',
      text: `with gone as (delete from auth.users where email = 'gone@example.com' returning 1) select count(*) from gone`,
    }),
    undo: async (w) => {
      await w.query(
        `update stark.pods set created_by = '00000000-0000-4000-8000-000000000001' where namespace = 'big'`,
      );
      await w.query(`delete from auth.users where email = 'gone@example.com'`);
    },
  },
  // From here on the cluster has 10,000 pending pods.
  {
    name: 'a pass over 10,000 pending pods of 500 kinds, at first sight',
    prepare: async (w) => {
      await w.addPods(10_000, {
        prefix: 'kinds',
        spec: `jsonb_build_object('nodeSelector', jsonb_build_object('disk', 'none-' || i % 500))`,
      });
      await w.settle();
    },
    call: () => job('schedule_pods()'),
  },
  {
    name: 'the same when all have been looked at',
    prepare: async (w) => {
      await w.query('select stark_internal.schedule_pods(p_most => 10000, p_groups => 1000)');
      await w.settle();
    },
    call: () => job('schedule_pods()'),
    undo: (w) => w.query(`delete from stark.pods where status = 'pending'`),
  },
  {
    name: 'a pass over 10,000 pending pods of one kind, at first sight',
    prepare: async (w) => {
      await w.addPods(10_000, { prefix: 'alike', spec: `'{"nodeSelector": {"disk": "none"}}'` });
      await w.settle();
    },
    call: () => job('schedule_pods()'),
  },
  {
    name: 'report_pods, one end, when 10,000 pods wait',
    prepare: async (w) => {
      await w.query('select stark_internal.schedule_pods(p_most => 10000, p_groups => 1000)');
      await w.settle();
    },
    call: async (w) =>
      rpc(
        'admin',
        'report_pods',
        ['uuid', 'bigint', 'jsonb'],
        [await nodeId(w, CROWD), 1, reports(await ids(w, `node_name = '${CROWD}'`, 1), [{ status: 'succeeded' }])],
      ),
  },
  {
    name: 'update_node, a label that 10,000 pods wait for',
    call: () => rpc('admin', 'update_node', ['text', 'jsonb'], ['wide-00001', { disk: 'none' }]),
  },
  {
    name: 'register_node, when 10,000 pods wait',
    call: () => rpc('admin', 'register_node', ['text', 'text'], ['new-node', 'node']),
  },
  {
    name: 'create_pods, 200 that make others leave',
    prepare: async (w) => {
      await w.query(`delete from stark.pods where status = 'pending'`);
      await w.query(`update stark.nodes set allocatable = allocatable || '{"pods": 2}' where name like 'node-%'`);
      await w.settle();
    },
    call: () =>
      create([
        {
          pack: 'pack-1',
          namespace: 'team-1',
          replicas: 200,
          priority: 500,
          spec: { nodeSelector: { zone: 'zone-1' } },
        },
      ]),
    undo: (w) =>
      w.query(`update stark.nodes set allocatable = allocatable || '{"pods": 110}' where name like 'node-%'`),
  },
  // From here on the pods of namespace big have ended.
  {
    name: 'continue_work, 500 ended pods to remove',
    prepare: async (w) => {
      await w.query(`update stark.pods set status = 'stopping', ready = false where namespace = 'big'`);
      await w.query(
        `update stark.pods set status = 'stopped', finished_at = now() - interval '60 days', deletion_requested_at = now() where namespace = 'big'`,
      );
      await w.settle();
    },
    call: () => job('continue_work()'),
    undo: (w) => w.query(`update stark.pods set deletion_requested_at = null where namespace = 'big'`),
  },
  { name: 'remove_old_pods, 500', call: () => job('remove_old_pods()') },
  { name: 'run_maintenance', call: () => job('run_maintenance()') },
  {
    name: 'trim_pod_logs, 20,000 of 300,000 lines',
    prepare: async (w) => {
      await w.query(
        `insert into stark.pod_logs (pod_id, seq, time, namespace, stream, message)
         select p.id, i, now(), p.namespace, 'stdout', repeat('x', 100) from (select id, namespace from stark.pods where node_name = $1 order by name limit 10) p, generate_series(1, 30000) i`,
        [CROWD],
      );
      await w.settle();
    },
    call: () => job('trim_pod_logs()'),
    undo: (w) => w.query('truncate stark.pod_logs'),
  },
];
