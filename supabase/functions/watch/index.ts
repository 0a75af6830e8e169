import { ApiError } from '../_shared/api-error.ts';
import { requireSecretKey, secretClient } from '../_shared/environment.ts';
import { healthOf } from '../_shared/health.ts';
import { type Call, json, readObject, serveRoutes } from '../_shared/http.ts';
import { VERSION } from '../_shared/version.ts';
import { HEARTBEAT_MS, Watcher } from './watcher.ts';

declare const EdgeRuntime: { waitUntil(promise: Promise<unknown>): void };

/**
 * Called every minute. A little more than that, so that watchers overlap; and little enough that a worker of the free plan,
 * which takes requests for 75 s and lives for 150, does not die under the last one.
 */
const WATCH_MS = 70_000;

/** `GET /watch?database=<id>`: whether a call from this database with this key would be taken. stark.probe_watcher asks. */
async function getWatch({ request, correlationId }: Call): Promise<Response> {
  await requireSecretKey(request);
  const id = new URL(request.url).searchParams.get('database');
  return json({ function: 'watch', version: VERSION, database: await isOwnDatabase(id, correlationId) });
}

/** `POST /watch`: answers at once and goes on watching. */
async function postWatch({ request, correlationId }: Call): Promise<Response> {
  await requireSecretKey(request);
  const { database } = await readObject(request);
  // A copy of the database, such as a preview branch with data, has this project's URL and key in its Vault.
  if ((await isOwnDatabase(database, correlationId)) === false) {
    throw new ApiError(409, 'OTHER_DATABASE', 'the call is from the database of another project', 'stark doctor --fix');
  }
  const watcher = new Watcher(secretClient(correlationId, { heartbeatIntervalMs: HEARTBEAT_MS }));
  const end = new AbortController();
  addEventListener('beforeunload', () => end.abort(), { signal: end.signal });
  EdgeRuntime.waitUntil(watcher.watch(WATCH_MS, end.signal).finally(() => end.abort()));
  return json({ watching_seconds: WATCH_MS / 1000 }, 202);
}

/** Null when the call does not say which database it is from, or our own does not tell: better watched in vain than not at all. */
async function isOwnDatabase(id: unknown, correlationId: string): Promise<boolean | null> {
  if (typeof id !== 'string') return null;
  const { data, error } = await secretClient(correlationId).rpc('is_this_database', { p_id: id });
  return error ? null : data;
}

Deno.serve(
  serveRoutes('watch', {
    '/': { methods: { GET: getWatch, POST: postWatch }, pages: 'none' },
    '/health': { methods: { GET: healthOf('watch') }, pages: 'none', keyless: true },
  }),
);
