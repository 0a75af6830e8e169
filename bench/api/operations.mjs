const listed = 'id,name,namespace,status,status_reason,ready,restarts,node_name,pack_name,version,created_at';

/** What is measured: who calls, what is sent over HTTP, and the statement that does the same over a bare session. */
export function operations(cluster) {
  const { developer } = cluster.people;
  let serial = 0;
  const next = (prefix) => {
    serial += 1;
    return `${prefix}-${serial}`;
  };
  const any = (most) => 1 + Math.floor(Math.random() * most);
  const node = () => `node-${String(any(100)).padStart(3, '0')}`;
  const pack = () => `pack-${String(any(1_000) - 1).padStart(4, '0')}`;

  /** A read: the path, and the statement that PostgREST's own would be, with its values. */
  const read = (name, build) => ({
    name,
    as: 'developer',
    call: () => ({ path: build().path }),
    bare: () => build().statement,
  });
  /** A call of a function with arguments made anew each time. */
  const write = (name, fn, make, as = 'developer') => ({
    name,
    as,
    call: async () => ({ method: 'POST', path: `rpc/${fn}`, body: await make() }),
    bare: async () => {
      const args = Object.entries(await make());
      const named = args.map(([key], i) => `${key} => $${i + 1}`).join(', ');
      // An array is Postgres' own where the argument is one, and JSON elsewhere.
      const values = args.map(([key, value]) =>
        typeof value === 'object' && key !== 'p_ids' ? JSON.stringify(value) : value,
      );
      return [`select * from stark.${fn}(${named})`, values];
    },
  });
  const ownPod = async () => {
    const [{ id }] = await cluster.query(
      `select id from stark.pods where created_by = $1 and status = 'running' order by random() limit 1`,
      [developer.id],
    );
    return { p_ids: [id] };
  };

  return [
    read('list the pods of a namespace (500)', () => ({
      path: `pods?select=${listed}&namespace=eq.team-1&order=name,id&limit=1000`,
      statement: [`select ${listed} from stark.pods where namespace = 'team-1' order by name, id limit 1000`],
    })),
    read('list the 100 newest pods of all namespaces', () => ({
      path: `pods?select=${listed}&order=created_at.desc,id&limit=100`,
      statement: [`select ${listed} from stark.pods order by created_at desc, id limit 100`],
    })),
    read('list the pods of a label', () => {
      const labels = { app: pack() };
      return {
        path: `pods?select=${listed}&labels=cs.${encodeURIComponent(JSON.stringify(labels))}&order=name,id`,
        statement: [`select ${listed} from stark.pods where labels @> $1 order by name, id`, [labels]],
      };
    }),
    read('list the pods that wait', () => ({
      path: 'pods?select=name,namespace,status_reason,status_message&status=eq.pending&order=created_at',
      statement: [
        `select name, namespace, status_reason, status_message from stark.pods where status = 'pending' order by created_at`,
      ],
    })),
    read('list all nodes (100)', () => ({
      path: 'nodes?select=*&order=name',
      statement: ['select * from stark.nodes order by name'],
    })),
    read('list all packs (1,000)', () => ({
      path: 'packs?select=id,name,visibility,latest_version,created_at&order=name&limit=1000',
      statement: ['select id, name, visibility, latest_version, created_at from stark.packs order by name limit 1000'],
    })),
    read('describe a pod', () => {
      const no = any(5_000);
      const namespace = no % 10 === 0 ? 'default' : `team-${no % 10}`;
      return {
        path: `pods?select=*&namespace=eq.${namespace}&name=eq.pod-${no}`,
        statement: ['select * from stark.pods where namespace = $1 and name = $2', [namespace, `pod-${no}`]],
      };
    }),
    {
      ...read('describe what happened to a pod', () => ({})),
      call: async () => ({
        path: `pod_history?select=*&pod_id=eq.${(await ownPod()).p_ids[0]}&order=seq.desc&limit=20`,
      }),
      bare: async () => [
        'select * from stark.pod_history where pod_id = $1 order by seq desc limit 20',
        (await ownPod()).p_ids,
      ],
    },
    read('describe a node with its pods', () => {
      const name = node();
      return {
        path: `nodes?select=*,pods!pods_node_id_fkey(name,namespace,status,cpu_request)&name=eq.${name}`,
        statement: [
          `select n.*, (select json_agg(p) from (select p.name, p.namespace, p.status, p.cpu_request from stark.pods p where p.node_id = n.id) p) as pods
           from stark.nodes n where n.name = $1`,
          [name],
        ],
      };
    }),
    read('describe a pack with its versions', () => {
      const name = pack();
      return {
        path: `packs?select=*,pack_versions(version,state,size_bytes)&name=eq.${name}`,
        statement: [
          `select p.*, (select json_agg(v) from (select v.version, v.state, v.size_bytes from stark.pack_versions v where v.pack_id = p.id) v) as pack_versions
           from stark.packs p where p.name = $1`,
          [name],
        ],
      };
    }),
    read('read 100 events after a number', () => {
      const after = any(10_000);
      return {
        path: `events?select=*&seq=gt.${after}&order=seq&limit=100`,
        statement: ['select * from stark.events where seq > $1 order by seq limit 100', [after]],
      };
    }),
    {
      ...write('create a pod', 'create_pods', () => ({ p_pods: [{ pack: 'pack-0001', namespace: 'team-1' }] })),
      alsoFirst: true,
    },
    write('create ten pods', 'create_pods', () => ({ p_pods: [{ pack: 'pack-0001', replicas: 10 }] })),
    write('register a version', 'register_pack_version', () => ({
      p_name: next('bench'),
      p_version: '1.0.0',
      p_runtime: 'node',
      p_size_bytes: 1_000,
      p_sha256: 'a'.repeat(64),
    })),
    write('create a namespace', 'create_namespace', () => ({ p_name: next('bench'), p_quota: { pods: 10 } }), 'admin'),
    write('stop a pod', 'stop_pods', ownPod),
    write('delete a pod', 'delete_pods', ownPod),
    write('label a node', 'update_node', () => ({ p_name: node(), p_labels: { bench: next('x') } }), 'admin'),
    write(
      'cordon a node',
      'cordon_node',
      async () => {
        await cluster.query('update stark.nodes set unschedulable = false where unschedulable');
        return { p_name: node() };
      },
      'admin',
    ),
    write(
      'change a quota',
      'update_namespace',
      () => ({ p_name: 'team-2', p_quota: { pods: 5_000 + any(1_000) } }),
      'admin',
    ),
    write(
      'grant a role',
      'grant_role',
      () => ({ p_user_id: developer.id, p_role: 'viewer', p_namespace: `team-${any(9)}` }),
      'admin',
    ),
    write('explain a placement', 'explain_placement', () => ({ p_pod: { pack: 'pack-0001' } })),
  ];
}
