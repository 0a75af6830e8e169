import { createHmac, timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import { refusal } from './auth-sessions.js';
import type { Database } from './database.js';
import { KeyedMutex } from './keyed-mutex.js';

type Next = (request: Request) => Promise<Response>;

/** A code has six digits: after so many wrong ones it is void. */
const TRIES_PER_CODE = 5;
/** New codes to the same address add no tries beyond these. */
const TRIES_PER_HOUR = 30;
const HOUR_MS = 3_600_000;
/** SHA-224 or SHA-256 in hexadecimal. */
const HASH = /\b[0-9a-f]{56}(?:[0-9a-f]{8})?\b/g;

const VERIFY = '/auth/v1/verify';
const CODE = /^\d{6}$/;
/** What nobody has as a hash. */
const VOID = 'void';
const fields = ['token', 'token_hash', 'email', 'phone', 'type'];

interface Tries {
  /** The codes of the account that the tries were at. */
  codes: string;
  wrong: number;
  /** When each wrong one of the last hour came. */
  at: number[];
}

/**
 * The guard of one-time codes. The hash that a mailed link carries is one of the address and the code, so that who knows the
 * address could try codes as hashes too, in nobody's name: links carry a seal besides, and a hash without it is none.
 */
export class SignInCodes {
  readonly #tries = new Map<string, Tries>();
  readonly #mutex = new KeyedMutex();

  constructor(private readonly options: { database: Database; secret: string; now?: () => number }) {}

  /** The text of a mail, with the hashes in it sealed. */
  seal(text: string): string {
    return text.replace(HASH, (hash) => `${hash}.${this.#sealOf(hash)}`);
  }

  /** Passes a request to Auth, unless it tries a code that is void. */
  async around(request: Request, next: Next): Promise<Response> {
    const url = new URL(request.url);
    if (pathAsLiteReadsIt(url) !== VERIFY) return next(request);
    // Lite finds the route by the decoded path, and whatever comes after us by the path as it is written.
    url.pathname = VERIFY;
    // Lite answers HEAD as it answers GET, and signs in as well.
    if (request.method === 'GET') return next(new Request(this.#unsealed(url), { headers: request.headers }));
    if (request.method !== 'POST') return notAllowed();
    const body = objectIn(await request.text());
    if (body === undefined) return unreadable('it must be a JSON object');
    const wrong = fields.find((name) => !isText(body[name]));
    if (wrong !== undefined) return unreadable(`${wrong} must be a string`);
    const { token_hash: hash, token, email, ...rest } = body as Record<string, string | null | undefined>;
    const ask = (known: object) => {
      const headers = new Headers(request.headers);
      headers.set('content-type', 'application/json');
      return next(new Request(url, { method: 'POST', headers, body: JSON.stringify({ ...rest, ...known }) }));
    };
    if (hash) return ask({ token_hash: this.#unseal(hash) });
    if (!email || !token) return ask({});
    // Lite looks for the hash of address and code in one: what is no code could be one and a part of the address.
    if (!CODE.test(token)) return refusal(400, 'validation_failed', 'Token must be a code of six digits');
    return this.#mutex.run(email.toLowerCase(), () => this.#try(email.toLowerCase(), token, ask));
  }

  #unsealed(url: URL): URL {
    const token = url.searchParams.get('token');
    if (token !== null) url.searchParams.set('token', token && this.#unseal(token));
    return url;
  }

  async #try(email: string, token: string, ask: (known: object) => Promise<Response>): Promise<Response> {
    const codes = await this.#codesOf(email);
    // To nobody, or to somebody who was sent no code, every one is wrong: lite says so, and looks for none.
    if (codes === undefined) return ask({ token_hash: VOID });
    const now = this.options.now?.() ?? Date.now();
    const before = this.#tries.get(email);
    const tries: Tries = {
      codes,
      wrong: before?.codes === codes ? before.wrong : 0,
      at: (before?.at ?? []).filter((at) => at > now - HOUR_MS),
    };
    if (tries.at.length >= TRIES_PER_HOUR) {
      return refusal(429, 'over_request_rate_limit', 'Request rate limit reached');
    }
    const response = await ask({ email, token });
    // What has no form of a code was not looked at.
    if (response.ok || response.status === 400) return response;
    tries.wrong += 1;
    tries.at.push(now);
    this.#keep(email, tries, now);
    if (tries.wrong >= TRIES_PER_CODE) await this.#void(email);
    return response;
  }

  #keep(email: string, tries: Tries, now: number): void {
    this.#tries.delete(email);
    this.#tries.set(email, tries);
    for (const [other, { at }] of this.#tries) {
      if ((at.at(-1) ?? 0) > now - HOUR_MS) return;
      this.#tries.delete(other);
    }
  }

  async #codesOf(email: string): Promise<string | undefined> {
    const { rows } = await sql<{ codes: string }>`
      select concat_ws(' ', nullif(u.confirmation_token, ''), nullif(u.recovery_token, ''), nullif(u.email_change_token_new, ''),
        nullif(u.email_change_token_current, ''), nullif(u.reauthentication_token, '')) as codes
      from auth.users u where ${email} in (lower(u.email), lower(u.email_change)) order by u.id
    `.execute(this.options.database);
    return (
      rows
        .map(({ codes }) => codes)
        .join(' ')
        .trim() || undefined
    );
  }

  async #void(email: string): Promise<void> {
    await sql`
      update auth.users set confirmation_token = null, recovery_token = null, email_change_token_new = null,
        email_change_token_current = null, reauthentication_token = null
      where ${email} in (lower(email), lower(email_change))
    `.execute(this.options.database);
  }

  #sealOf(hash: string): string {
    return createHmac('sha256', this.options.secret).update(`mailed link ${hash}`).digest('base64url');
  }

  /** The hash in what a link carries; what is sealed wrongly becomes one that nobody has. */
  #unseal(text: string): string {
    const dot = text.lastIndexOf('.');
    const hash = text.slice(0, Math.max(dot, 0));
    const shown = Buffer.from(text.slice(dot + 1));
    const right = Buffer.from(this.#sealOf(hash));
    return shown.length === right.length && timingSafeEqual(shown, right) ? hash : VOID;
  }
}

/** The object that a body is, whatever its content type says, since lite does not ask for that either. */
function objectIn(text: string): Record<string, unknown> | undefined {
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

const isText = (value: unknown) => value === undefined || value === null || typeof value === 'string';

function pathAsLiteReadsIt({ pathname }: URL): string {
  try {
    return decodeURIComponent(pathname).replace(/\/+$/, '');
  } catch {
    return pathname;
  }
}

const unreadable = (why: string) => refusal(400, 'bad_json', `Could not parse request body as JSON: ${why}`);

function notAllowed(): Response {
  const response = refusal(405, 'method_not_allowed', 'Method not allowed');
  response.headers.set('allow', 'GET, POST');
  return response;
}
