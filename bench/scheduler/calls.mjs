// Calls that everybody waits for: each is one statement in a cluster of 2,000 running pods, measured several times in a warm session.

const spec = `'{"resources": {"requests": {"cpu": 10, "memory": 10}}}'`;
const running = (cluster) =>
  cluster.query(`select stark_internal.schedule_pods(p_most => 1000000, p_groups => 1000000)`);

async function fill(cluster) {
  await cluster.addPods(2_000, { spec, prefix: 'there' });
  await running(cluster);
  await cluster.settle();
}

const create = (replicas) =>
  `select count(*) from stark.create_pods('[{"pack": "bench", "replicas": ${replicas}, "spec": {"resources": {"requests": {"cpu": 1, "memory": 1}}}}]')`;

export const calls = [
  { name: 'create a pod', times: 12, prepare: fill, statement: () => create(1) },
  { name: 'create 200 pods', times: 6, prepare: fill, statement: () => create(200) },
  {
    name: 'create a pod under a quota',
    times: 12,
    prepare: async (cluster) => {
      await fill(cluster);
      await cluster.query(`update stark.namespaces set quota = '{"cpu": 100000000}' where name = 'default'`);
    },
    statement: () => create(1),
  },
  {
    name: 'delete 200 pods',
    times: 5,
    prepare: fill,
    statement: (i) =>
      `select count(*) from stark.delete_pods(array(select id from stark.pods where status = 'scheduled' order by id limit 200 offset ${i}))`,
  },
  {
    name: 'label a node',
    times: 12,
    // Twenty pods that fit nowhere, as in a cluster where people have made mistakes.
    prepare: async (cluster) => {
      await fill(cluster);
      await cluster.addPods(20, {
        spec: `jsonb_build_object('resources', jsonb_build_object('requests', jsonb_build_object('cpu', 900000 + i, 'memory', 10)))`,
        prefix: 'stuck',
      });
      await running(cluster);
      await cluster.settle();
    },
    statement: (i) => `update stark.nodes set labels = labels || '{"round": "r${i}"}' where name = 'node-00007'`,
  },
];
