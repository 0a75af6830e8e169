import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ReservedPort } from '../port.js';
import { bearerOf } from '../rest/bearer.js';
import { ResponseError } from '../rest/errors.js';
import type { ApiKeys } from './api-keys.js';
import { allowOrigins, answerPreflight, anyOrigin, isFromPage, isPreflight } from './cors.js';
import { type BodyTooLarge, headersOf, sendResponse, toRequest } from './exchange.js';
import { identityPath, nonceOf, type StackIdentity } from './identity.js';
import { functionOf, needsKey, type Route, routeOf, type Service } from './routes.js';

/** What the gateway needs of the Realtime server. */
export interface RealtimeHandler {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
}

/** What the gateway needs of the Edge Functions. */
export interface FunctionsHandler {
  fetch(name: string, request: Request): Promise<Response>;
  upgrade(name: string, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
}

/** The state of the stack, for GET /health. */
export interface Health {
  status: 'ok' | 'degraded' | 'starting' | 'stopping';
  services: Record<string, unknown>;
  versions: Record<string, string>;
}

export interface GatewayOptions {
  /** Kept for us since the first look at this machine. */
  port: ReservedPort;
  keys: ApiKeys;
  lite: { fetch(request: Request): Promise<Response> };
  realtime: RealtimeHandler;
  functions: FunctionsHandler;
  health: () => Promise<Health>;
  /** What proves to agents and commands that this is the stack they know. */
  identity?: StackIdentity;
  /** The largest body per service; Storage takes its file limit and the rest of a multipart form. */
  bodyLimits?: Partial<Record<Service, number>>;
  log: Logger;
}

const mebibyte = 1024 * 1024;
const defaultLimits: Record<Service, number> = {
  auth: mebibyte,
  rest: 16 * mebibyte,
  storage: 50 * mebibyte + 65_536,
  realtime: 4 * mebibyte,
  functions: 16 * mebibyte,
};

/** All others, such as TRACE, no service behind the gateway knows. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** The one HTTP port: routes by prefix, checks API keys, answers preflights, and carries bodies both ways. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #log: Logger;
  readonly #server: Server;
  readonly #upgraded = new Set<Duplex>();
  #closing = false;
  #underWay = 0;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#log = options.log.child({ service: 'gateway' });
    this.#server = createServer((request, response) => void this.#handle(request, response));
    // Uploads and functions may take minutes; the services have deadlines of their own.
    this.#server.requestTimeout = 0;
    this.#server.keepAliveTimeout = 65_000;
    this.#server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
  }

  /** Listens and settles with the port. */
  async listen(): Promise<number> {
    await this.#options.port.handTo(this.#server);
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * Lets what is under way finish until the deadline, and refuses what comes. The port stays ours: what still runs here and calls
   * it with a secret key, an Edge Function for example, must not find somebody else there.
   */
  async drain(deadlineMs = 5000): Promise<void> {
    this.#closing = true;
    for (const socket of this.#upgraded) socket.end();
    this.#server.closeIdleConnections();
    const deadline = performance.now() + deadlineMs;
    while (this.#underWay > 0 && performance.now() < deadline) await sleep(20);
    for (const socket of this.#upgraded) socket.destroy();
  }

  /** Stops accepting, lets what is under way finish until the deadline, then cuts every connection. */
  async close(deadlineMs = 5000): Promise<void> {
    if (!this.#server.listening) return;
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    for (const socket of this.#upgraded) socket.end();
    const cut = setTimeout(() => {
      this.#server.closeAllConnections();
      for (const socket of this.#upgraded) socket.destroy();
    }, deadlineMs);
    await closed;
    clearTimeout(cut);
    for (const socket of this.#upgraded) socket.destroy();
  }

  async #handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    const correlation = correlationOf(message);
    response.setHeader('x-correlation-id', correlation);
    let path = '';
    if (this.#closing) {
      response.setHeader('connection', 'close');
      return void answer(response, 503, { message: 'the stack is stopping' });
    }
    this.#underWay += 1;
    response.once('close', () => {
      this.#underWay -= 1;
      const ms = Math.round(performance.now() - started);
      const status = response.headersSent ? response.statusCode : 499;
      this.#log.debug({ method: message.method, path, status, ms, correlation_id: correlation }, 'request');
      // The last answer of a connection leaves it idle, and idle connections would hold the server open.
      if (this.#closing) setImmediate(() => this.#server.closeIdleConnections());
    });
    try {
      const url = urlOf(message);
      if (!url) return void answer(response, 400, { message: 'Bad request' });
      path = url.pathname;
      if (!methods.has(message.method ?? '')) return void answer(response, 405, { message: 'Method not allowed' });
      await this.#dispatch(message, response, url);
    } catch (error) {
      this.#log.error({ err: error, path, correlation_id: correlation }, 'request failed');
      if (response.headersSent) response.destroy();
      else answer(response, 500, { message: 'An unexpected error occurred' });
    }
  }

  async #dispatch(message: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (url.pathname === '/health') return this.#health(message, response, url);
    if (url.pathname === identityPath) return this.#prove(message, response, url);
    const route = routeOf(url.pathname);
    if (!route) return answer(response, 404, { message: 'no Route matched with those values' });
    // A hosted function answers its preflights itself; everywhere else the gateway does.
    if (route.service !== 'functions' && isPreflight(message)) return answerPreflight(message, response);
    if (route.service === 'realtime') return this.#realtime(message, response, url, route);

    const headers = headersOf(message);
    headers.set('x-correlation-id', String(response.getHeader('x-correlation-id')));
    // A hosted function gets what the client sent, and checks it itself or has the platform look for a JWT.
    const refused = route.service === 'functions' ? undefined : await this.#checkKey(headers, url, route);
    if (refused) return sendWithCors(refused, response);
    const limit = this.#options.bodyLimits?.[route.service] ?? defaultLimits[route.service];
    if (Number(message.headers['content-length'] ?? 0) > limit) return sendWithCors(tooLarge(route.service), response);
    let large: BodyTooLarge | undefined;
    const request = toRequest(message, response, {
      url,
      headers,
      bodyLimit: limit,
      onTooLarge: (error) => {
        large = error;
      },
    });
    let result: Response;
    try {
      result = await this.#serve(route, request);
    } catch (error) {
      if (!(error instanceof ResponseError) && !large) throw error;
      result = error instanceof ResponseError ? error.getResponse() : tooLarge(route.service);
    }
    await sendWithCors(large && result.status >= 400 ? tooLarge(route.service) : result, response);
  }

  /**
   * For programs that watch over this machine, and for no web page, since each of the user's browser could ask: what runs here and
   * in which version is nobody's business on the web. A page that has its own name lead here says so by that name.
   */
  async #health(message: IncomingMessage, response: ServerResponse, { hostname }: URL): Promise<void> {
    if (isFromPage(message)) return answer(response, 403, { message: 'not for web pages' }, {});
    const health = await this.#options.health();
    const shown = isNameOfThisMachine(hostname) ? health : { status: health.status };
    answer(response, health.status === 'ok' ? 200 : 503, shown, {});
  }

  #prove(message: IncomingMessage, response: ServerResponse, url: URL): void {
    const { identity } = this.#options;
    const nonce = nonceOf(url);
    if (identity === undefined) answer(response, 404, { message: 'no Route matched with those values' });
    else if (isFromPage(message)) answer(response, 403, { message: 'not for web pages' }, {});
    else if (nonce === undefined) answer(response, 400, { message: 'it takes a nonce of 16 to 64 bytes in base64url' });
    else answer(response, 200, identity.prove(nonce, message.socket), {});
  }

  #serve(route: Route, request: Request): Promise<Response> {
    if (route.service !== 'functions') return this.#options.lite.fetch(request);
    return this.#options.functions.fetch(functionOf(route.rest).name, request);
  }

  /**
   * Takes the API key from its header or the query, and refuses where the hosted gateway does. A key of the new kind is
   * no token: as bearer token it counts for nothing beside the same key, and without one it is no key.
   */
  async #checkKey(headers: Headers, url: URL, route: Route): Promise<Response | undefined> {
    const key = headers.get('apikey') ?? url.searchParams.get('apikey');
    url.searchParams.delete('apikey');
    if (!key) return needsKey(route) ? missingKey() : undefined;
    headers.set('apikey', key);
    const role = await this.#options.keys.roleOf(key);
    if (needsKey(route) && !role) return invalidKey();
    if (role && key === this.#options.keys.secret && isBrowser(headers)) return secretInBrowser();
    if (key.startsWith('sb_') && bearerOf(headers.get('authorization')) === key) headers.delete('authorization');
    return undefined;
  }

  async #realtime(message: IncomingMessage, response: ServerResponse, url: URL, route: Route): Promise<void> {
    const refused = await this.#swapForRealtime(message, url, route.rest);
    if (refused) return sendWithCors(refused, response);
    response.setHeader('access-control-allow-origin', '*');
    this.#options.realtime.handleRequest(message, response);
  }

  /** Rewrites path, query and headers so that the Realtime server sees its own paths and nothing but JWTs. */
  async #swapForRealtime(message: IncomingMessage, url: URL, path: string): Promise<Response | undefined> {
    const { keys } = this.#options;
    const shown = message.headers.apikey;
    const bearer = bearerOf(message.headers.authorization ?? null);
    if (bearer?.startsWith('sb_')) {
      if (shown === undefined) return missingKey();
      // Beside the same key it says nothing new; any other is left for Realtime, which takes JWTs only.
      if (bearer === shown) delete message.headers.authorization;
    }
    for (const name of ['apikey', 'x-api-key'] as const) {
      const value = message.headers[name];
      if (typeof value !== 'string') continue;
      const jwt = await keys.swap(value);
      if (!jwt) return invalidKey();
      message.headers[name] = jwt;
    }
    const query = url.searchParams.get('apikey');
    if (query !== null) {
      const jwt = await keys.swap(query);
      if (!jwt) return invalidKey();
      url.searchParams.set('apikey', jwt);
    }
    message.url = `${path}${url.search}`;
    return undefined;
  }

  async #upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (this.#closing) return refuseUpgrade(socket, 503, { message: 'the stack is stopping' });
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    socket.on('error', (error) => this.#log.debug({ err: error }, 'upgraded connection broke'));
    try {
      const url = urlOf(message);
      const route = url && routeOf(url.pathname);
      if (!url || !route) return refuseUpgrade(socket, 404, { message: 'no Route matched with those values' });
      if (route.service === 'realtime') {
        const path = route.rest === '/websocket' ? '/socket/websocket' : route.rest;
        const refused = await this.#swapForRealtime(message, url, path);
        if (refused) return refuseUpgrade(socket, refused.status, await refused.json());
        return this.#options.realtime.handleUpgrade(message, socket, head);
      }
      if (route.service === 'functions') {
        return await this.#options.functions.upgrade(functionOf(route.rest).name, message, socket, head);
      }
      refuseUpgrade(socket, 404, { message: 'no Route matched with those values' });
    } catch (error) {
      this.#log.error({ err: error }, 'upgrade failed');
      refuseUpgrade(socket, 500, { message: 'An unexpected error occurred' });
    }
  }
}

function urlOf(message: IncomingMessage): URL | undefined {
  try {
    const url = new URL(message.url ?? '/', `http://${message.headers.host ?? '127.0.0.1'}`);
    return url.protocol === 'http:' ? url : undefined;
  } catch {
    return undefined;
  }
}

/** The caller's correlation id when it is a sane one, else a new one. */
function correlationOf(message: IncomingMessage): string {
  const given = message.headers['x-correlation-id'];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

const missingKey = () =>
  Response.json(
    { message: 'No API key found in request', hint: 'No `apikey` request header or url param was found.' },
    { status: 401, headers: { 'sb-error-code': 'UNAUTHORIZED_MISSING_API_KEY' } },
  );

const invalidKey = () =>
  Response.json(
    { message: 'Invalid API key', hint: 'Double check your Supabase `anon` or `service_role` API key.' },
    { status: 401, headers: { 'sb-error-code': 'UNAUTHORIZED_INVALID_API_KEY' } },
  );

const secretInBrowser = () =>
  Response.json(
    {
      message: 'Forbidden use of secret API key in browser',
      hint: 'Secret API keys can only be used in a protected environment and should never be used in a browser. Delete this secret API key immediately!',
    },
    { status: 401, headers: { 'sb-error-code': 'UNAUTHORIZED_INVALID_API_KEY_TYPE' } },
  );

/** The hosted gateway tells browsers by how they call themselves. */
const isBrowser = (headers: Headers) => /^\s*Mozilla\/5\.0\b/i.test(headers.get('user-agent') ?? '');

function tooLarge(service: Service): Response {
  const message = 'The object exceeded the maximum allowed size';
  const body =
    service === 'storage'
      ? { statusCode: '413', error: 'Payload too large', message }
      : { message: 'Request body too large' };
  return Response.json(body, { status: 413 });
}

async function sendWithCors(answered: Response, response: ServerResponse): Promise<void> {
  const headers = new Headers(answered.headers);
  allowOrigins(headers);
  const open = new Response(answered.body, { status: answered.status, statusText: answered.statusText, headers });
  await sendResponse(open, response);
}

/** An address, or a name that no public name server can give to a page. */
const isNameOfThisMachine = (hostname: string) => /^(\[.*\]|[\d.]+|[^.]+|.+\.localhost)$/.test(hostname);

function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  cors: Record<string, string> = anyOrigin,
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...cors,
  });
  response.end(text);
}

function refuseUpgrade(socket: Duplex, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}
