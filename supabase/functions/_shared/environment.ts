import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { ApiError } from './api-error.ts';
import { guardedSocket } from './guarded-socket.ts';

/** Where the platform is and the key that may do everything on it. */
export interface Environment {
  url: string;
  secretKey: string;
}

/** Reads the variables every Edge Function is started with. */
export function readEnvironment(): Environment {
  const url = Deno.env.get('SUPABASE_URL');
  // The new keys first: a project may have switched the legacy service_role key off while its variable stays.
  const secretKey = firstSecretKey(Deno.env.get('SUPABASE_SECRET_KEYS')) ?? Deno.env.get('SUPABASE_SERVICE_ROLE_KEY');
  if (!url || !secretKey) {
    throw new ApiError(500, 'NOT_CONFIGURED', 'the function lacks SUPABASE_URL or a secret key');
  }
  return { url, secretKey };
}

function firstSecretKey(json: string | undefined): string | undefined {
  const keys = namedKeys(json);
  return keys.default ?? Object.values(keys)[0];
}

// A JSON object of names and keys; `default` is the one a project starts with.
function namedKeys(json: string | undefined): Record<string, string> {
  if (!json) return {};
  try {
    return JSON.parse(json) as Record<string, string>;
  } catch {
    return {};
  }
}

/** Lets only those through who show one of the project's secret keys as `apikey`. */
export async function requireSecretKey(request: Request): Promise<void> {
  if (await showsOneOf(request, secretKeys())) return;
  const hint = 'set the header apikey to a secret key; stark auth setup finds that of a stack on the same machine';
  throw new ApiError(401, 'UNAUTHENTICATED', 'the secret key is needed, as header apikey', hint);
}

/** Lets only those through who show a key of the project as `apikey`, as the platform's other services do. */
export async function requireKey(request: Request): Promise<void> {
  readEnvironment();
  const publishable = Object.values(namedKeys(Deno.env.get('SUPABASE_PUBLISHABLE_KEYS')));
  const known = [...publishable, Deno.env.get('SUPABASE_ANON_KEY') ?? '', ...secretKeys()];
  if (await showsOneOf(request, known)) return;
  throw new ApiError(401, 'UNAUTHENTICATED', 'a key of the project is needed, as header apikey');
}

function secretKeys(): string[] {
  const named = Object.values(namedKeys(Deno.env.get('SUPABASE_SECRET_KEYS')));
  return [...named, Deno.env.get('SUPABASE_SERVICE_ROLE_KEY') ?? ''];
}

async function showsOneOf(request: Request, keys: readonly string[]): Promise<boolean> {
  const shown = request.headers.get('apikey') ?? '';
  const same = await Promise.all(keys.map((key) => key !== '' && sameText(key, shown)));
  return same.includes(true);
}

// Sums of equal length are compared, so that the time it takes tells nothing of the key.
async function sameText(a: string, b: string): Promise<boolean> {
  const sum = async (text: string) =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  const [left, right] = await Promise.all([sum(a), sum(b)]);
  return left.reduce((difference, byte, i) => difference | (byte ^ (right[i] ?? 0)), 0) === 0;
}

/** The functions of schema `stark` that Edge Functions call; the generated types live where no deploy can reach. */
type Database = {
  stark: {
    Tables: Record<never, never>;
    Views: Record<never, never>;
    Functions: {
      can_i: { Args: { p_verb: string; p_kind: string }; Returns: boolean };
      is_this_database: { Args: { p_id: string }; Returns: boolean };
      store_watch_secrets: { Args: { p_project_url: string; p_secret_key: string }; Returns: undefined };
      needs_setup: { Args: Record<never, never>; Returns: boolean };
      admit_user: {
        Args: { p_email: string; p_role: string | null; p_namespace: string | null; p_display_name: string | null };
        Returns: { user_id: string; email: string };
      };
      watch_nodes: {
        Args: { p_observations: unknown; p_since: string; p_at: string };
        Returns: { wants_presence_list: boolean };
      };
      admit_node: {
        Args: { p_secret_sha256: string | null; p_name: string; p_runtime: string };
        Returns: { user_id: string; email: string };
      };
      join_node: {
        Args: { p_secret_sha256: string | null; p_user_id: string; p_name: string; p_runtime: string };
        Returns: { node_id: string; name: string };
      };
      setup_admin: { Args: { p_user_id: string; p_display_name: string | null }; Returns: unknown };
    };
  };
};

export type Client = SupabaseClient<Database, 'stark'>;

type RealtimeOptions = NonNullable<NonNullable<Parameters<typeof createClient>[2]>['realtime']>;

/** A client with the secret key, bound to schema `stark`; it passes the caller's correlation id on. */
export function secretClient(correlationId: string, realtime?: RealtimeOptions): Client {
  return clientWith(readEnvironment().secretKey, { 'x-correlation-id': correlationId }, realtime);
}

/**
 * A client that is nobody but the caller: with the key and the token of their request, and no key of ours, since a secret key
 * beside a token that counts as none would make the caller the platform's owner.
 */
export function callerClient(request: Request, correlationId: string): Client {
  const key = request.headers.get('apikey');
  const authorization = request.headers.get('authorization');
  if (!key || !authorization) throw new ApiError(401, 'UNAUTHENTICATED', 'nobody is signed in', 'stark auth login');
  return clientWith(key, { authorization, 'x-correlation-id': correlationId });
}

function clientWith(key: string, headers: Record<string, string>, realtime: RealtimeOptions = {}): Client {
  return createClient<Database, 'stark'>(readEnvironment().url, key, {
    db: { schema: 'stark' },
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { headers, fetch: fetchWithKey(key) },
    realtime: { ...realtime, transport: guardedSocket() as never },
  });
}

// supabase-js repeats the key as bearer token; one of the new kind is no token and travels as `apikey` only.
function fetchWithKey(key: string): typeof fetch {
  return (input, init) => {
    const headers = new Headers(init?.headers);
    if (key.startsWith('sb_') && headers.get('authorization') === `Bearer ${key}`) headers.delete('authorization');
    return fetch(input, { ...init, headers });
  };
}
