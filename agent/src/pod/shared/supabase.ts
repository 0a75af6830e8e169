import type { createClient, SupabaseClient, WebSocketLikeConstructor } from '@supabase/supabase-js';

/** The project of the cluster, as everybody may know it. */
export interface ProjectAddress {
  url: string;
  /** The publishable key. */
  key: string;
}

/** The library, and a WebSocket class where the runtime has none. */
export interface Library {
  createClient: typeof createClient;
  webSocket?: WebSocketLikeConstructor | undefined;
}

/**
 * Gives `ctx.supabase`: one client for the run, loaded when a pack first asks, since it costs more than most packs do.
 * It is signed in as nobody, and keeps no session.
 */
export function supabaseOf({ url, key }: ProjectAddress, load: () => Promise<Library>): () => Promise<SupabaseClient> {
  let client: Promise<SupabaseClient> | undefined;
  const connect = async () => {
    const { createClient, webSocket } = await load();
    return createClient(url, key, {
      auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
      global: { fetch: fetchWithKey(key) },
      ...(webSocket && { realtime: { transport: webSocket } }),
    });
  };
  return () => {
    client ??= connect();
    return client;
  };
}

/** supabase-js repeats the key as bearer token; one of the new kind is no token and travels as `apikey` only. */
function fetchWithKey(key: string): typeof fetch {
  return (input, init) => {
    const headers = new Headers(init?.headers);
    if (key.startsWith('sb_') && headers.get('authorization') === `Bearer ${key}`) headers.delete('authorization');
    return fetch(input, { ...init, headers });
  };
}
