import { fromService, invalid } from '../_shared/api-error.ts';
import { type Client, secretClient } from '../_shared/environment.ts';
import { type Call, json, readObject } from '../_shared/http.ts';
import { createUser, removeUser } from './accounts.ts';

interface Joining {
  p_secret_sha256: string | null;
  p_name: string;
  p_runtime: string;
}

/**
 * `POST /nodes/join`: trades a join token for an account that speaks for one node, and a session of it. Postgres decides, once
 * before an account is made and once, with the token used up in the same step, when it is there; an account that comes too late
 * is removed. Without a token it works where the cluster's configuration takes strangers.
 */
export async function postJoin({ request, correlationId }: Call): Promise<Response> {
  const joining = await readJoining(await readObject(request));
  const client = secretClient(correlationId);
  const admitted = await client.rpc('admit_node', joining);
  if (admitted.error) throw fromService(admitted.error, admitted.status);
  const account = { email: admitted.data.email, password: randomPassword(), displayName: `node ${joining.p_name}` };
  const userId = await createUser(client, account, admitted.data.user_id);
  try {
    // A client of its own: one that has signed in speaks as who signed in, and no longer with the secret key.
    const session = await signIn(secretClient(correlationId), account);
    const { data, error, status } = await client.rpc('join_node', { ...joining, p_user_id: userId });
    if (error) throw fromService(error, status);
    return json({ ...data, user_id: userId, ...session }, 201);
  } catch (error) {
    await removeUser(client, userId, correlationId);
    throw error;
  }
}

// Only the token's SHA-256 goes on, so that the token itself stands in no log of the database.
async function readJoining({ token = null, name, runtime }: Record<string, unknown>): Promise<Joining> {
  if (token !== null && typeof token !== 'string') throw invalid('token', 'must be a text');
  if (typeof name !== 'string') throw invalid('name', 'is required');
  if (typeof runtime !== 'string') throw invalid('runtime', 'is required');
  return { p_secret_sha256: token === null ? null : await sha256(token), p_name: name, p_runtime: runtime };
}

async function signIn(client: Client, { email, password }: { email: string; password: string }) {
  const { data, error } = await client.auth.signInWithPassword({ email, password });
  if (error) throw fromService(error);
  const { access_token, refresh_token, expires_at } = data.session;
  return { access_token, refresh_token, expires_at };
}

async function sha256(text: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));
}

// Used once and kept nowhere: from here on the account lives by its refresh token.
const randomPassword = () => hex(crypto.getRandomValues(new Uint8Array(32)));

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
