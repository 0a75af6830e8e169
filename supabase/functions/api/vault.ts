import { ApiError, fromCaller, fromService } from '../_shared/api-error.ts';
import { callerClient, readEnvironment, secretClient } from '../_shared/environment.ts';
import { type Call, json } from '../_shared/http.ts';

/**
 * `POST /vault`: puts into Vault by what pg_cron calls function `watch`, the URL and the secret key of this project, as the platform
 * gives them to its functions. So an admin can do it who knows no secret key, and can write no other values than the right ones.
 */
export async function postVault({ request, correlationId }: Call): Promise<Response> {
  const right = { p_verb: 'update', p_kind: 'settings' };
  const { data, error, status } = await callerClient(request, correlationId).rpc('can_i', right);
  if (error) throw fromCaller(error, status);
  if (data !== true) {
    throw new ApiError(403, 'FORBIDDEN', 'only an admin may write Vault', 'stark auth can-i update settings');
  }
  const { url, secretKey } = readEnvironment();
  const stored = await secretClient(correlationId).rpc('store_watch_secrets', {
    p_project_url: url,
    p_secret_key: secretKey,
  });
  if (stored.error) throw fromService(stored.error, stored.status);
  return json({ project_url: url });
}
