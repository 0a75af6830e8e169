import { readFileSync } from 'node:fs';
import pg from 'pg';

const OWNER = '00000000-0000-4000-8000-000000000001';

/** A database with a cluster in it: nodes as kube-scheduler's own benchmarks have them (4 cores, 32 GB, 110 pods), ten zones. */
export class BenchCluster {
  #client;
  #admin;
  #pid;

  static async open(database) {
    const cluster = new BenchCluster();
    cluster.#client = new pg.Client({ connectionString: database.url('postgres'), application_name: 'bench' });
    await cluster.#client.connect();
    // The position in the write-ahead log is read by another session, whose own work does not count.
    cluster.#admin = new pg.Client({ connectionString: database.url('supabase_admin'), application_name: 'bench' });
    await cluster.#admin.connect();
    const [{ pid }] = await cluster.query('select pg_backend_pid() as pid');
    cluster.#pid = pid;
    await cluster.query(`insert into auth.users (id, email) values ('${OWNER}', 'bench@example.com')`);
    await cluster.query(`insert into stark.packs (name, owner_id, visibility) values ('bench', '${OWNER}', 'public')`);
    await cluster.query(
      `insert into stark.pack_versions (pack_id, pack_name, version, runtime, size_bytes, sha256, path, state, ready_at)
       select id, name, '1.0.0', 'node', 1, repeat('a', 64), id || '/x.js', 'ready', now() from stark.packs`,
    );
    return cluster;
  }

  async query(text, values = []) {
    return (await this.#client.query(text, values)).rows;
  }

  async close() {
    await this.#client.end();
    await this.#admin.end();
  }

  /** What these statements take, the ends of their transactions included: time, processor time of the session, write-ahead log. */
  async time(statements) {
    const from = await this.#walPosition();
    const cpu = this.#cpuMs();
    const started = performance.now();
    for (const statement of statements) await this.#client.query(statement);
    const ms = performance.now() - started;
    const cpuMs = this.#cpuMs() - cpu;
    const until = await this.#walPosition();
    return { ms, cpuMs, walBytes: until - from };
  }

  async #walPosition() {
    const { rows } = await this.#admin.query(`select pg_current_wal_insert_lsn() - '0/0' as bytes`);
    return Number(rows[0].bytes);
  }

  /** Of the session's process; where the system does not tell (it is Linux that does), not a number. */
  #cpuMs() {
    try {
      return Number(readFileSync(`/proc/${this.#pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
    } catch {
      return Number.NaN;
    }
  }

  /** Empties the cluster and gives it this many nodes. */
  async reset(nodes) {
    await this.query('truncate stark.pods, stark.events cascade');
    await this.query('delete from stark.nodes');
    await this.query(`update stark.namespaces set quota = '{}' where name = 'default' and quota <> '{}'`);
    await this.query(
      `insert into stark.nodes (name, owner_id, runtime, status, incarnation, labels, allocatable)
       select 'node-' || lpad(i::text, 5, '0'), $2, 'node', 'healthy', 1,
              jsonb_build_object('zone', 'zone-' || i % 10, 'hostname', 'node-' || lpad(i::text, 5, '0')),
              '{"cpu": 4000, "memory": 32000, "storage": 100000, "pods": 110}'
       from generate_series(1, $1) i`,
      [nodes, OWNER],
    );
    await this.settle();
  }

  /** Adds pending pods: `spec` and `labels` are SQL expressions over i, the pod's number. No pass runs yet. */
  async addPods(count, { spec, labels = `'{}'`, priority = 100, prefix = 'pod' }) {
    await this.query(
      `insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, labels, spec, priority, created_by)
       select $2 || '-' || i, 'default', v.pack_id, v.pack_name, v.id, v.version, ${labels}::jsonb, ${spec}::jsonb, $3, $4
       from stark.pack_versions v, generate_series(1, $1) i`,
      [count, prefix, priority, OWNER],
    );
    await this.settle();
  }

  /** What autovacuum does on a cluster that lives longer than a benchmark. */
  async settle() {
    for (const table of ['stark.pods', 'stark.nodes', 'stark.events', 'stark_internal.event_heads'])
      await this.query(`vacuum analyze ${table}`);
  }

  async count(status, prefix = 'pod') {
    const [row] = await this.query(
      `select count(*)::int as count from stark.pods where status = $1 and name like $2 || '-%'`,
      [status, prefix],
    );
    return row.count;
  }

  /** What one update takes that writes the places the pass has found, all triggers on. */
  async timeBareUpdate(prefix = 'pod') {
    await this.query(
      `create temporary table places as select id, node_id, node_name, incarnation from stark.pods where status = 'scheduled' and name like $1 || '-%'`,
      [prefix],
    );
    // The same rows as pending ones again: new, since no step leads back.
    await this.query(`create temporary table again as select p.* from stark.pods p join places using (id)`);
    await this.query('delete from stark.pods p using places k where p.id = k.id');
    await this.query(
      `insert into stark.pods (id, name, namespace, pack_id, pack_name, pack_version_id, version, labels, spec, priority, created_by, created_at)
       select id, name, namespace, pack_id, pack_name, pack_version_id, version, labels, spec, priority, created_by, created_at from again`,
    );
    await this.settle();
    await this.query('analyze places');
    const taken = await this.time([
      `update stark.pods p set status = 'scheduled', node_id = k.node_id, node_name = k.node_name, incarnation = k.incarnation, scheduled_at = now()
       from places k where k.id = p.id`,
    ]);
    await this.query('drop table places, again');
    return taken;
  }
}
