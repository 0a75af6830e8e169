import { ApiError, invalid } from './api-error.ts';
import { requireKey } from './environment.ts';

/** One request on its way through a function. */
export interface Call {
  request: Request;
  correlationId: string;
}

export type Handler = (call: Call) => Promise<Response> | Response;

/** What a path (below the function's name) answers. */
export interface Route {
  /** Handlers by HTTP method. */
  methods: Partial<Record<string, Handler>>;
  /** Whether web pages may call it: those that show a key of the project, or none at all where no page holds what is asked for. */
  pages: 'with key' | 'none';
  /** Whether it answers who shows no key: only that it is there. */
  keyless?: true;
}

export type Routes = Record<string, Route>;

const ANY_ORIGIN = { 'access-control-allow-origin': '*' };
const CORS = {
  'access-control-allow-headers': 'authorization, apikey, content-type, x-client-info, x-correlation-id',
  'access-control-expose-headers': 'x-correlation-id',
  'access-control-max-age': '86400',
};

const MAX_BODY_BYTES = 64 * 1024;

export function json(body: unknown, status = 200): Response {
  return Response.json(body, { status });
}

/** Makes the request handler of a function: routing, CORS, correlation id, and one shape for every error. */
export function serveRoutes(functionName: string, routes: Routes): (request: Request) => Promise<Response> {
  // Hosted functions see `/<name>/…`; behind some gateways the whole public path arrives.
  const prefix = new RegExp(`^(?:/functions/v1)?/${functionName}(?=/|$)`);
  return async (request) => {
    const path = new URL(request.url).pathname.replace(prefix, '').replace(/\/+$/, '') || '/';
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    const correlationId = correlationIdOf(request);
    const response = await answer(request, path, route, correlationId).catch((error) =>
      errorResponse(error, correlationId),
    );
    const allowed = route ? [...Object.keys(route.methods), 'OPTIONS'].join(', ') : 'OPTIONS';
    const headers = route?.pages === 'none' ? CORS : { ...CORS, ...ANY_ORIGIN };
    for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
    response.headers.set('access-control-allow-methods', allowed);
    response.headers.set('x-correlation-id', correlationId);
    if (response.status === 405) response.headers.set('allow', allowed);
    return response;
  };
}

async function answer(
  request: Request,
  path: string,
  route: Route | undefined,
  correlationId: string,
): Promise<Response> {
  if (request.method === 'OPTIONS') return new Response(null, { status: 204 });
  if (!route) throw new ApiError(404, 'NOT_FOUND', `there is nothing at ${path}`);
  const handler = Object.hasOwn(route.methods, request.method) ? route.methods[request.method] : undefined;
  if (!handler) throw new ApiError(405, 'METHOD_NOT_ALLOWED', `${path} does not take ${request.method}`);
  refuseForeignPages(request, path, route);
  if (!route.keyless) await requireKey(request);
  if (request.method !== 'GET' && request.method !== 'HEAD') requireJson(request);
  return await handler({ request, correlationId });
}

/**
 * A page of anybody's site may send requests from the browser of a visitor, to a stack on that person's machine too.
 * Where pages may call, the key is what a foreign page does not have; an operator can name the pages beside.
 */
function refuseForeignPages(request: Request, path: string, { pages }: Route): void {
  const origin = request.headers.get('origin');
  const crossed = /^(cross|same)-site$/.test(request.headers.get('sec-fetch-site') ?? '');
  if (origin === null && !crossed) return;
  if (pages === 'none') throw new ApiError(403, 'ORIGIN_NOT_ALLOWED', `${path} is not for web pages`);
  const listed = Deno.env.get('STARK_ALLOWED_ORIGINS');
  if (!listed || listed.split(',').some((one) => one.trim() === origin)) return;
  const message = `pages of ${origin ?? 'another site'} may not call this`;
  throw new ApiError(403, 'ORIGIN_NOT_ALLOWED', message, 'add it to STARK_ALLOWED_ORIGINS of the functions');
}

// What a plain form sends crosses origins without a question; of the three types that it can send, none is JSON.
function requireJson(request: Request): void {
  const type = request.headers.get('content-type') ?? '';
  if (/^application\/json\s*(;|$)/i.test(type)) return;
  throw new ApiError(415, 'UNSUPPORTED_MEDIA_TYPE', 'the body must be sent as content-type application/json');
}

/** Reads a body that must be a JSON object. */
export async function readObject(request: Request): Promise<Record<string, unknown>> {
  const text = await readText(request);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('the body', 'must be JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('the body', 'must be a JSON object');
  return value as Record<string, unknown>;
}

// Piece by piece, since anybody may send anything: what is too large is refused before it is there.
async function readText(request: Request): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const piece of request.body ?? []) {
    size += piece.length;
    if (size > MAX_BODY_BYTES) throw new ApiError(413, 'TOO_LARGE', `the body is larger than ${MAX_BODY_BYTES} bytes`);
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

// Taken over only when it can do no harm in a header or a log line.
function correlationIdOf(request: Request): string {
  const given = request.headers.get('x-correlation-id');
  return given && /^[\w.:-]{1,128}$/.test(given) ? given : crypto.randomUUID();
}

function errorResponse(error: unknown, correlationId: string): Response {
  const known = error instanceof ApiError;
  if (!known || error.status >= 500) {
    const { message, stack } = error as Error;
    console.error(JSON.stringify({ level: 'error', message, correlation_id: correlationId, stack }));
  }
  const { status, code, message, hint, details } = known
    ? error
    : new ApiError(500, 'INTERNAL', `internal error, look for ${correlationId} in the function's log`);
  return json({ error: { code, message, hint, details } }, status);
}
