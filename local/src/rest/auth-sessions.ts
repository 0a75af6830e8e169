import { decodeJwt, SignJWT } from 'jose';
import { sql } from 'kysely';
import type { Database } from './database.js';

export interface AuthSessionsOptions {
  database: Database;
  jwtSecret: string;
  issuer: () => string;
  signupEnabled: boolean;
}

interface SessionBody {
  access_token: string;
  refresh_token: string;
  user: {
    id: string;
    phone?: string;
    is_anonymous?: boolean;
    app_metadata?: unknown;
    user_metadata?: unknown;
  };
}

const issuing = new Set(['/auth/v1/token', '/auth/v1/signup', '/auth/v1/verify']);

/**
 * What lite's Auth leaves out of a session: the claims GoTrue puts into a token (`iss`, `app_metadata`,
 * `user_metadata`, `aal`, `amr`, `phone`, `is_anonymous`), and the refusal of banned users.
 */
export class AuthSessions {
  readonly #options: AuthSessionsOptions;
  readonly #secret: Uint8Array;

  constructor(options: AuthSessionsOptions) {
    this.#options = options;
    this.#secret = new TextEncoder().encode(options.jwtSecret);
  }

  /** Passes a request to lite and completes the session in its answer, if there is one. */
  async around(request: Request, next: (request: Request) => Promise<Response>): Promise<Response> {
    const url = new URL(request.url);
    if (request.method !== 'POST') return next(request);
    if (url.pathname === '/auth/v1/otp') return next(await this.#withoutSignup(request));
    if (!issuing.has(url.pathname)) return next(request);
    const text = await request.text();
    if (await this.#isBannedBy(parse(text))) return refusal(400, 'user_banned', 'User is banned');
    const response = await next(new Request(request.url, { method: 'POST', headers: request.headers, body: text }));
    if (!response.ok) return response;
    const body = (await response.json()) as Partial<SessionBody>;
    if (!isSession(body)) return respond(body, response);
    const method = url.searchParams.get('grant_type') === 'refresh_token' ? 'token_refresh' : methodOf(url.pathname);
    return respond({ ...body, access_token: await this.#complete(body, method) }, response);
  }

  async #complete(session: SessionBody, method: string): Promise<string> {
    const claims = decodeJwt(session.access_token);
    const { user } = session;
    return new SignJWT({
      ...claims,
      iss: this.#options.issuer(),
      phone: user.phone ?? '',
      app_metadata: user.app_metadata ?? {},
      user_metadata: user.user_metadata ?? {},
      aal: 'aal1',
      amr: [{ method, timestamp: claims.iat }],
      is_anonymous: user.is_anonymous ?? false,
    })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(this.#secret);
  }

  /** Looked up before lite answers, so that a banned user's refresh token is not used up. */
  async #isBannedBy(
    body: { email?: unknown; refresh_token?: unknown; token_hash?: unknown } | undefined,
  ): Promise<boolean> {
    const text = (value: unknown) => (typeof value === 'string' ? value : null);
    const { rows } = await sql`
      select from auth.users u
      where u.banned_until > now() and (
        u.email = lower(${text(body?.email)})
        or u.id = (select t.user_id from auth.refresh_tokens t where t.token = ${text(body?.refresh_token)} limit 1)
        or ${text(body?.token_hash)} in (u.confirmation_token, u.recovery_token, u.email_change_token_new))
    `.execute(this.#options.database);
    return rows.length > 0;
  }

  /** With sign-up off, a one-time password may only go to someone who is there; lite would make the user. */
  async #withoutSignup(request: Request): Promise<Request> {
    if (this.#options.signupEnabled) return request;
    const text = await request.text();
    const body = parse(text);
    const changed = body ? JSON.stringify({ ...body, create_user: false }) : text;
    return new Request(request.url, { method: 'POST', headers: request.headers, body: changed });
  }
}

/** An answer of the Auth API that refuses: GoTrue's shape, with its code in a header too. */
export function refusal(status: number, code: string, message: string, extra: object = {}): Response {
  return Response.json(
    { code: status, error_code: code, msg: message, ...extra },
    { status, headers: { 'x-sb-error-code': code } },
  );
}

function methodOf(path: string): string {
  return path === '/auth/v1/verify' ? 'otp' : 'password';
}

function isSession(body: Partial<SessionBody>): body is SessionBody {
  return typeof body.access_token === 'string' && typeof body.user?.id === 'string';
}

function respond(body: unknown, original: Response): Response {
  const headers = new Headers(original.headers);
  headers.delete('content-length');
  return new Response(JSON.stringify(body), { status: original.status, headers });
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
