import type { StarkClient } from '@stark-o/core';
import { StarkError, toStarkError } from '@stark-o/core/errors';
import type { AuthError, Session as AuthSession } from '@supabase/supabase-js';
import type { Session } from './sessions.js';

/** Signing in, renewing and signing out, through Supabase Auth. Nothing is kept in the client: SessionFile keeps it. */
export class SignIn {
  readonly #url: string;
  readonly #key: string;
  readonly #fetch: typeof fetch;
  #client: StarkClient | undefined;

  constructor(url: string, key: string, fetcher: typeof fetch = fetch) {
    this.#url = url;
    this.#key = key;
    this.#fetch = fetcher;
  }

  async withPassword(email: string, password: string): Promise<Session> {
    const { data, error } = await (await this.#auth()).signInWithPassword({ email, password });
    if (error) throw this.#failed(error);
    return toSession(data.session);
  }

  async refresh(refreshToken: string): Promise<Session> {
    const { data, error } = await (await this.#auth()).refreshSession({ refresh_token: refreshToken });
    if (error) throw this.#failed(error);
    return toSession(data.session);
  }

  /** Ends this one session on the server; the account's other sessions stay. */
  async signOut(accessToken: string): Promise<void> {
    const { error } = await (await this.#auth()).admin.signOut(accessToken, 'local');
    if (error) throw this.#failed(error);
  }

  async #auth(): Promise<StarkClient['auth']> {
    if (this.#client === undefined) {
      const { createStarkClient } = await import('@stark-o/core');
      this.#client = createStarkClient({
        url: this.#url,
        key: this.#key,
        auth: { persistSession: false, autoRefreshToken: false },
        fetch: this.#fetch,
      });
    }
    return this.#client.auth;
  }

  #failed(error: AuthError): StarkError {
    const failure = toStarkError(error, { url: this.#url });
    if (failure.code === 'INVALID_CREDENTIALS') {
      return new StarkError('wrong e-mail or password', {
        code: 'INVALID_CREDENTIALS',
        status: failure.status,
        cause: error,
      });
    }
    // Auth answers a spent or revoked refresh token with 400, which is a usage error nowhere but in HTTP.
    if (failure.status === 400 && /refresh/i.test(error.message)) {
      return new StarkError('the session has ended', {
        code: 'NOT_SIGNED_IN',
        status: 401,
        hint: 'stark auth login',
        cause: error,
      });
    }
    return failure;
  }
}

function toSession(session: AuthSession | null): Session {
  if (session === null) {
    throw new StarkError('signed in, but no session was given: the e-mail address may await confirmation', {
      code: 'NO_SESSION',
    });
  }
  return {
    accessToken: session.access_token,
    refreshToken: session.refresh_token,
    expiresAt: Math.floor(Date.now() / 1000) + session.expires_in,
    userId: session.user.id,
    email: session.user.email ?? '',
  };
}
