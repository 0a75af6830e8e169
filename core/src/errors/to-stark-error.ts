import { StarkError } from './stark-error.js';

/** What is known about the request beside the error object itself. */
export interface ErrorSource {
  /** Status of the HTTP answer, which PostgREST's error objects do not carry. */
  status?: number | undefined;
  /** Where the request went, so that an unreachable cluster is named. */
  url?: string | undefined;
}

interface Loose {
  name?: unknown;
  message?: unknown;
  code?: unknown;
  hint?: unknown;
  details?: unknown;
  status?: unknown;
  statusCode?: unknown;
  cause?: unknown;
  originalError?: unknown;
  context?: unknown;
  __isAuthError?: unknown;
  __isStorageError?: unknown;
}

// Codes of PostgREST and Postgres that a person meets, said in Stark's words. Everything else keeps its own code.
const TRANSLATED: Readonly<Record<string, { code: string; status?: number; message?: string; hint?: string }>> = {
  PGRST301: { code: 'NOT_SIGNED_IN', message: 'the session is not valid', hint: 'stark auth login' },
  PGRST302: { code: 'NOT_SIGNED_IN', message: 'not signed in', hint: 'stark auth login' },
  PGRST303: { code: 'NOT_SIGNED_IN', message: 'the session has expired', hint: 'stark auth login' },
  PGRST116: { code: 'NOT_FOUND', status: 404 },
  PGRST106: {
    code: 'SCHEMA_NOT_EXPOSED',
    status: 500,
    hint: 'add "stark" to [api] schemas of supabase/config.toml (hosted: Project Settings > API > Exposed schemas)',
  },
  PGRST202: { code: 'SCHEMA_MISMATCH', status: 500, hint: 'supabase db push' },
  PGRST205: { code: 'SCHEMA_MISMATCH', status: 500, hint: 'supabase db push' },
  '42501': { code: 'FORBIDDEN' },
  '23505': { code: 'ALREADY_EXISTS', status: 409 },
  '57014': { code: 'STATEMENT_TIMEOUT', status: 504 },
  // A statement that waited too long for a lock has changed nothing.
  '55P03': { code: 'CLUSTER_BUSY', status: 503, message: 'the cluster is busy', hint: 'try again' },
};

const NETWORK_FAILURE =
  /fetch failed|failed to fetch|load failed|networkerror|network error|econnrefused|econnreset|enotfound|eai_again|etimedout|socket hang up/i;

/** Makes a StarkError of whatever was thrown or returned: PostgREST, Auth, Storage, a failed fetch, anything else. */
export function toStarkError(error: unknown, source: ErrorSource = {}): StarkError {
  if (error instanceof StarkError) return error;
  if (typeof error !== 'object' || error === null) {
    return new StarkError(typeof error === 'string' ? error : 'unknown error', {
      code: 'UNKNOWN',
      status: source.status,
      cause: error,
    });
  }
  const loose = error as Loose;
  if (isNetworkFailure(loose, source)) return unreachable(error, source);
  if (loose.__isAuthError === true) return fromAuth(loose);
  if (loose.__isStorageError === true) return fromStorage(loose, source);
  const envelope = (error as { error?: unknown }).error;
  if (isEnvelopeBody(envelope)) return fromFields(envelope, source, error);
  return fromFields(loose, source, error);
}

function fromFields(fields: Loose, source: ErrorSource, cause: unknown): StarkError {
  const code = text(fields.code);
  const translated = code === undefined ? undefined : TRANSLATED[code];
  const status = translated?.status ?? source.status ?? number(fields.status);
  const message = translated?.message ?? text(fields.message) ?? 'unknown error';
  // Without a session the API role is `anon`, whose refusals are 401: signing in is the answer, not asking for rights.
  const refusedAnonymous = code === '42501' && status === 401;
  return new StarkError(message, {
    code: refusedAnonymous ? 'NOT_SIGNED_IN' : (translated?.code ?? code ?? codeOfStatus(status)),
    hint: text(fields.hint) ?? (refusedAnonymous ? 'stark auth login' : translated?.hint),
    details: fields.details === null || fields.details === '' ? undefined : fields.details,
    status,
    cause,
  });
}

function fromAuth(error: Loose): StarkError {
  const message = text(error.message) ?? 'sign-in failed';
  const status = number(error.status);
  if (error.name === 'AuthSessionMissingError') {
    return new StarkError('not signed in', {
      code: 'NOT_SIGNED_IN',
      status: 401,
      hint: 'stark auth login',
      cause: error,
    });
  }
  const code = text(error.code);
  // A refresh token that was revoked, used twice or expired ends the session: only signing in again helps.
  if (code !== undefined && /^(refresh_token|session)_/.test(code)) {
    return new StarkError(message, { code: 'NOT_SIGNED_IN', status: 401, hint: 'stark auth login', cause: error });
  }
  const wrongPassword = code === 'invalid_credentials' || message === 'Invalid login credentials';
  return new StarkError(message, {
    code: wrongPassword ? 'INVALID_CREDENTIALS' : (code?.toUpperCase() ?? codeOfStatus(status)),
    status,
    cause: error,
  });
}

function fromStorage(error: Loose, source: ErrorSource): StarkError {
  if (error.originalError !== undefined) return toStarkError(error.originalError, source);
  const declared = number(error.statusCode) ?? number(error.status);
  const message = text(error.message) ?? 'storage request failed';
  const code = error.statusCode === 'Duplicate' || declared === 409 ? 'ALREADY_EXISTS' : codeOfStatus(declared);
  return new StarkError(message, { code, status: declared, cause: error });
}

function isNetworkFailure(error: Loose, source: ErrorSource): boolean {
  if (source.status === 0) return error.name !== 'AbortError' && !/^AbortError/.test(text(error.message) ?? '');
  if (error.name === 'AuthRetryableFetchError') return true;
  if (source.status !== undefined || number(error.status) !== undefined) return false;
  const cause = error.cause as Loose | undefined;
  return NETWORK_FAILURE.test(`${text(error.message) ?? ''} ${text(cause?.code) ?? ''}`);
}

function unreachable(cause: unknown, source: ErrorSource): StarkError {
  const where = source.url === undefined ? 'the control plane' : source.url;
  const reason = reasonOf(cause as Loose);
  return new StarkError(`cannot reach ${where}${reason === undefined ? '' : `: ${reason}`}`, {
    code: 'UNREACHABLE',
    hint: reachingHint(source.url),
    cause,
  });
}

function reachingHint(url: string | undefined): string {
  const isHere = url === undefined || /^https?:\/\/(127\.|localhost|\[::1\])/.test(url);
  return isHere
    ? 'stark status; where it does not run, stark up --detach'
    : 'see whether the URL is right: stark context list';
}

// undici hides the reason in `cause`, and PostgREST's client flattens that into the text of `details`.
function reasonOf(error: Loose): string | undefined {
  const cause = error.cause as Loose | undefined;
  const inDetails = typeof error.details === 'string' ? /\(([A-Z_]+)\)/.exec(error.details)?.[1] : undefined;
  return text(cause?.code) ?? inDetails ?? text(cause?.message) ?? text(error.message);
}

function isEnvelopeBody(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null && typeof (value as Loose).message === 'string';
}

function codeOfStatus(status: number | undefined): string {
  switch (status) {
    case 401:
      return 'NOT_SIGNED_IN';
    case 403:
      return 'FORBIDDEN';
    case 404:
      return 'NOT_FOUND';
    case 409:
      return 'CONFLICT';
    case 413:
      return 'TOO_LARGE';
    case 429:
      return 'TOO_MANY_REQUESTS';
    case 502:
    case 503:
    case 504:
      return 'UNREACHABLE';
    default:
      return status === undefined ? 'UNKNOWN' : `HTTP_${status}`;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function number(value: unknown): number | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined;
}
