import { ApiError, fromService } from '../_shared/api-error.ts';
import { type Client, requireSecretKey, secretClient } from '../_shared/environment.ts';
import { type Call, json, readObject } from '../_shared/http.ts';
import { createUser, readAccount, removeUser } from './accounts.ts';

/** `GET /auth/setup`: whether the cluster still waits for its first admin. */
export async function getSetup({ correlationId }: Call): Promise<Response> {
  return json({ needed: await needsSetup(secretClient(correlationId)) });
}

/**
 * `POST /auth/setup`: makes the first admin, for callers with the secret key: the first to reach a cluster is not yet its owner.
 * Of two at once one wins; the other leaves no user behind.
 */
export async function postSetup({ request, correlationId }: Call): Promise<Response> {
  await requireSecretKey(request);
  const account = readAccount(await readObject(request));
  const client = secretClient(correlationId);
  if (!(await needsSetup(client))) throw setupDone();
  const userId = await createUser(client, account).catch(async (error) => {
    throw await whyRefused(client, error);
  });
  const { error, status } = await client.rpc('setup_admin', {
    p_user_id: userId,
    p_display_name: account.displayName,
  });
  if (error) {
    await removeUser(client, userId, correlationId);
    throw fromService(error, status);
  }
  return json({ user_id: userId, email: account.email, display_name: account.displayName }, 201);
}

async function needsSetup(client: Client): Promise<boolean> {
  const { data, error, status } = await client.rpc('needs_setup');
  if (error) throw fromService(error, status);
  return data === true;
}

// Somebody else may be setting up with the same address right now: then the honest answer is that the setup is done.
async function whyRefused(client: Client, error: unknown): Promise<unknown> {
  if (!(error instanceof ApiError) || error.code !== 'EMAIL_TAKEN') return error;
  const deadline = Date.now() + 2000;
  while (Date.now() < deadline) {
    if (!(await needsSetup(client))) return setupDone();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return error;
}

function setupDone(): ApiError {
  return new ApiError(409, 'SETUP_DONE', 'this cluster already has an admin', 'stark auth login');
}
