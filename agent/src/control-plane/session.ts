import { createStarkClient, type StarkClient, StarkError, toStarkError } from '@stark-o/core';
import { type Joining, joinCluster, type Tokens } from './join.js';

/**
 * How an agent proves who it is. With a function it asks for the token each time: the owner of the session renews it, so
 * that an agent and a person at the command line can live on one session without spending each other's refresh token. One
 * that joins gets an account of its own, and comes back with the session it kept.
 */
export type Credentials =
  | Password
  | { accessToken: string; refreshToken?: string }
  | { accessToken: () => Promise<string> }
  | { join: Joining };

/** Called when the tokens have changed, so that the copy on disk stays valid. */
export type OnTokens = (tokens: Tokens) => void | Promise<void>;

/** A cluster that refuses every token must not be flooded with sign-ins. */
const RENEW_EVERY_MS = 10_000;

interface Password {
  email: string;
  password: string;
}

interface TokenHolder {
  signIn(): Promise<void>;
  token(): Promise<string>;
  /** The cluster did not accept the token although it looks good: get another one where that is possible. */
  renew(): Promise<void>;
  /** The node is gone, and with it the account that had joined for it. */
  forget?(): Promise<void>;
  close(): Promise<void>;
}

type Auth = StarkClient['auth'];

/** A way to sign in; `repeatable` when it also works after the session has ended. */
interface SignInMethod {
  signIn(auth: Auth): Promise<void>;
  repeatable: boolean;
  onTokens?: OnTokens | undefined;
  forget?: () => Promise<void>;
}

/** Keeps an access token at hand that is valid, as long as the credentials allow. */
export function openSession(
  url: string,
  key: string,
  credentials: Credentials,
  onTokens?: OnTokens,
  ask: typeof fetch = fetch,
): TokenHolder {
  if ('join' in credentials) return new RefreshedSession(url, key, joinMethod(url, key, credentials.join, ask), ask);
  if ('password' in credentials) {
    const signIn = async (auth: Auth) => orThrow(url, await auth.signInWithPassword(credentials));
    return new RefreshedSession(url, key, { signIn, repeatable: true, onTokens }, ask);
  }
  const { accessToken } = credentials;
  if (typeof accessToken === 'function') return new SuppliedToken(accessToken);
  if (!('refreshToken' in credentials) || credentials.refreshToken === undefined) return new FixedToken(accessToken);
  const tokens = { accessToken, refreshToken: credentials.refreshToken };
  const signIn = (auth: Auth) => resume(url, auth, tokens);
  return new RefreshedSession(url, key, { signIn, repeatable: false, onTokens }, ask);
}

/** Comes back with the session that was kept; joins when there is none, or when the cluster has ended it. */
function joinMethod(url: string, key: string, joining: Joining, ask: typeof fetch): SignInMethod {
  const { store, token } = joining;
  const signIn = async (auth: Auth) => {
    const kept = await store.read();
    if (kept !== undefined) {
      // Renewed at once: the token may look good although its account is gone.
      const { error } = await auth.refreshSession({ refresh_token: kept.refreshToken });
      if (error === null) return;
      const failure = toStarkError(error, { url });
      if (failure.code !== 'NOT_SIGNED_IN') throw failure;
      if (token === undefined) {
        throw signedOut(
          'the cluster has ended the session of this node',
          'start the agent with --token and a new join token',
        );
      }
    }
    const tokens = await joinCluster(url, key, joining, ask);
    await store.keep(tokens);
    await resume(url, auth, tokens);
  };
  return { signIn, repeatable: false, onTokens: (tokens) => store.keep(tokens), forget: () => store.forget() };
}

async function resume(url: string, auth: Auth, { accessToken, refreshToken }: Tokens): Promise<void> {
  orThrow(url, await auth.setSession({ access_token: accessToken, refresh_token: refreshToken }));
}

function orThrow(url: string, { error }: { error: unknown }): void {
  if (error !== null) throw toStarkError(error, { url });
}

/** A session of supabase-js, which refreshes it ahead of its expiry. */
class RefreshedSession implements TokenHolder {
  readonly #auth: Auth;
  #signingIn: Promise<void> | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly url: string,
    key: string,
    private readonly method: SignInMethod,
    ask: typeof fetch,
  ) {
    const auth = { persistSession: false, autoRefreshToken: true };
    this.#auth = createStarkClient({ url, key, auth, fetch: ask }).auth;
    this.#auth.onAuthStateChange(async (event, session) => {
      if (session === null || (event !== 'TOKEN_REFRESHED' && event !== 'SIGNED_IN')) return;
      // Waited for by supabase-js: the old refresh token is spent, the new one must be safe before anything builds on it.
      await method.onTokens?.({ accessToken: session.access_token, refreshToken: session.refresh_token });
    });
  }

  signIn(): Promise<void> {
    this.#signingIn ??= this.method.signIn(this.#auth).finally(() => {
      this.#signingIn = undefined;
    });
    return this.#signingIn;
  }

  async token(): Promise<string> {
    const { data, error } = await this.#auth.getSession();
    if (data.session !== null) return data.session.access_token;
    // While the cluster cannot be reached the session is not lost, only not renewed.
    if (error !== null) throw toStarkError(error, { url: this.url });
    // The refresh token was refused. A password signs in again; a token that is used up does not.
    if (!this.method.repeatable) throw signedOut('the session has ended');
    await this.signIn();
    const renewed = await this.#auth.getSession();
    if (renewed.data.session === null) throw signedOut('the session has ended');
    return renewed.data.session.access_token;
  }

  async renew(): Promise<void> {
    const now = performance.now();
    if (now - this.#renewedAt < RENEW_EVERY_MS) return;
    this.#renewedAt = now;
    const { error } = await this.#auth.refreshSession();
    if (error !== null && this.method.repeatable) await this.signIn();
  }

  async forget(): Promise<void> {
    await this.method.forget?.();
  }

  async close(): Promise<void> {
    await this.#auth.stopAutoRefresh();
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

/** An access token alone: good until the cluster says that it has expired, and nothing can be done about that. */
class FixedToken implements TokenHolder {
  constructor(private readonly accessToken: string) {
    if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(accessToken)) {
      throw new StarkError('the access token is not a JWT', { code: 'INVALID_CREDENTIALS', status: 401 });
    }
  }

  async signIn(): Promise<void> {}

  async token(): Promise<string> {
    return this.accessToken;
  }

  async renew(): Promise<void> {}

  async close(): Promise<void> {}
}

function signedOut(message: string, hint = 'stark auth login'): StarkError {
  return new StarkError(message, { code: 'NOT_SIGNED_IN', status: 401, hint });
}
