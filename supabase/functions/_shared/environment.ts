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
      setup_admin: { Args: { p_user_id: string; p_display_name: string | null }; Returns: unknown };
    };
  };
};

export type SecretClient = SupabaseClient<Database, 'stark'>;

/** A client with the secret key, bound to schema `stark`; it passes the caller's correlation id on. */
export function secretClient(correlationId: string): SecretClient {
  const { url, secretKey } = readEnvironment();
  return createClient<Database, 'stark'>(url, secretKey, {
    db: { schema: 'stark' },
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { headers: { 'x-correlation-id': correlationId } },
  });
}
