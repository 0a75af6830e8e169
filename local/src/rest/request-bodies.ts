import { ResponseError } from './errors.js';
import { columnDefault } from './json-values.js';
import type { Preferences } from './preferences.js';

/** What lite would stumble over, answered with 500, or changed on its way to Postgres, is refused here in the service's own words. */

type Kind = 'string' | 'number' | 'object' | 'list';

const authFields: Record<string, Kind> = {
  ...kinds(
    'string',
    'email phone password refresh_token token token_hash type new_email provider id_token auth_code code_verifier nonce channel',
  ),
  ...kinds('object', 'data'),
};
const storageFields: Record<string, Kind> = {
  ...kinds('string', 'id name prefix search bucketId sourceKey destinationKey destinationBucket'),
  ...kinds('number', 'limit offset expiresIn'),
  ...kinds('object', 'sortBy'),
  ...kinds('list', 'prefixes paths'),
};

/** Parts of Storage whose bodies are JSON; all others take files, which may be JSON too. */
const storageJson = /^\/storage\/v1\/(bucket|object\/(list|move|copy|sign|upload\/sign))\b/;

/** A request to Auth whose body, if there is one, is an object with fields of the right kinds. */
export function checkAuthBody(request: Request): Promise<Request> {
  return withObject(request, authFields, (why) => {
    const msg = `Could not parse request body as JSON: ${why}`;
    return new ResponseError(400, { code: 400, error_code: 'bad_json', msg }, { 'x-sb-error-code': 'bad_json' });
  });
}

/** A request to Storage whose key, and whose body where that is JSON, can be understood. */
export async function checkStorageRequest(request: Request): Promise<Request> {
  const { pathname } = new URL(request.url);
  if (/%00/.test(pathname)) throw storageRefusal('InvalidKey', 'a key has no NUL');
  if (request.method !== 'DELETE' && !storageJson.test(pathname)) return request;
  return withObject(request, storageFields, (why) => storageRefusal('Error', `body: ${why}`));
}

/** Only a text with one of these can hold a number that JavaScript cannot. */
const suspicious = /\d{16}|[eE]\+?\d{3}/;
const stringOrNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** A request to REST whose body lite reads as PostgREST would. */
export async function prepareRestBody(request: Request, { missing }: Preferences): Promise<Request> {
  if (!['POST', 'PATCH', 'PUT'].includes(request.method)) return request;
  // To PostgREST a body of no type is JSON; a Request that is given a text would call it text/plain.
  if (!request.headers.has('content-type')) request.headers.set('content-type', 'application/json');
  if (!request.body || !isJson(request)) return request;
  const text = await request.text();
  checkNumbers(text);
  const columns = request.method === 'PUT' ? undefined : columnsOf(new URL(request.url));
  return new Request(request, { body: columns ? withColumns(text, columns, missing) : text });
}

/** No number that lite would change: 1e999 would become null, and null means something else. */
function checkNumbers(text: string): void {
  const lost = suspicious.test(text) ? text.match(stringOrNumber)?.find(isLost) : undefined;
  if (lost === undefined) return;
  throw new ResponseError(400, {
    code: '22003',
    details: null,
    hint: 'Send it as a string, or a smaller one.',
    message: `the number ${lost.slice(0, 80)} is out of range`,
  });
}

/** The columns that `?columns=` of an insert or update names. */
function columnsOf(url: URL): string[] | undefined {
  const columns = url.pathname.startsWith('/rest/v1/rpc/') ? null : url.searchParams.get('columns');
  return columns?.split(',').map((column) => column.trim().replace(/^"(.*)"$/, '$1'));
}

/**
 * Objects that have every column: what is missing is null, or the default where `Prefer: missing=default` says so. Lite
 * would write the default in either case and show null in either case.
 */
function withColumns(text: string, columns: string[], missing: Preferences['missing']): string {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return text;
  }
  const filler = missing === 'default' ? columnDefault : null;
  const filled = (value: unknown) =>
    kindOf(value) === 'object'
      ? { ...Object.fromEntries(columns.map((column) => [column, filler])), ...(value as object) }
      : value;
  return JSON.stringify(Array.isArray(body) ? body.map(filled) : filled(body));
}

async function withObject(
  request: Request,
  fields: Record<string, Kind>,
  refuse: (why: string) => ResponseError,
): Promise<Request> {
  if (!request.body || !isJson(request)) return request;
  const text = await request.text();
  const why = text === '' ? undefined : problemOf(text, fields);
  if (why !== undefined) throw refuse(why);
  return new Request(request, { body: text });
}

function problemOf(text: string, fields: Record<string, Kind>): string | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  if (kindOf(body) !== 'object') return 'it must be an object';
  for (const [name, value] of Object.entries(body as object)) {
    const wanted = fields[name];
    if (wanted === undefined || value === null) continue;
    if (kindOf(value) !== wanted) return `${name} must be ${wanted === 'object' ? 'an' : 'a'} ${wanted}`;
    const texts = wanted === 'list' ? (value as unknown[]) : [value];
    if (wanted === 'list' && texts.some((one) => typeof one !== 'string')) return `${name} must be a list of strings`;
    if (texts.some((one) => typeof one === 'string' && one.includes('\0'))) return `${name} has a NUL`;
  }
  return undefined;
}

function kindOf(value: unknown): Kind | undefined {
  if (Array.isArray(value)) return 'list';
  if (value === null) return undefined;
  const type = typeof value;
  return type === 'string' || type === 'number' || type === 'object' ? type : undefined;
}

function kinds(kind: Kind, names: string): Record<string, Kind> {
  return Object.fromEntries(names.split(' ').map((name) => [name, kind]));
}

const isJson = (request: Request) => /\bjson\b/.test(request.headers.get('content-type') ?? 'json');

function isLost(token: string): boolean {
  if (token.startsWith('"')) return false;
  const number = Number(token);
  return !Number.isFinite(number) || (/^-?\d+$/.test(token) && !Number.isSafeInteger(number));
}

const storageRefusal = (error: string, message: string) =>
  new ResponseError(400, { statusCode: '400', error, message });
