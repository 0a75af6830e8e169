import { type ErrorEnvelope, StarkError, toStarkError } from '@stark-o/core';

/** The tokens of a session. */
export interface Tokens {
  accessToken: string;
  refreshToken: string;
}

/** Where a node that joined keeps its session over restarts: a file of its owner's alone, or the browser's database. */
export interface SessionStore {
  read(): Promise<Tokens | undefined>;
  keep(tokens: Tokens): Promise<void>;
  forget(): Promise<void>;
}

/** How a machine becomes a node by itself: with a join token, or without one where the cluster takes strangers. */
export interface Joining {
  name: string;
  runtime: 'node' | 'browser';
  /** A function makes the token when it is needed. */
  token?: string | (() => Promise<string>) | undefined;
  store: SessionStore;
}

const JOIN_TIMEOUT_MS = 30_000;

/** What every join token begins with. */
const PREFIX = 'stark_join_';

/** Whether this text is a join token, and not an access token. */
export function isJoinToken(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** Trades the join token for an account that speaks for this one node. */
export async function joinCluster(url: string, key: string, joining: Joining, ask = fetch): Promise<Tokens> {
  const { name, runtime } = joining;
  const token = (typeof joining.token === 'function' ? await joining.token() : joining.token) ?? null;
  let response: Response;
  try {
    response = await ask(`${url}/functions/v1/api/nodes/join`, {
      method: 'POST',
      headers: { apikey: key, 'content-type': 'application/json' },
      body: JSON.stringify({ token, name, runtime }),
      signal: AbortSignal.timeout(JOIN_TIMEOUT_MS),
    });
  } catch (error) {
    throw toStarkError(error, { url });
  }
  const body = (await response.json().catch(() => ({}))) as Partial<ErrorEnvelope> & Record<string, unknown>;
  if (!response.ok) throw toStarkError(body, { status: response.status, url });
  const { access_token: accessToken, refresh_token: refreshToken } = body;
  if (typeof accessToken !== 'string' || typeof refreshToken !== 'string') {
    throw new StarkError(`${url} let this node join, and gave it no session`, { code: 'NO_SESSION' });
  }
  return { accessToken, refreshToken };
}
