import type { NodeAgentOptions } from '@stark-o/agent/node';
import type { Connection } from '../session/connection.js';

/** Who lets a machine join: somebody with a session, which the machine is not given. */
export interface Person {
  accessToken(): Promise<string>;
  /** Ends a session that was begun for this alone. */
  signOut?(accessToken: string): Promise<void>;
  /** How this account would speak for a node itself. */
  asItself: NodeAgentOptions['credentials'] | undefined;
}

/** For the one node that is being started. */
const LIFETIME_S = 300;

/** A join token of this person's, good for one node and a few minutes. */
export async function makeJoinToken(
  connection: Connection,
  person: Person,
  labels: Record<string, string>,
): Promise<string> {
  const { call, createStarkClient } = await import('@stark-o/core');
  const accessToken = await person.accessToken();
  const client = createStarkClient({
    url: connection.url,
    key: connection.key,
    accessToken: async () => accessToken,
    correlationId: connection.correlationId,
    fetch: connection.fetch,
  });
  try {
    const wanted = { p_ttl_seconds: LIFETIME_S, p_uses: 1, p_labels: labels };
    const { token } = await call(client, 'create_join_token', wanted);
    return token;
  } finally {
    // The session would live on as long as its refresh token; that it could not be ended is not the node's trouble.
    await person.signOut?.(accessToken).catch(() => {});
  }
}
