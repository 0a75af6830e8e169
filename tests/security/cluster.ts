import { createHash } from 'node:crypto';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import pg from 'pg';
import ws from 'ws';
import { orThrow } from '../harness/client.js';
import { startTestStack, type TestStack } from '../harness/stack.js';

export interface Answer {
  status: number;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever a service answers.
  json: any;
}

export interface Person {
  id: string;
  token: string;
  client: SupabaseClient;
}

export interface Version {
  version_id: string;
  path: string;
}

export interface RequestOptions {
  method?: string;
  /** The `apikey` header; null for none. Default: the publishable key. */
  key?: string | null;
  as?: Person;
  token?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

export const password = 'correct horse';

/** A running stack with a first admin, and short ways to be anybody and to ask anything. */
export class Cluster {
  readonly #test: TestStack;
  readonly #clients: SupabaseClient[] = [];
  readonly database: pg.Client;
  admin!: Person;

  private constructor(test: TestStack) {
    this.#test = test;
    this.database = new pg.Client(test.stack.dbUrl);
  }

  static async start(options: { setup?: boolean; admin?: string } = {}): Promise<Cluster> {
    const cluster = new Cluster(await startTestStack());
    await cluster.database.connect();
    if (options.setup ?? true) {
      cluster.admin = await cluster.person(options.admin ?? 'root');
      const args = { p_user_id: cluster.admin.id };
      await cluster.must(cluster.rpc('setup_admin', args, { key: cluster.stack.keys.secret }));
    }
    return cluster;
  }

  get stack() {
    return this.#test.stack;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.removeAllChannels()));
    await this.database.end();
    await this.#test.stop();
  }

  setUp(email: string): Promise<Answer> {
    const key = this.stack.keys.secret;
    return this.request('/functions/v1/api/auth/setup', { method: 'POST', key, body: { email, password } });
  }

  async request(path: string, options: RequestOptions = {}): Promise<Answer> {
    const { method = 'GET', key = this.stack.keys.publishable, as, body } = options;
    const token = options.token ?? as?.token;
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(this.stack.url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(key === null ? {} : { apikey: key }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(text === undefined || text === body ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(text === undefined ? {} : { body: text }),
    });
    const answered = await response.text();
    let json: unknown;
    try {
      json = JSON.parse(answered);
    } catch {
      json = undefined;
    }
    return { status: response.status, text: answered, json };
  }

  rest(path: string, options: RequestOptions = {}): Promise<Answer> {
    const profile = { 'accept-profile': 'stark', 'content-profile': 'stark' };
    return this.request(`/rest/v1/${path}`, { ...options, headers: { ...profile, ...options.headers } });
  }

  rpc(name: string, args: unknown, options: RequestOptions = {}): Promise<Answer> {
    return this.rest(`rpc/${name}`, { method: 'POST', body: args, ...options });
  }

  /** Runs SQL as PostgREST would for this person: their role and claims, and the JSON exactly as it was written. */
  async sql(person: Person, query: string, values: unknown[] = []): Promise<{ code?: string; rows: unknown[] }> {
    const claims = JSON.stringify({ sub: person.id, role: 'authenticated' });
    await this.database.query('begin');
    try {
      await this.database.query(
        `select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`,
        [claims],
      );
      const { rows } = await this.database.query(query, values);
      await this.database.query('commit');
      return { rows };
    } catch (error) {
      await this.database.query('rollback');
      const { code = '', message } = error as pg.DatabaseError;
      return { code: code === 'PGRST' ? (JSON.parse(message).code as string) : code, rows: [] };
    }
  }

  /** A user with these roles, signed in. */
  async person(name: string, ...roles: [role: string, namespace?: string][]): Promise<Person> {
    const email = `${name}@example.com`;
    const keys = { key: this.stack.keys.secret };
    await this.request('/auth/v1/admin/users', {
      method: 'POST',
      ...keys,
      body: { email, password, email_confirm: true },
    });
    const person = await this.signIn(email);
    for (const [role, namespace] of roles) {
      const granted = await this.rpc(
        'grant_role',
        { p_user_id: person.id, p_role: role, p_namespace: namespace ?? null },
        keys,
      );
      if (granted.status !== 200) throw new Error(granted.text);
    }
    return person;
  }

  /** A client that is nobody yet. */
  anonymous(): SupabaseClient {
    const client = createClient(this.stack.url, this.stack.keys.publishable, {
      auth: { persistSession: false, autoRefreshToken: false },
      realtime: { transport: ws as never },
    });
    this.#clients.push(client);
    return client;
  }

  async signIn(email: string): Promise<Person> {
    const client = this.anonymous();
    const { session } = orThrow(await client.auth.signInWithPassword({ email, password }));
    if (!session) throw new Error(`${email} got no session`);
    await client.realtime.setAuth(session.access_token);
    return { id: session.user.id, token: session.access_token, client };
  }

  /** Registers, uploads and (unless told otherwise) finishes a version of a pack. */
  async pack(
    owner: Person,
    name: string,
    options: { visibility?: string; finish?: boolean; version?: string } = {},
  ): Promise<Version> {
    const bundle = `export default () => '${name}';\n`;
    const version = await this.must(
      this.rpc(
        'register_pack_version',
        {
          p_name: name,
          p_version: options.version ?? '1.0.0',
          p_runtime: 'node',
          p_visibility: options.visibility ?? 'private',
          p_size_bytes: bundle.length,
          p_sha256: createHash('sha256').update(bundle).digest('hex'),
        },
        { as: owner },
      ),
    );
    await this.must(this.upload(owner, version.path, bundle));
    if (options.finish ?? true) {
      await this.must(this.rpc('finish_pack_version', { p_version_id: version.version_id }, { as: owner }));
    }
    return version;
  }

  upload(who: Person, path: string, text: string, headers: Record<string, string> = {}): Promise<Answer> {
    const type = { 'content-type': 'text/javascript', ...headers };
    return this.request(`/storage/v1/object/packs/${path}`, { method: 'POST', as: who, body: text, headers: type });
  }

  /** Registers and connects a node. */
  async node(owner: Person, name: string, more: object = {}): Promise<{ id: string; incarnation: number }> {
    const { node_id: id } = await this.must(
      this.rpc('register_node', { p_name: name, p_runtime: 'node', ...more }, { as: owner }),
    );
    const { incarnation } = await this.must(this.rpc('node_sync', { p_node_id: id }, { as: owner }));
    return { id, incarnation };
  }

  async pod(
    owner: Person,
    item: Record<string, unknown>,
  ): Promise<{ id: string; name: string; status: string; node_name: string | null }> {
    const [pod] = await this.must(this.rpc('create_pods', { p_pods: [item] }, { as: owner }));
    return pod;
  }

  /** The JSON of an answer that must be a good one. */
  async must(answer: Promise<Answer>): Promise<Answer['json']> {
    const { status, text, json } = await answer;
    if (status >= 300) throw new Error(`${status} ${text}`);
    return json;
  }
}
