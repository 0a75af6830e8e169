import type { SupabaseClient, WebSocketLikeConstructor } from '@supabase/supabase-js';

/** The project of the cluster, as everybody may know it. */
export interface ProjectAddress {
  url: string;
  /** The publishable key. */
  key: string;
}

/**
 * Gives `ctx.supabase`: one client for the run, loaded when a pack first asks, since it costs more than most packs do.
 * It is signed in as nobody, and keeps no session.
 */
export function supabaseOf(
  { url, key }: ProjectAddress,
  transport: () => Promise<WebSocketLikeConstructor | undefined>,
): () => Promise<SupabaseClient> {
  let client: Promise<SupabaseClient> | undefined;
  const connect = async () => {
    const { createClient } = await import('@supabase/supabase-js');
    const webSocket = await transport();
    return createClient(url, key, {
      auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
      ...(webSocket && { realtime: { transport: webSocket } }),
    });
  };
  return () => {
    client ??= connect();
    return client;
  };
}
