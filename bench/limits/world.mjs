import { readFile } from 'node:fs/promises';
import pg from 'pg';

const id = (i) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`;

/** What a large cluster of small packs on a Micro database looks like. */
export const SIZES = { nodes: 5_000, pods: 10_000, namespaces: 50, users: 500, packs: 500, events: 100_000 };

/** A database with such a cluster in it, and sessions that call it as PostgREST and pg_cron do. */
export class LimitsWorld {
  #database;
  #owner;
  #superuser;
  admin = id(1);
  agent = id(2);

  static async open(database) {
    const world = new LimitsWorld();
    world.#database = database;
    [world.#owner, world.#superuser] = await Promise.all([
      connect(database, 'postgres'),
      connect(database, 'supabase_admin'),
    ]);
    await world.#superuser.query('create extension if not exists pg_buffercache');
    return world;
  }

  async close() {
    await Promise.all([this.#owner.end(), this.#superuser.end()]);
  }

  async query(text, values = []) {
    return (await this.#owner.query(text, values)).rows;
  }

  async value(text, values = []) {
    return Object.values((await this.query(text, values))[0])[0];
  }

  async fill() {
    const { nodes, pods, namespaces, users, packs, events } = SIZES;
    await this.query(
      `insert into auth.users (id, email) select ('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid, 'user-' || i || '@example.com' from generate_series(1, $1) i`,
      [users],
    );
    await this.query(
      `insert into stark.role_bindings (user_id, role) values ('${id(1)}', 'admin'), ('${id(2)}', 'node')`,
    );
    await this.query(
      `insert into stark.role_bindings (user_id, role, namespace) select u.id, 'user', 'default' from stark.profiles u where u.id not in ('${id(1)}', '${id(2)}')`,
    );
    await this.query(`insert into stark.namespaces (name) select 'team-' || i from generate_series(1, $1) i`, [
      namespaces,
    ]);
    await this.query(
      `insert into stark.packs (name, owner_id, visibility, latest_version) select 'pack-' || i, '${id(1)}', 'public', '1.0.0' from generate_series(1, $1) i`,
      [packs],
    );
    await this.query(
      `insert into stark.pack_versions (pack_id, pack_name, version, runtime, size_bytes, sha256, path, state, ready_at, created_by)
       select id, name, '1.0.0', 'node', 1, repeat('a', 64), id || '/x.js', 'ready', now(), owner_id from stark.packs`,
    );
    await this.addNodes(nodes);
    await this.addPods(pods, { prefix: 'web' });
    await this.query('select stark_internal.schedule_pods(p_most => 100000)');
    await this.run(`name like 'web-%'`);
    // A day of a busy cluster: what is written now goes into pages that others have filled.
    await this.query(
      `insert into stark.events (seq, type, origin, namespace, kind, object_id, object)
       select -i, 'pod.updated', 'api', 'team-' || i % 50, 'pod', gen_random_uuid()::text, '{}' from generate_series(1, $1) i`,
      [events],
    );
    await this.settle();
  }

  async addNodes(count, { prefix = 'node', pods = 110, owner = this.admin, status = 'healthy' } = {}) {
    await this.query(
      `insert into stark.nodes (name, owner_id, runtime, status, incarnation, labels, allocatable, connected_at)
       select $2 || '-' || lpad(i::text, 5, '0'), $4, 'node', $5, 1,
              jsonb_build_object('zone', 'zone-' || i % 10, 'hostname', $2 || '-' || lpad(i::text, 5, '0')),
              jsonb_build_object('cpu', 64000, 'memory', 256000, 'storage', 1000000, 'pods', $3::int), now()
       from generate_series(1, $1) i`,
      [count, prefix, pods, owner, status],
    );
    await this.query(
      `insert into stark.node_leases (node_id, incarnation) select n.id, n.incarnation from stark.nodes n where n.name like $1 || '-%' on conflict do nothing`,
      [prefix],
    );
    await this.query(
      `insert into stark_internal.node_secrets (node_id, incarnation, secret_sha256)
       select n.id, n.incarnation, encode(sha256(convert_to(repeat('a', 64), 'UTF8')), 'hex') from stark.nodes n where n.name like $1 || '-%' on conflict do nothing`,
      [prefix],
    );
  }

  /** Pending pods. `spec` and `namespace` are SQL expressions over i, the pod's number. */
  async addPods(
    count,
    {
      prefix,
      namespace = `'team-' || 1 + i % 50`,
      spec = `'{}'`,
      labels = `jsonb_build_object('app', 'app-' || i % 100)`,
      priority = 100,
    },
  ) {
    await this.query(
      `insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, labels, spec, priority, created_by)
       select $2 || '-' || i, ${namespace}, v.pack_id, v.pack_name, v.id, v.version, ${labels},
              '{"terminationGracePeriodSeconds": 30, "resources": {"requests": {"cpu": 100, "memory": 128}}}'::jsonb || ${spec}::jsonb, $3, '${id(1)}'
       from generate_series(1, $1) i join stark.pack_versions v on v.pack_name = 'pack-' || 1 + i % 500`,
      [count, prefix, priority],
    );
  }

  /** Has placed pods run. */
  async run(where) {
    for (const set of [`status = 'starting'`, `status = 'running', ready = true, started_at = now()`])
      await this.query(`update stark.pods set ${set} where node_id is not null and finished_at is null and ${where}`);
  }

  /** Puts pods on one node and has them run. */
  async runOn(node, count, options) {
    await this.addPods(count, options);
    await this.query(
      `update stark.pods p set status = 'scheduled', node_id = n.id, node_name = n.name, incarnation = n.incarnation, scheduled_at = now()
       from stark.nodes n where n.name = $1 and p.name like $2 || '-%' and p.status = 'pending'`,
      [node, options.prefix],
    );
    await this.run(`name like '${options.prefix}-%'`);
  }

  async settle() {
    for (const table of ['pods', 'nodes', 'node_leases', 'events', 'pod_logs'])
      await this.query(`vacuum analyze stark.${table}`);
    await this.query('vacuum analyze stark_internal.event_heads');
  }

  /**
   * What one statement takes in a session of its own, rolled back: processor seconds, blocks, rows and log. cold: nothing of the
   * database is in memory, as after a restart.
   */
  async measure({ as, text, values = [] }, { cold = false } = {}) {
    await this.#superuser.query('checkpoint');
    if (cold)
      await this.#superuser.query(
        'select count(*) from (select pg_buffercache_evict(bufferid) from pg_buffercache where not isdirty) e',
      );
    const session = await connect(this.#database, as === 'cron' ? 'postgres' : 'supabase_admin');
    try {
      const [{ pid }] = (await session.query('select pg_backend_pid() as pid')).rows;
      await session.query(`set work_mem = '2MB'`);
      await session.query('begin');
      if (as !== 'cron')
        await session.query(`select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)`, [
          as === 'service' ? 'service_role' : 'authenticated',
          JSON.stringify({ role: as === 'service' ? 'service_role' : 'authenticated', sub: this[as] }),
        ]);
      const before = await cpuSeconds(pid);
      const explained = await session.query(`explain (analyze, buffers, wal, timing off, format json) ${text}`, values);
      const cpu = (await cpuSeconds(pid)) - before;
      const [plan] = explained.rows[0]['QUERY PLAN'];
      const written = await session.query(
        `select coalesce(sum(pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid)), 0)::int as rows
         from pg_class c where c.relkind = 'r' and c.relpersistence <> 't'`,
      );
      const top = plan.Plan;
      return {
        cpu,
        rows: written.rows[0].rows,
        wal: top['WAL Bytes'],
        // The first change of a page after a checkpoint writes the whole page; this server leaves that out, so it is added.
        walAfterCheckpoint: top['WAL Bytes'] + top['Shared Dirtied Blocks'] * 8_192,
        buffers: top['Shared Hit Blocks'] + top['Shared Read Blocks'],
        reads: top['Shared Read Blocks'],
      };
    } finally {
      await session.query('rollback').catch(() => {});
      await session.end();
    }
  }

  /** Processor seconds of a fixed statement, to compare this machine, now, with others. */
  async calibrate() {
    const [{ pid }] = (await this.#superuser.query('select pg_backend_pid() as pid')).rows;
    const before = await cpuSeconds(pid);
    await this.#superuser.query(CALIBRATION);
    return (await cpuSeconds(pid)) - before;
  }
}

/** Mostly JSON and texts, as our functions are. */
export const CALIBRATION = `select sum(length(jsonb_build_object('i', i, 'text', md5(i::text))::text)) from generate_series(1, 500000) i`;

async function connect(database, role) {
  const client = new pg.Client({ connectionString: database.url(role), application_name: 'bench' });
  await client.connect();
  return client;
}

async function cpuSeconds(pid) {
  const [ns] = (await readFile(`/proc/${pid}/schedstat`, 'utf8')).split(' ');
  return Number(ns) / 1e9;
}
