import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** What a path answers: JSON, or HTML when it is a text. */
export type Route = (request: IncomingMessage) => unknown;

/** An answer with a status of its own, thrown by a route. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Serves `routes` (by `METHOD /path`) until the returned function is called. */
export async function serve(routes: Record<string, Route>, port: number, host: string): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    void answer(routes, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
}

async function answer(
  routes: Record<string, Route>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?')[0];
  const route = routes[`${request.method === 'HEAD' ? 'GET' : request.method} ${path}`];
  try {
    if (!route) throw new HttpError(404, `there is nothing at ${path}`);
    const body = await route(request);
    const html = typeof body === 'string';
    send(response, 200, html ? body : JSON.stringify(body), html ? 'text/html; charset=utf-8' : 'application/json');
  } catch (error) {
    const status = error instanceof HttpError ? error.status : 500;
    send(response, status, JSON.stringify({ error: (error as Error).message }), 'application/json');
  }
}

function send(response: ServerResponse, status: number, body: string, type: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
}
