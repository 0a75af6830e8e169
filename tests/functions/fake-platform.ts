import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';

interface User {
  id: string;
  email: string;
}

/** Just enough of Auth and REST for function `api`: users, and a setup that only the first caller gets. */
export class FakePlatform {
  readonly users = new Map<string, User>();
  readonly correlationIds: string[] = [];
  admin: string | undefined;
  /** When set, the next `setup_admin` answers with this instead. */
  refuseSetup: { status: number; body: unknown } | undefined;
  /** Answers of requests that are to fail, by their address. */
  refuse: Record<string, { status: number; body: unknown }> = {};
  /** What `join_node` was asked. */
  readonly joins: unknown[] = [];
  readonly admitted = randomUUID();
  readonly secretKey = 'sb_secret_test';
  #server: Server | undefined;
  #waiting: (() => void)[] = [];
  #callers = 0;

  async start(): Promise<string> {
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(body === undefined ? undefined : JSON.stringify(body));
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => this.#server?.once('listening', resolve));
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body?: unknown }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {};
    if (request.headers.apikey !== this.secretKey) return { status: 401, body: { message: 'Invalid API key' } };
    // The platform bears the key here while it equals `apikey`; its documentation says that it will not.
    if (request.headers.authorization?.startsWith('Bearer sb_')) return { status: 401, body: { message: 'no JWT' } };
    this.correlationIds.push(String(request.headers['x-correlation-id']));
    const { method, url } = request;
    if (method === 'POST' && url === '/rest/v1/rpc/needs_setup') {
      const body = this.admin === undefined;
      await this.#meet();
      return { status: 200, body };
    }
    if (method === 'POST' && url === '/rest/v1/rpc/setup_admin') return this.#setup(body.p_user_id);
    if (method === 'POST' && url === '/auth/v1/admin/users') return this.#create(body.email, body.id);
    const refusal = this.refuse[url ?? ''];
    if (refusal !== undefined) return refusal;
    if (url === '/rest/v1/rpc/admit_node')
      return { status: 200, body: { user_id: this.admitted, email: 'node@invalid' } };
    if (url === '/auth/v1/token?grant_type=password') return { status: 200, body: sessionOf(body.email) };
    if (url === '/rest/v1/rpc/join_node') {
      this.joins.push(body);
      return { status: 200, body: { node_id: 'node-1', name: body.p_name } };
    }
    const id = /^\/auth\/v1\/admin\/users\/(.+)$/.exec(url ?? '')?.[1];
    if (method === 'DELETE' && id) return this.users.delete(id) ? { status: 200, body: {} } : { status: 404, body: {} };
    return { status: 404, body: { message: `no ${method} ${url}` } };
  }

  /** Lets the next `callers` all see that a setup is needed before any of them gets on. */
  expectTogether(callers: number): void {
    this.#callers = callers;
  }

  async #meet(): Promise<void> {
    if (this.#callers === 0) return;
    const met = new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#waiting.length === this.#callers) {
      this.#callers = 0;
      for (const go of this.#waiting.splice(0)) go();
    }
    await met;
  }

  #setup(userId: string): { status: number; body?: unknown } {
    const refusal = this.refuseSetup;
    this.refuseSetup = undefined;
    if (refusal) return refusal;
    if (this.admin !== undefined) {
      const body = { code: 'SETUP_DONE', message: 'setup is done', hint: 'stark auth login', details: null };
      return { status: 409, body };
    }
    this.admin = userId;
    return { status: 200, body: { user_id: userId } };
  }

  #create(email: string, id = randomUUID() as string): { status: number; body?: unknown } {
    if ([...this.users.values()].some((user) => user.email === email)) {
      return { status: 422, body: { code: 422, error_code: 'email_exists', msg: 'already registered' } };
    }
    const user = { id, email };
    this.users.set(user.id, user);
    return { status: 200, body: user };
  }
}

function sessionOf(email: string): object {
  const expires_at = Math.floor(Date.now() / 1000) + 3600;
  const user = { id: 'x', email, aud: 'authenticated', app_metadata: {}, user_metadata: {}, created_at: '' };
  return { access_token: 'a.b.c', refresh_token: 'refresh', token_type: 'bearer', expires_in: 3600, expires_at, user };
}
