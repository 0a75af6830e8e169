/**
 * An error that already is its HTTP answer. Lite's router hands out whatever `getResponse` of an uncaught error
 * returns, so throwing this replaces lite's own error table.
 */
export class ResponseError extends Error {
  readonly #status: number;
  readonly #body: unknown;
  readonly #headers: Record<string, string>;

  constructor(status: number, body: unknown, headers: Record<string, string> = {}) {
    super(`HTTP ${status} ${JSON.stringify(body)}`);
    this.name = 'ResponseError';
    this.#status = status;
    this.#body = body;
    this.#headers = headers;
  }

  getResponse(): Response {
    return new Response(JSON.stringify(this.#body), {
      status: this.#status,
      headers: { 'content-type': 'application/json; charset=utf-8', ...this.#headers },
    });
  }
}

/** 503 as PostgREST words a database that is not there. */
export function databaseUnavailable(): ResponseError {
  return new ResponseError(503, {
    code: 'PGRST001',
    details: null,
    hint: null,
    message: 'Database client error. Retrying the connection.',
  });
}

/** The fields of a Postgres error that reach a client. */
export interface DatabaseError {
  code: string;
  message: string;
  detail?: string;
  hint?: string;
}

/** True for an error that Postgres itself reported (it has an SQLSTATE), as against one of the driver or of lite. */
export function isDatabaseError(error: unknown): error is DatabaseError {
  return error instanceof Error && 'severity' in error && typeof (error as { code?: unknown }).code === 'string';
}

/** The answer PostgREST gives to a database error; `role` is the role the request ran as. */
export function postgrestError(error: DatabaseError, role: string): ResponseError {
  if (error.code === 'PGRST') return raisedResponse(error);
  const status = statusOf(error, role);
  const body = {
    code: error.code,
    details: error.detail ?? null,
    hint: error.hint ?? null,
    message: error.message,
  };
  return new ResponseError(status, body, status === 401 ? { 'www-authenticate': 'Bearer' } : {});
}

/** PostgREST's table of SQLSTATE classes; a more specific code stands before its class. */
const statuses: [prefix: string, status: number][] = [
  ['08', 503],
  ['09', 500],
  ['0L', 403],
  ['0P', 403],
  ['23503', 409],
  ['23505', 409],
  ['25006', 405],
  ['25', 500],
  ['28', 403],
  ['2D', 500],
  ['38', 500],
  ['39', 500],
  ['3B', 500],
  ['40', 500],
  ['53400', 500],
  ['53', 503],
  ['54', 500],
  ['55', 500],
  ['57P01', 503],
  ['57', 500],
  ['58', 500],
  ['F0', 500],
  ['HV', 500],
  ['P0001', 400],
  ['P0', 500],
  ['XX', 500],
  ['42883', 404],
  ['42P01', 404],
  ['42P17', 500],
];

function statusOf(error: DatabaseError, role: string): number {
  const { code, message } = error;
  if (code === '42501') return role === 'anon' ? 401 : 403;
  if (code === '21000') return message.endsWith('requires a WHERE clause') ? 400 : 500;
  if (code === '22023' && /^role .* does not exist$/.test(message)) return 401;
  const chosen = chosenStatus(code);
  if (chosen) return chosen;
  if (code.startsWith('PT')) return 500;
  return statuses.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 400;
}

/** The HTTP status that SQL chose with `raise sqlstate 'PT…'`: PostgREST and Auth answer with it. */
export function chosenStatus(code: string): number | undefined {
  const status = /^PT([2-5]\d\d)$/.exec(code)?.[1];
  return status === undefined ? undefined : Number(status);
}

/** `raise sqlstate 'PGRST'`: message and detail are JSON and become the response word for word. */
function raisedResponse(error: DatabaseError): ResponseError {
  const message = parseObject(error.message);
  if (typeof message?.code !== 'string' || typeof message.message !== 'string') {
    return unparsable(`Invalid JSON value for MESSAGE: '${error.message}'`, 'MESSAGE', ['code', 'message']);
  }
  const detail = parseObject(error.detail ?? '');
  if (typeof detail?.status !== 'number' || typeof detail.headers !== 'object' || detail.headers === null) {
    const why = error.detail
      ? `Invalid JSON value for DETAIL: '${error.detail}'`
      : 'DETAIL is missing in the RAISE statement';
    return unparsable(why, 'DETAIL', ['status', 'headers']);
  }
  const headers = Object.entries(detail.headers).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const body = {
    code: message.code,
    details: message.details ?? null,
    hint: message.hint ?? null,
    message: message.message,
  };
  const status = Number.isInteger(detail.status) && detail.status >= 200 && detail.status <= 599 ? detail.status : 500;
  return new ResponseError(
    status,
    body,
    Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
  );
}

function unparsable(details: string, part: 'MESSAGE' | 'DETAIL', keys: string[]): ResponseError {
  const optional = part === 'MESSAGE' ? "optional keys: 'details', 'hint'" : "optional key: 'status_text'";
  return new ResponseError(500, {
    code: 'PGRST121',
    details,
    hint: `${part} must be a JSON object with obligatory keys: ${keys.map((key) => `'${key}'`).join(', ')} and ${optional}.`,
    message: 'Could not parse JSON in the "RAISE SQLSTATE \'PGRST\'" error',
  });
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
