/** One row of `net.http_request_queue`. */
export interface QueuedRequest {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string | null> | null;
  readonly body: Uint8Array | null;
  readonly timeout_milliseconds: number;
}

/** One row of `net._http_response`, but for its time. */
export interface HttpResponseRow {
  readonly id: string;
  readonly status_code: number | null;
  readonly content_type: string | null;
  readonly headers: Record<string, string> | null;
  readonly content: string | null;
  readonly timed_out: boolean;
  readonly error_msg: string | null;
}

const USER_AGENT = 'pg_net/0.20.4';

/** Sends one request. Never fails: what goes wrong is the answer. Redirects are followed, as pg_net does. */
export async function sendRequest(request: QueuedRequest, stop: AbortSignal): Promise<HttpResponseRow> {
  const started = performance.now();
  const limit = request.timeout_milliseconds;
  // libcurl takes 0 as no limit.
  const timeout = limit > 0 ? AbortSignal.timeout(limit) : new AbortController().signal;
  try {
    const { protocol } = new URL(request.url);
    if (protocol !== 'http:' && protocol !== 'https:') return failed(request.id, 'Unsupported protocol');
    const response = await fetch(request.url, {
      method: request.method.toUpperCase(),
      headers: requestHeaders(request),
      body: request.body === null ? null : Buffer.from(request.body),
      signal: AbortSignal.any([timeout, stop]),
    });
    const content = await response.text();
    return {
      id: request.id,
      status_code: response.status,
      content_type: response.headers.get('content-type'),
      headers: Object.fromEntries(response.headers),
      // Text in Postgres has no NUL.
      content: content === '' ? null : content.replaceAll('\0', ''),
      timed_out: false,
      error_msg: null,
    };
  } catch (error) {
    if (timeout.aborted) {
      const total = (performance.now() - started).toFixed(6);
      const message = `Timeout of ${limit} ms reached. Total time: ${total} ms`;
      return { ...failed(request.id, message), timed_out: true };
    }
    return failed(request.id, stop.aborted ? 'the worker was stopped' : explain(error));
  }
}

function requestHeaders(request: QueuedRequest): Headers {
  // curl asks for no compression, so an answer arrives as the server has it.
  const headers = new Headers({ 'user-agent': USER_AGENT, 'accept-encoding': 'identity' });
  for (const [name, value] of Object.entries(request.headers ?? {})) headers.set(name, value ?? '');
  return headers;
}

function failed(id: string, message: string): HttpResponseRow {
  return {
    id,
    status_code: null,
    content_type: null,
    headers: null,
    content: null,
    timed_out: false,
    error_msg: message,
  };
}

/** In libcurl's words where it has some. */
function explain(error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  switch (cause?.code ?? (error as { code?: string }).code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return "Couldn't resolve host name";
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return "Couldn't connect to server";
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return 'Server returned nothing (no headers, no data)';
    case 'ERR_INVALID_URL':
      return 'URL using bad/illegal format or missing URL';
    default:
      return cause?.message ?? (error as Error).message;
  }
}
