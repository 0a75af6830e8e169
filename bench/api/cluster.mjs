import pg from 'pg';

const PASSWORD = 'correct horse';
/** What is called to see what a call costs that does nothing. */
export const EMPTY_CALL = { method: 'POST', path: 'rpc/nothing', body: {} };

const SIZES = { packs: 1_000, nodes: 100, pods: 5_000, owners: 10, namespaces: 10, unschedulable: 20 };

/** A stack with a cluster in it that has been lived in: several owners and namespaces, a history, pods that fit nowhere. */
export class ApiCluster {
  #stack;
  #owner;
  #bare;
  people = {};

  static async open(stack) {
    const cluster = new ApiCluster();
    cluster.#stack = stack;
    [cluster.#owner, cluster.#bare] = await Promise.all([connect(stack), connect(stack)]);
    return cluster;
  }

  async close() {
    await Promise.all([this.#owner?.end(), this.#bare?.end()]);
  }

  /** Rows of a statement that is sent as the database's owner and not measured. */
  async query(text, values = []) {
    return (await this.#owner.query(text, values)).rows;
  }

  /** Milliseconds until the whole answer is read; anything but success is an error. */
  async timeCall(as, { method = 'GET', path, body }) {
    const started = performance.now();
    const { status, text } = await this.#request(`/rest/v1/${path}`, { method, body, token: this.people[as].token });
    const ms = performance.now() - started;
    if (status >= 300) throw new Error(`${method} ${path} answered ${status}: ${text}`);
    return ms;
  }

  /** Milliseconds of the same as PostgREST does it at the least: begin, role and claims, the statement, commit. */
  async timeBare(as, text, values = [], session = this.#bare) {
    const claims = JSON.stringify({ sub: this.people[as].id, role: 'authenticated' });
    const started = performance.now();
    await session.query('begin');
    await session.query(
      `select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`,
      [claims],
    );
    await session.query(text, values);
    await session.query('commit');
    return performance.now() - started;
  }

  /** The same in a new session, which has no plan and no working table yet. */
  async timeFirst(as, text, values = []) {
    const session = await connect(this.#stack);
    try {
      return await this.timeBare(as, text, values, session);
    } finally {
      await session.end();
    }
  }

  async #request(path, { method = 'GET', body, token, key = this.#stack.keys.publishable }) {
    const response = await fetch(this.#stack.url + path, {
      method,
      headers: {
        apikey: key,
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
        'accept-profile': 'stark',
        'content-profile': 'stark',
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: response.status, text: await response.text() };
  }

  async #person(role) {
    const body = { email: `${role}@example.com`, password: PASSWORD };
    const key = this.#stack.keys.secret;
    await this.#request('/auth/v1/admin/users', { method: 'POST', body: { ...body, email_confirm: true }, key });
    const session = await this.#request('/auth/v1/token?grant_type=password', { method: 'POST', body });
    const { access_token: token, user } = JSON.parse(session.text);
    await this.query('insert into stark.role_bindings (user_id, role) values ($1, $2)', [user.id, role]);
    return { id: user.id, token };
  }

  async fill() {
    await this.query('create function stark.nothing() returns integer language sql return 1');
    await this.query(`notify pgrst, 'reload schema'`);
    for (const role of ['admin', 'developer']) this.people[role] = await this.#person(role);
    const { packs, nodes, pods, owners, namespaces, unschedulable } = SIZES;
    await this.query(
      `insert into auth.users (id, email) select gen_random_uuid(), 'owner-' || i || '@example.com' from generate_series(1, $1) i`,
      [owners - 1],
    );
    await this.query(
      `insert into stark.role_bindings (user_id, role) select id, 'user' from stark.profiles where email like 'owner-%'`,
    );
    // The developer is one owner among the others.
    await this.query(
      `create temporary table owners as select row_number() over (order by email) - 1 as no, id from stark.profiles where email not like 'admin@%'`,
    );
    await this.query(
      `insert into stark.namespaces (name, quota) select 'team-' || i, '{"pods": 5000, "cpu": 1000000, "memory": 1000000}' from generate_series(1, $1) i`,
      [namespaces - 1],
    );
    await this.query(
      `insert into stark.packs (name, owner_id, visibility, latest_version)
       select 'pack-' || lpad(i::text, 4, '0'), o.id, case when i % 4 = 0 then 'private' else 'public' end, '1.1.0'
       from generate_series(0, $1::int - 1) i join owners o on o.no = i % $2::int`,
      [packs, owners],
    );
    await this.query(
      `insert into stark.pack_versions (pack_id, pack_name, version, runtime, size_bytes, sha256, path, state, ready_at, created_by)
       select p.id, p.name, v, 'node', 1000, repeat('a', 64), p.id || '/' || v || '.js', 'ready', now(), p.owner_id
       from stark.packs p, unnest(array['1.0.0', '1.1.0']) v`,
    );
    await this.query(
      `insert into stark.nodes (name, owner_id, runtime, status, incarnation, labels, allocatable)
       select 'node-' || lpad(i::text, 3, '0'), $2, 'node', 'healthy', 1, jsonb_build_object('zone', 'zone-' || i % 3),
              '{"cpu": 16000, "memory": 64000, "storage": 100000, "pods": 110}'
       from generate_series(1, $1) i`,
      [nodes, this.people.admin.id],
    );
    await this.query(
      `insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, labels, spec, created_by)
       select 'pod-' || i, case i % $3::int when 0 then 'default' else 'team-' || i % $3::int end, v.pack_id, v.pack_name, v.id, v.version,
              jsonb_build_object('app', v.pack_name, 'tier', case i % 2 when 0 then 'web' else 'worker' end),
              case when i > $1::int then '{"nodeSelector": {"disk": "none"}}' else '{"resources": {"requests": {"cpu": 100, "memory": 128}}}' end::jsonb, v.created_by
       from generate_series(1, $1::int + $2::int) i
       join stark.pack_versions v on v.version = '1.1.0' and v.pack_name = 'pack-' || lpad((i * 7 % $4::int)::text, 4, '0')`,
      [pods, unschedulable, namespaces, packs],
    );
    await this.query('select stark_internal.schedule_pods(p_most => 100000)');
    for (const set of [`status = 'starting'`, `status = 'running', ready = true, started_at = now()`])
      await this.query(`update stark.pods set ${set} where node_id is not null`);
    const [{ running }] = await this.query(`select count(*)::int as running from stark.pods where status = 'running'`);
    if (running !== pods) throw new Error(`${running} of ${pods} pods run`);
    for (const table of ['pods', 'nodes', 'packs', 'pack_versions', 'events', 'namespaces', 'role_bindings'])
      await this.query(`vacuum analyze stark.${table}`);
  }
}

async function connect({ dbUrl }) {
  const client = new pg.Client({ connectionString: dbUrl, application_name: 'bench' });
  await client.connect();
  return client;
}
