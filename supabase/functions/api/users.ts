import { fromCaller, invalid } from '../_shared/api-error.ts';
import { callerClient, secretClient } from '../_shared/environment.ts';
import { type Call, json, readObject } from '../_shared/http.ts';
import { createUser, readAccount } from './accounts.ts';

/**
 * `POST /auth/users`: makes a user for an admin, with a role from the first moment. Postgres decides whether the caller may;
 * only then is the secret key used, and for nothing but the id that Postgres gave.
 */
export async function postUser({ request, correlationId }: Call): Promise<Response> {
  const body = await readObject(request);
  const account = readAccount(body);
  const role = optionalText(body, 'role');
  const namespace = optionalText(body, 'namespace');
  const { data, error, status } = await callerClient(request, correlationId).rpc('admit_user', {
    p_email: account.email,
    p_role: role,
    p_namespace: namespace,
    p_display_name: account.displayName,
  });
  if (error) throw fromCaller(error, status);
  const userId = await createUser(secretClient(correlationId), account, data.user_id);
  const user = { user_id: userId, email: account.email, display_name: account.displayName };
  return json({ ...user, role, namespace }, 201);
}

function optionalText(body: Record<string, unknown>, field: string): string | null {
  const value = body[field] ?? null;
  if (value !== null && typeof value !== 'string') throw invalid(field, 'must be a text');
  return value;
}
