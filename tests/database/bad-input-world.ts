import { createHash } from 'node:crypto';
import { Cluster, type Person, type Version } from '../security/cluster.js';

export type Caller = 'admin' | 'owner' | 'other' | 'viewer' | 'nobody' | 'disabled' | 'secret';

/** A small cluster in which every state is there that a call can be refused for. */
export class BadInputWorld {
  readonly cluster: Cluster;
  readonly people = new Map<Caller, Person>();
  /** A pod that `owner` may create. */
  readonly pod = { pack: 'alpha', version: '1.0.0', namespace: 'default' };
  node!: { id: string; incarnation: number };
  versions!: { uploading: string; withdrawn: string };
  pods!: { running: string };
  token!: { id: string; sha256: string };

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  static async build(): Promise<BadInputWorld> {
    const world = new BadInputWorld(await Cluster.start());
    await world.#fill();
    return world;
  }

  stop(): Promise<void> {
    return this.cluster.stop();
  }

  person(caller: Caller): Person {
    const person = this.people.get(caller);
    if (!person) throw new Error(`nobody is ${caller}`);
    return person;
  }

  id(caller: Caller): string {
    return this.person(caller).id;
  }

  /** Every row of Stark’s tables but what is about the last seconds only, as one sum for each table, and how many files and users there are. */
  async fingerprint(): Promise<Record<string, string>> {
    const { rows } = await this.cluster.database.query<{ name: string; sum: string }>(this.#fingerprint);
    return Object.fromEntries(rows.map(({ name, sum }) => [name, sum]));
  }

  #fingerprint = '';

  async #fill(): Promise<void> {
    const { cluster } = this;
    // What watches the clock would change the cluster beside the calls; a watcher that listens already finishes its minute.
    await cluster.database.query('select cron.unschedule(jobid) from cron.job');
    await this.#as(cluster.admin, 'update_cluster_config', { p_changes: { heartbeat_timeout: 3600 } });
    this.people.set('admin', cluster.admin);
    this.people.set('owner', await cluster.person('owner', ['user']));
    this.people.set('other', await cluster.person('other', ['user']));
    this.people.set('viewer', await cluster.person('viewer', ['viewer']));
    this.people.set('nobody', await cluster.person('nobody'));
    this.people.set('disabled', await cluster.person('disabled', ['admin']));
    const [owner, other] = [this.person('owner'), this.person('other')];
    await cluster.pack(owner, 'alpha');
    await cluster.pack(other, 'hidden');
    const withdrawn = await this.#version('0.9.0');
    const uploading = await this.#version('2.0.0');
    this.versions = { withdrawn: withdrawn.version_id, uploading: uploading.version_id };
    await this.#as(owner, 'withdraw_pack_version', { p_name: 'alpha', p_version: '0.9.0' });
    this.node = await cluster.node(owner, 'n1');
    await cluster.node(other, 'theirs');
    await this.#as(owner, 'register_node', { p_name: 'tab', p_runtime: 'browser' });
    await this.#as(cluster.admin, 'create_role', { p_name: 'helper', p_permissions: ['pods:get'] });
    const { id, token } = await this.#as(owner, 'create_join_token', {});
    this.token = { id, sha256: createHash('sha256').update(token).digest('hex') };
    const spaces = { full: { p_quota: { pods: 1 } }, small: { p_limit_range: { max: { cpu: 10 } } }, dying: {} };
    for (const [p_name, options] of Object.entries(spaces))
      await this.#as(cluster.admin, 'create_namespace', { p_name, ...options });
    await this.#as(cluster.admin, 'create_priority_class', { p_name: 'silver', p_value: 400 });
    await this.#deployments();
    this.pods = { running: (await cluster.pod(owner, { ...this.pod, name: 'runs' })).id };
    for (const namespace of ['full', 'dying']) await cluster.pod(owner, { ...this.pod, namespace });
    await this.#as(cluster.admin, 'delete_namespace', { p_name: 'dying' });
    await cluster.database.query('update stark.profiles set disabled_at = now() where id = $1', [this.id('disabled')]);
    const { rows } = await cluster.database.query<{ query: string }>(
      `select string_agg(format('select %L as name, md5(coalesce(string_agg(t::text, %L order by t::text), %L)) as sum from %I.%I t', c.oid::regclass, ',', '', n.nspname, c.relname), ' union all ') as query
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname in ('stark', 'stark_internal') and c.relkind in ('r', 'p') and not c.relispartition and c.relname not in ('node_watch', 'recent_edits')`,
    );
    const others = ['storage.objects', 'auth.users'].map((name) => `select '${name}', count(*)::text from ${name}`);
    this.#fingerprint = [rows[0]?.query, ...others].join(' union all ');
  }

  /** One that stands, one that is autoscaled, one that waits for the end of its pod, and a version that is blocked. */
  async #deployments(): Promise<void> {
    const owner = this.person('owner');
    const manifest = { pack: 'alpha', version: '1.0.0', replicas: 1 };
    for (const name of ['web', 'going'])
      await this.#as(owner, 'create_deployment', { p_deployment: { ...manifest, name } });
    const autoscale = { max: 3, metrics: [{ name: 'load', target: 10 }] };
    await this.#as(owner, 'create_deployment', {
      p_deployment: { pack: 'alpha', version: '1.0.0', name: 'scaled', autoscale },
    });
    await this.#as(owner, 'delete_deployment', { p_namespace: 'default', p_name: 'going' });
    const { database } = this.cluster;
    await database.query(
      `insert into stark.pack_versions (pack_id, pack_name, version, runtime, size_bytes, sha256, path, state, ready_at)
       select id, name, '1.5.0', 'node', 1, repeat('a', 64), id || '/1.5.0.js', 'ready', now() from stark.packs where name = 'alpha'`,
    );
    await database.query(
      `insert into stark_internal.blocked_versions (deployment_id, pack_version_id, blocked_until)
       select d.id, v.id, now() + interval '1 hour' from stark.deployments d, stark.pack_versions v where d.name = 'web' and v.version = '1.5.0'`,
    );
    // The watcher of the first minute would look at them beside the calls.
    await database.query(`update stark.deployments set next_reconcile_at = reconciled_at + interval '1 hour'`);
    await database.query(`update stark.autoscalers set next_look_at = now() + interval '1 hour'`);
  }

  #version(version: string): Promise<Version> {
    const args = { p_name: 'alpha', p_version: version, p_runtime: 'node', p_size_bytes: 1, p_sha256: 'a'.repeat(64) };
    return this.#as(this.person('owner'), 'register_pack_version', args);
  }

  #as(who: Person, fn: string, args: object) {
    return this.cluster.must(this.cluster.rpc(fn, args, { as: who }));
  }
}
