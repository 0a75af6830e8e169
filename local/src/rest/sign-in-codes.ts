import { createHmac, timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import { refusal } from './auth-sessions.js';
import type { Database } from './database.js';
import { KeyedMutex } from './keyed-mutex.js';

type Next = (request: Request) => Promise<Response>;

/** A code has six digits: after so many wrong ones it is void. */
const TRIES_PER_CODE = 5;
/** And whoever has new codes sent to an address gets no more tries at it than these. */
const TRIES_PER_HOUR = 30;
const HOUR_MS = 3_600_000;
/** SHA-224 or SHA-256 in hexadecimal. */
const HASH = /\b[0-9a-f]{56}(?:[0-9a-f]{8})?\b/g;

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
  readonly #turns = new KeyedMutex();

  constructor(private readonly options: { database: Database; secret: string; now?: () => number }) {}

  /** The text of a mail, with the hashes in it sealed. */
  seal(text: string): string {
    return text.replace(HASH, (hash) => `${hash}.${this.#sealOf(hash)}`);
  }

  /** Passes a request to Auth, unless it tries a code that is void. */
  async around(request: Request, next: Next): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname !== '/auth/v1/verify') return next(request);
    if (request.method === 'GET') {
      const token = url.searchParams.get('token');
      if (token) url.searchParams.set('token', this.#unseal(token));
      return next(new Request(url, request));
    }
    if (request.method !== 'POST') return next(request);
    const text = await request.text();
    const again = (body: string) => new Request(request.url, { method: 'POST', headers: request.headers, body });
    const { token_hash: hash, token, email, ...rest } = objectIn(text);
    if (typeof hash === 'string' && hash !== '') {
      return next(again(JSON.stringify({ ...rest, token_hash: this.#unseal(hash) })));
    }
    if (typeof email !== 'string' || typeof token !== 'string') return next(again(text));
    return this.#turns.run(email.toLowerCase(), () => this.#try(email.toLowerCase(), () => next(again(text))));
  }

  async #try(email: string, ask: () => Promise<Response>): Promise<Response> {
    const codes = await this.#codesOf(email);
    // To nobody, or to somebody who was sent no code, every one is wrong.
    if (codes === undefined) return ask();
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
    const response = await ask();
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
    return shown.length === right.length && timingSafeEqual(shown, right) ? hash : 'void';
  }
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
