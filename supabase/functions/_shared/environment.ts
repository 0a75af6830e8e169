import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { ApiError } from './api-error.ts';

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

// A JSON object of names and keys; `default` is the one a project starts with.
function firstSecretKey(json: string | undefined): string | undefined {
  if (!json) return undefined;
  try {
    const keys = JSON.parse(json) as Record<string, string>;
    return keys.default ?? Object.values(keys)[0];
  } catch {
    return undefined;
  }
}

/** The functions of schema `stark` that Edge Functions call; the generated types live where no deploy can reach. */
type Database = {
  stark: {
    Tables: Record<never, never>;
    Views: Record<never, never>;
    Functions: {
      needs_setup: { Args: Record<never, never>; Returns: boolean };
      admit_user: {
        Args: { p_email: string; p_role: string | null; p_namespace: string | null; p_display_name: string | null };
        Returns: { user_id: string; email: string };
      };
      setup_admin: { Args: { p_user_id: string; p_display_name: string | null }; Returns: unknown };
    };
  };
};

export type Client = SupabaseClient<Database, 'stark'>;

/** A client with the secret key, bound to schema `stark`; it passes the caller's correlation id on. */
export function secretClient(correlationId: string): Client {
  return clientWith(readEnvironment().secretKey, { 'x-correlation-id': correlationId });
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

function clientWith(key: string, headers: Record<string, string>): Client {
  return createClient<Database, 'stark'>(readEnvironment().url, key, {
    db: { schema: 'stark' },
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { headers },
  });
}
