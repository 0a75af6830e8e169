import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { TokenRefused } from '../authorization/token.js';
import { pause } from '../clock.js';
import type { Project } from '../project.js';
import type { Vsn } from '../wire/message.js';
import { ClientSocket } from './client-socket.js';
import type { Sockets } from './sockets.js';

const MAX_FRAME = 5_000_000;

/** An upgrade that is refused with a plain HTTP answer. */
class UpgradeRefused extends Error {
  override name = 'UpgradeRefused';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Turns upgrade requests into sockets. */
export class Upgrades {
  readonly #project: Project;
  readonly #sockets: Sockets;
  readonly #server = new WebSocketServer({
    noServer: true,
    // Frames are made once and written to all sockets, which compression per socket would forbid.
    perMessageDeflate: false,
    maxPayload: MAX_FRAME,
    clientTracking: false,
  });

  constructor(project: Project, sockets: Sockets) {
    this.#project = project;
    this.#sockets = sockets;
  }

  /** Accepts or refuses; never throws. */
  async accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const ignore = () => {};
    socket.on('error', ignore);
    const url = urlOf(request);
    if (url === null || !/^(\/socket)?\/websocket\/?$/.test(url.pathname)) return answer(socket, 404, null);
    const vsn = readVsn(url.searchParams.get('vsn'));
    if (vsn === null) return answer(socket, 403, null);
    try {
      const token = await this.#authorize(request, url);
      if (socket.destroyed) return;
      socket.off('error', ignore);
      this.#server.handleUpgrade(request, socket, head, (ws) => {
        const session = { vsn, token, headers: xHeaders(request) };
        this.#sockets.add(
          new ClientSocket(this.#project, ws, socket, session, (closed) => this.#sockets.remove(closed)),
        );
      });
    } catch (error) {
      await this.#refuse(socket, error);
    }
  }

  async #authorize(request: IncomingMessage, url: URL): Promise<string> {
    const header = request.headers['x-api-key'];
    const token = typeof header === 'string' ? header : url.searchParams.get('apikey');
    if (token === null) throw new UpgradeRefused(401, 'API key is missing');
    await this.#project.tokens.verify(token);
    const { limits } = this.#project.settings;
    if (this.#project.users >= limits.connections) {
      this.#project.breaches.warn(null, 'ConnectionRateLimitReached: Too many connected users', {
        limit: limits.connections,
      });
      throw new UpgradeRefused(429, 'Too many connected users');
    }
    if (this.#project.joins.triggered) {
      this.#project.breaches.warn(null, 'JoinsRateLimitReached: Too many joins per second', {
        limit: limits.joinsPerSecond,
      });
      throw new UpgradeRefused(429, 'Too many joins per second');
    }
    return token;
  }

  async #refuse(socket: Duplex, error: unknown): Promise<void> {
    const { status, message } = refusalOf(error);
    this.#project.log.warn({ status, reason: message }, 'refused a socket');
    await pause(this.#project.clock, this.#project.settings.connectErrorBackoffMs);
    answer(socket, status, message);
  }
}

function urlOf(request: IncomingMessage): URL | null {
  try {
    return new URL(request.url ?? '/', 'http://localhost');
  } catch {
    return null;
  }
}

function readVsn(value: string | null): Vsn | null {
  if (value === null || /^1\.0\.\d+$/.test(value)) return 1;
  return /^2\.0\.\d+$/.test(value) ? 2 : null;
}

function xHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith('x-') && value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

function refusalOf(error: unknown): { status: number; message: string } {
  if (error instanceof UpgradeRefused) return error;
  if (!(error instanceof TokenRefused) || error.fault === 'invalid') {
    return { status: 500, message: 'Error connecting to Realtime' };
  }
  return { status: 401, message: error.fault === 'expired' ? 'Token has expired' : error.message };
}

function answer(socket: Duplex, status: number, message: string | null): void {
  if (socket.destroyed) return;
  const body = message === null ? '' : JSON.stringify({ error: message });
  const type = message === null ? '' : 'content-type: application/json; charset=utf-8\r\n';
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n${type}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
