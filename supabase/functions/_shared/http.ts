import { ApiError, invalid } from './api-error.ts';

/** One request on its way through a function. */
export interface Call {
  request: Request;
  correlationId: string;
}

export type Handler = (call: Call) => Promise<Response> | Response;

/** Handlers by path (below the function's name) and method. */
export type Routes = Record<string, Partial<Record<string, Handler>>>;

const CORS = {
  'access-control-allow-origin': '*',
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
    const methods = routes[path];
    const correlationId = correlationIdOf(request);
    const response = await answer(request, path, methods, correlationId).catch((error) =>
      errorResponse(error, correlationId),
    );
    const allowed = methods ? [...Object.keys(methods), 'OPTIONS'].join(', ') : 'OPTIONS';
    for (const [name, value] of Object.entries(CORS)) response.headers.set(name, value);
    response.headers.set('access-control-allow-methods', allowed);
    response.headers.set('x-correlation-id', correlationId);
    if (response.status === 405) response.headers.set('allow', allowed);
    return response;
  };
}

async function answer(
  request: Request,
  path: string,
  methods: Routes[string] | undefined,
  correlationId: string,
): Promise<Response> {
  if (request.method === 'OPTIONS') return new Response(null, { status: 204 });
  if (!methods) throw new ApiError(404, 'NOT_FOUND', `there is nothing at ${path}`);
  const handler = methods[request.method];
  if (!handler) throw new ApiError(405, 'METHOD_NOT_ALLOWED', `${path} does not take ${request.method}`);
  return await handler({ request, correlationId });
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
