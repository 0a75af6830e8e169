import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import ws from 'ws';

/** A client with a key of its own and nothing remembered; Node.js 20 has no WebSocket, so it is given one. */
export function clientOf(url: string, key: string): SupabaseClient {
  return createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: ws as never },
  });
}

/** What a call returned, or its error thrown. */
export function orThrow<T>(answer: { data: T; error: null } | { data: unknown; error: Error }): NonNullable<T> {
  if (answer.error) throw answer.error;
  return answer.data as NonNullable<T>;
}
