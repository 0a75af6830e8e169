import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Row = Record<string, unknown>;
type Answer = { status?: number; body?: unknown };

export interface SeenRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/**
 * What the command line sees of a cluster, without one: Auth with tokens that can be refreshed once, tables that know the
 * few filters we send, functions that a test defines, Storage that keeps bytes.
 */
export class FakeCluster {
  readonly key = 'sb_publishable_fake';
  readonly secretKey = 'sb_secret_fake';
  readonly email = 'ada@example.com';
  readonly password = 'correct horse';
  readonly userId = '00000000-0000-4000-8000-000000000001';
  readonly tables: Record<string, Row[]> = {
    pods: [],
    pod_env: [],
    nodes: [],
    packs: [],
    pack_versions: [],
    events: [],
    pod_logs: [],
    deployment_revisions: [],
    join_tokens: [],
  };
  readonly functions: Record<string, (args: Row) => Answer> = {};
  readonly objects = new Map<string, Buffer>();
  readonly requests: SeenRequest[] = [];
  /** Answers machines that join. */
  join: () => Answer = () => ({ status: 404, body: { message: 'no such function' } });
  /** Rows that PostgREST gives at once. */
  maxRows = 1_000;
  setupNeeded = true;
  tokenSeconds = 3600;
  /** Answers instead of Storage, when set. */
  refuseUpload: Answer | undefined;
  #refreshTokens = new Set<string>();
  #accessTokens = new Set<string>();
  #server = createServer((request, response) => void this.#serve(request, response));

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    this.functions.whoami = () => ({
      body: {
        user_id: this.userId,
        email: this.email,
        display_name: 'Ada',
        roles: [{ role: 'admin', namespace: null }],
      },
    });
    this.functions.can_i = () => ({ body: true });
    this.functions.events_topic = ({ p_namespace }) => ({
      body: p_namespace === undefined ? 'stark:cluster' : `stark:namespace:${p_namespace}`,
    });
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** A session as Auth gives one. */
  session(seconds = this.tokenSeconds): Row {
    const expires_at = Math.floor(Date.now() / 1000) + seconds;
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const access_token = `${part({ alg: 'HS256' })}.${part({ sub: this.userId, exp: expires_at, jti: randomUUID() })}.x`;
    const refresh_token = randomUUID();
    this.#accessTokens.add(access_token);
    this.#refreshTokens.add(refresh_token);
    const user = { id: this.userId, email: this.email, aud: 'authenticated', app_metadata: {}, user_metadata: {} };
    return { access_token, refresh_token, token_type: 'bearer', expires_in: seconds, expires_at, user };
  }

  seen(method: string, path: string): SeenRequest[] {
    return this.requests.filter((request) => request.method === method && request.path === path);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake');
    const { method = '', headers } = request;
    const seen = { method, path: pathname, query: searchParams, headers, body: Buffer.concat(chunks) };
    this.requests.push(seen);
    const { status = 200, body } = this.#answer(seen);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }

  #answer(request: SeenRequest): Answer {
    const { path } = request;
    const setsUp = path === '/functions/v1/api/auth/setup' && request.method === 'POST';
    if (request.headers.apikey !== (setsUp ? this.secretKey : this.key))
      return { status: 401, body: { message: 'Invalid API key', hint: 'check the key' } };
    if (path === '/auth/v1/token') return this.#token(request);
    if (path === '/auth/v1/logout') return { status: 204 };
    if (path === '/functions/v1/api/auth/setup') return this.#setup(request);
    if (path === '/functions/v1/api/nodes/join') return this.join();
    const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    if (!this.#accessTokens.has(token)) return { status: 401, body: { code: 'PGRST301', message: 'JWT invalid' } };
    if (path === '/functions/v1/api/auth/users') return this.#addUser(request);
    if (path.startsWith('/storage/v1/object/')) return this.#store(request);
    if (path.startsWith('/rest/v1/rpc/')) return this.#call(request);
    if (path.startsWith('/rest/v1/')) return this.#select(request);
    return { status: 404, body: { message: `nothing at ${path}` } };
  }

  #token({ query, body }: SeenRequest): Answer {
    const given = JSON.parse(body.toString()) as Record<string, string>;
    if (query.get('grant_type') === 'password') {
      if (given.email === this.email && given.password === this.password) return { body: this.session() };
      return { status: 400, body: { code: 400, error_code: 'invalid_credentials', msg: 'Invalid login credentials' } };
    }
    // A refresh token is good once, as in production.
    if (this.#refreshTokens.delete(given.refresh_token ?? '')) return { body: this.session() };
    return {
      status: 400,
      body: { code: 400, error_code: 'refresh_token_already_used', msg: 'Invalid Refresh Token: Already Used' },
    };
  }

  #setup({ method, body }: SeenRequest): Answer {
    if (method === 'GET') return { body: { needed: this.setupNeeded } };
    const { email, password } = JSON.parse(body.toString()) as Record<string, string>;
    if (!this.setupNeeded || email !== this.email || password !== this.password) {
      return {
        status: 409,
        body: { error: { code: 'SETUP_DONE', message: 'there is an admin', hint: 'stark auth login', details: null } },
      };
    }
    this.setupNeeded = false;
    return { status: 201, body: { user_id: this.userId, email } };
  }

  #addUser({ body }: SeenRequest): Answer {
    const { email, role, namespace, display_name } = JSON.parse(body.toString()) as Row;
    if (email === this.email) {
      const error = {
        code: 'EMAIL_TAKEN',
        message: `there is a user ${email}`,
        hint: 'stark user list',
        details: null,
      };
      return { status: 409, body: { error } };
    }
    return { status: 201, body: { user_id: randomUUID(), email, display_name, role, namespace } };
  }

  #store({ method, path, body }: SeenRequest): Answer {
    if (this.refuseUpload !== undefined) return this.refuseUpload;
    const name = path.slice('/storage/v1/object/'.length);
    if (method !== 'POST' && method !== 'PUT') return { status: 405, body: { message: 'no' } };
    this.objects.set(name, fileOf(body));
    return { body: { Id: randomUUID(), Key: name } };
  }

  #call({ method, path, query, body }: SeenRequest): Answer {
    const name = path.slice('/rest/v1/rpc/'.length);
    const handler = this.functions[name];
    if (handler === undefined) return { status: 404, body: { code: 'PGRST202', message: `no function stark.${name}` } };
    const answer = handler(JSON.parse(body.toString() || '{}') as Row);
    // One that is read like a table.
    return method === 'GET' && Array.isArray(answer.body) ? this.#choose(answer.body, query) : answer;
  }

  #select({ path, query }: SeenRequest): Answer {
    const rows = this.tables[path.slice('/rest/v1/'.length)];
    if (rows === undefined) return { status: 404, body: { code: 'PGRST205', message: `no table ${path}` } };
    return this.#choose(rows, query);
  }

  #choose(rows: readonly Row[], query: URLSearchParams): Answer {
    const filters = [...query].filter(([key]) => !['select', 'order', 'limit', 'offset'].includes(key));
    let found: readonly Row[] = rows.filter((row) => filters.every(([key, value]) => matches(row, key, value)));
    for (const part of (query.get('order') ?? '').split(',').filter(Boolean).reverse()) {
      const [column = '', direction] = part.split('.');
      const sign = direction === 'desc' ? -1 : 1;
      found = [...found].sort((a, b) => sign * compare(a[column], b[column]));
    }
    const from = Number(query.get('offset') ?? 0);
    const columns = query.get('select')?.split(',') ?? [];
    const page = found.slice(from, from + Math.min(this.maxRows, Number(query.get('limit') ?? this.maxRows)));
    return { body: page.map((row) => Object.fromEntries(columns.map((column) => read(row, column)))) };
  }
}

// A column, or a text out of one that holds JSON under a name of its own: `name:object->>name`.
function read(row: Row, text: string): [string, unknown] {
  const [, name = text, column = '', key = ''] = /^(\w+):(\w+)->>(\w+)$/.exec(text) ?? [];
  return [name, (column === '' ? row[name] : (row[column] as Row)[key]) ?? null];
}

function matches(row: Row, key: string, value: string): boolean {
  if (key === 'or')
    return value
      .slice(1, -1)
      .split(/,(?=[a-z_]+\.(?:in|is|not)\.)/)
      .some((part) => {
        const dot = part.indexOf('.');
        return matches(row, part.slice(0, dot), part.slice(dot + 1));
      });
  const [, operator = '', operand = ''] = /^([a-z]+)\.(.*)$/s.exec(value) ?? [];
  const actual = row[key];
  switch (operator) {
    case 'eq':
      return String(actual) === operand;
    case 'is':
      return String(actual ?? null) === operand;
    case 'in':
      return operand
        .slice(1, -1)
        .split(',')
        .map((item) => item.replace(/^"|"$/g, ''))
        .includes(String(actual));
    case 'not':
      return actual != null && !likes(String(actual), operand.replace(/^like\./, ''));
    case 'gt':
      return compare(actual, typeof actual === 'number' ? Number(operand) : operand) > 0;
    case 'gte':
      return compare(actual, typeof actual === 'number' ? Number(operand) : operand) >= 0;
    case 'cs':
      return Object.entries(JSON.parse(operand) as Row).every(([name, wanted]) => (actual as Row)[name] === wanted);
    default:
      throw new Error(`the fake knows no filter ${key}=${value}`);
  }
}

const likes = (text: string, pattern: string) =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.]/g, '\\.'))
      .join('.*')}$`,
  ).test(text);

const compare = (a: unknown, b: unknown) =>
  (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;

// storage-js sends a Blob as a form and bytes as they are.
function fileOf(body: Buffer): Buffer {
  const text = body.toString('latin1');
  if (!text.startsWith('------') && !text.startsWith('--')) return body;
  const boundary = text.slice(0, text.indexOf('\r\n'));
  const part = text.split(boundary).find((section) => section.includes('filename='));
  return Buffer.from((part ?? '').split('\r\n\r\n').slice(1).join('\r\n\r\n').replace(/\r\n$/, ''), 'latin1');
}
