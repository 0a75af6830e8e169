import { createStarkClient, StarkError, toStarkError } from '@stark-o/core';

/**
 * How an agent proves who it is. With a function it asks for the token each time: whoever keeps the session renews it, so
 * that an agent and a person at the command line can live on one session without spending each other's refresh token.
 */
export type Credentials =
  | Password
  | { accessToken: string; refreshToken?: string }
  | { accessToken: () => Promise<string> };

/** Told whenever the tokens changed, so that whoever keeps them on disk keeps the right ones. */
export type OnTokens = (tokens: Tokens) => void;

/** A cluster that refuses every token must not be flooded with sign-ins. */
const RENEW_EVERY_MS = 10_000;

interface Password {
  email: string;
  password: string;
}

interface Tokens {
  accessToken: string;
  refreshToken: string;
}

interface TokenHolder {
  signIn(): Promise<void>;
  token(): Promise<string>;
  /** The cluster did not accept the token although it looks good: get another one where that is possible. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

/** Keeps an access token at hand that is valid, as long as the credentials allow. */
export function openSession(url: string, key: string, credentials: Credentials, onTokens?: OnTokens): TokenHolder {
  if ('accessToken' in credentials) {
    const { accessToken } = credentials;
    if (typeof accessToken === 'function') return new SuppliedToken(accessToken);
    if (!('refreshToken' in credentials) || credentials.refreshToken === undefined) return new FixedToken(accessToken);
    return new RefreshedSession(url, key, { accessToken, refreshToken: credentials.refreshToken }, onTokens);
  }
  return new RefreshedSession(url, key, credentials, onTokens);
}

/** A session of supabase-js, which refreshes it ahead of its expiry. */
class RefreshedSession implements TokenHolder {
  readonly #auth;
  #signingIn: Promise<void> | undefined;
  #renewedAt = 0;

  constructor(
    private readonly url: string,
    key: string,
    private readonly credentials: Password | Tokens,
    onTokens?: OnTokens,
  ) {
    this.#auth = createStarkClient({ url, key, auth: { persistSession: false, autoRefreshToken: true } }).auth;
    this.#auth.onAuthStateChange((event, session) => {
      if (session === null || (event !== 'TOKEN_REFRESHED' && event !== 'SIGNED_IN')) return;
      onTokens?.({ accessToken: session.access_token, refreshToken: session.refresh_token });
    });
  }

  signIn(): Promise<void> {
    this.#signingIn ??= this.#signIn().finally(() => {
      this.#signingIn = undefined;
    });
    return this.#signingIn;
  }

  async token(): Promise<string> {
    const { data, error } = await this.#auth.getSession();
    if (data.session !== null) return data.session.access_token;
    // While the cluster cannot be reached the session is not lost, only not renewed.
    if (error !== null) throw toStarkError(error, { url: this.url });
    // The refresh token was refused. A password still opens the door; a token that is used up does not.
    if (!('password' in this.credentials)) throw signedOut('the session has ended');
    await this.signIn();
    const renewed = await this.#auth.getSession();
    if (renewed.data.session === null) throw signedOut('the session has ended');
    return renewed.data.session.access_token;
  }

  async renew(): Promise<void> {
    const now = Date.now();
    if (now - this.#renewedAt < RENEW_EVERY_MS) return;
    this.#renewedAt = now;
    const { error } = await this.#auth.refreshSession();
    if (error !== null && 'password' in this.credentials) await this.signIn();
  }

  async close(): Promise<void> {
    await this.#auth.stopAutoRefresh();
  }

  async #signIn(): Promise<void> {
    const { credentials } = this;
    const { error } =
      'password' in credentials
        ? await this.#auth.signInWithPassword({ email: credentials.email, password: credentials.password })
        : await this.#auth.setSession({
            access_token: credentials.accessToken,
            refresh_token: credentials.refreshToken,
          });
    if (error !== null) throw toStarkError(error, { url: this.url });
  }
}

/** A token that somebody else keeps valid. */
class SuppliedToken implements TokenHolder {
  constructor(readonly token: () => Promise<string>) {}

  async signIn(): Promise<void> {
    await this.token();
  }

  async renew(): Promise<void> {}

  async close(): Promise<void> {}
}

/** An access token alone: good until it expires, and nothing can be done about that. */
class FixedToken implements TokenHolder {
  readonly #expiresAt: number;

  constructor(private readonly accessToken: string) {
    this.#expiresAt = expiryOf(accessToken);
  }

  async signIn(): Promise<void> {
    await this.token();
  }

  async token(): Promise<string> {
    if (Date.now() >= this.#expiresAt) throw signedOut('the access token has expired');
    return this.accessToken;
  }

  async renew(): Promise<void> {}

  async close(): Promise<void> {}
}

function expiryOf(token: string): number {
  try {
    const body = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const { exp } = JSON.parse(atob(body)) as { exp?: unknown };
    return typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY;
  } catch {
    throw new StarkError('the access token is not a JWT', { code: 'INVALID_CREDENTIALS', status: 401 });
  }
}

function signedOut(message: string): StarkError {
  return new StarkError(message, { code: 'NOT_SIGNED_IN', status: 401, hint: 'stark auth login' });
}
