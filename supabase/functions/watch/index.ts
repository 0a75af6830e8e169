import { requireSecretKey, secretClient } from '../_shared/environment.ts';
import { type Call, json, serveRoutes } from '../_shared/http.ts';
import { HEARTBEAT_MS, Watcher } from './watcher.ts';

declare const EdgeRuntime: { waitUntil(promise: Promise<unknown>): void };

/**
 * Called every minute. A little more than that, so that watchers overlap; and little enough that a worker of the free plan,
 * which takes requests for 75 s and lives for 150, does not die under the last one.
 */
const WATCH_MS = 70_000;

/** `POST /watch`: answers at once and goes on watching. */
async function postWatch({ request, correlationId }: Call): Promise<Response> {
  await requireSecretKey(request);
  const watcher = new Watcher(secretClient(correlationId, { heartbeatIntervalMs: HEARTBEAT_MS }));
  const end = new AbortController();
  addEventListener('beforeunload', () => end.abort(), { signal: end.signal });
  EdgeRuntime.waitUntil(watcher.watch(WATCH_MS, end.signal).finally(() => end.abort()));
  return json({ watching_seconds: WATCH_MS / 1000 }, 202);
}

Deno.serve(serveRoutes('watch', { '/': { POST: postWatch } }));
