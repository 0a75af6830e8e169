import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { RealtimeServer } from '@stark-o/realtime';

/** What the platform's gateway does in front of Realtime: the path, and `sb_` keys turned into JWTs. */
export interface TestGateway {
  url: string;
  /** Every upgrade and HTTP request goes to the server set last; null answers 503. */
  use(server: RealtimeServer | null): void;
  close(): Promise<void>;
}

export interface GatewayKeys {
  publishable: string;
  secret: string;
  anonJwt: string;
  serviceJwt: string;
}

function swapKeys(request: IncomingMessage, keys: GatewayKeys): void {
  const jwtOf = new Map([
    [keys.publishable, keys.anonJwt],
    [keys.secret, keys.serviceJwt],
  ]);
  const url = new URL(request.url ?? '/', 'http://gateway');
  const inQuery = jwtOf.get(url.searchParams.get('apikey') ?? '');
  if (inQuery) {
    url.searchParams.set('apikey', inQuery);
    request.url = url.pathname + url.search;
  }
  for (const header of ['apikey', 'x-api-key']) {
    const jwt = jwtOf.get(String(request.headers[header] ?? ''));
    if (jwt) request.headers[header] = jwt;
  }
  const bearer = jwtOf.get(String(request.headers.authorization ?? '').replace(/^Bearer /, ''));
  if (bearer) request.headers.authorization = `Bearer ${bearer}`;
}

/** Listens on a free port of 127.0.0.1. */
export async function startGateway(keys: GatewayKeys): Promise<TestGateway> {
  let current: RealtimeServer | null = null;
  const http: Server = createServer((request, response) => {
    if (request.url?.startsWith('/realtime/v1/api/') && current) {
      request.url = request.url.slice('/realtime/v1'.length);
      swapKeys(request, keys);
      current.handleRequest(request, response);
    } else response.writeHead(current ? 404 : 503).end();
  });
  http.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    if (!current) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
      return;
    }
    if (request.url?.startsWith('/realtime/v1/websocket')) request.url = request.url.slice('/realtime/v1'.length);
    swapKeys(request, keys);
    current.handleUpgrade(request, socket, head);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('No port was given');
  return {
    url: `http://127.0.0.1:${address.port}`,
    use: (server) => {
      current = server;
    },
    close: async () => {
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    },
  };
}
