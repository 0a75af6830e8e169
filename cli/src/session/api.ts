import { toStarkError } from '@stark-o/core/errors';
import type { Connection } from './connection.js';

/** Calls a route of Edge Function `api` in the caller's name. */
export async function callApi<Answer>(connection: Connection, route: string, body: unknown): Promise<Answer> {
  const token = await connection.accessToken();
  const headers = {
    apikey: connection.key,
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'x-correlation-id': connection.correlationId,
  };
  const url = `${connection.url}/functions/v1/api${route}`;
  const response = await connection
    .fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    .catch((error) => {
      throw toStarkError(error, { url: connection.url });
    });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok && typeof answer === 'object' && answer !== null) return answer as Answer;
  const known = typeof answer === 'object' && answer !== null && ('error' in answer || 'message' in answer);
  throw toStarkError(known ? answer : { message: `Edge Function api answered with HTTP ${response.status}` }, {
    status: response.status,
    url: connection.url,
  });
}
