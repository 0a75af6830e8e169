import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Claims, TokenRefused } from '../authorization/token.js';
import type { Project } from '../project.js';
import { broadcastBatch } from './http-batch.js';
import { type BroadcastRequest, HttpProblem } from './http-problem.js';
import { broadcastSingle } from './http-single.js';

/** Plug reads no more than this of a body. */
const MAX_BODY = 8_000_000;

/** Answers `POST /api/broadcast` and `POST /api/broadcast/<topic>/events/<event>`; never throws. */
export async function handleHttp(project: Project, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('access-control-allow-origin', '*');
  try {
    if (request.method === 'OPTIONS') return preflight(request, response);
    await handleBroadcast(project, request, response);
    response.writeHead(202).end();
  } catch (error) {
    if (!(error instanceof HttpProblem)) project.log.error({ err: error }, 'UnknownErrorOnController');
    const problem = error instanceof HttpProblem ? error : new HttpProblem(500, { message: 'Internal server error' });
    if (response.headersSent) return void response.destroy();
    response.writeHead(problem.status, { 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify(problem.body));
  }
}

function preflight(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('access-control-allow-methods', 'POST, OPTIONS');
  response.setHeader('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '*');
  response.writeHead(204).end();
}

async function handleBroadcast(project: Project, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const single = /^\/api\/broadcast\/([^/]+)\/events\/([^/]+)\/?$/.exec(url.pathname);
  if (request.method !== 'POST' || (single === null && !/^\/api\/broadcast\/?$/.test(url.pathname))) {
    throw new HttpProblem(404, { message: 'not found' });
  }
  const contentType = request.headers['content-type'] ?? null;
  if (single !== null) checkContentType(contentType);
  limitRate(project, response);
  const claims = await authorize(project, request);
  const body = await readBody(request);
  const broadcast: BroadcastRequest = { claims, headers: headersOf(request), contentType, body };
  if (single === null) return broadcastBatch(project, broadcast);
  const isPrivate = url.searchParams.get('private') === 'true';
  return broadcastSingle(project, broadcast, decoded(single[1]), decoded(single[2]), isPrivate);
}

function checkContentType(contentType: string | null): void {
  if (contentType === null || /^application\/(json|octet-stream)\s*(;|$)/i.test(contentType)) return;
  const error = 'Unsupported Media Type. Use application/json or application/octet-stream';
  throw new HttpProblem(415, { error });
}

function limitRate(project: Project, response: ServerResponse): void {
  const limit = project.settings.limits.messagesPerSecond;
  const rolling = Math.trunc(project.messages.average);
  response.setHeader('x-rate-rolling', rolling);
  response.setHeader('x-rate-limit', limit);
  response.setHeader('x-rate-limit-remaining', limit - rolling);
  if (rolling >= limit) {
    project.breaches.warn(null, 'refused a broadcast over HTTP: too many messages per second', { rolling, limit });
    throw new HttpProblem(429, { message: 'Too many requests' });
  }
}

async function authorize(project: Project, request: IncomingMessage): Promise<Claims> {
  const unauthorized = new HttpProblem(401, { message: 'Unauthorized' });
  const bearer = /^bearer ([^ ]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const token = bearer ?? request.headers.apikey;
  if (typeof token !== 'string') throw unauthorized;
  try {
    return await project.tokens.verify(token);
  } catch (error) {
    if (error instanceof TokenRefused) throw unauthorized;
    throw error;
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new HttpProblem(413, { message: 'Request Entity Too Large' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function headersOf(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

function decoded(part: string | undefined): string {
  try {
    return decodeURIComponent(part ?? '');
  } catch {
    throw new HttpProblem(400, { message: 'Bad Request' });
  }
}
