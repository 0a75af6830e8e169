import { createClient, type SupabaseClient, type SupabaseClientOptions } from '@supabase/supabase-js';
import { type Database, STARK_SCHEMA } from '../model/database.js';
import { guardedSocket, type SocketClass } from './guarded-socket.js';
import { keyOnceFetch } from './key-fetch.js';
import { quietAuthFetch } from './quiet-fetch.js';
import { relativeExpiryFetch } from './relative-expiry.js';

/** The Supabase client, bound to schema `stark`. */
export type StarkClient = SupabaseClient<Database, 'stark'>;

type AuthOptions = NonNullable<SupabaseClientOptions<'stark'>['auth']>;
type ClientRealtimeOptions = NonNullable<SupabaseClientOptions<'stark'>['realtime']>;
type Transport = NonNullable<ClientRealtimeOptions['transport']>;

/** Options of Realtime, with any WebSocket class: supabase-js asks for one whose types are the browser's to the letter. */
export type RealtimeOptions = Omit<ClientRealtimeOptions, 'transport'> & { transport?: SocketClass };

export interface StarkClientOptions {
  /** Base URL of the Supabase project or of the local stack, e.g. `http://127.0.0.1:54321`. */
  url: string;
  /** Publishable or secret key of the project. */
  key: string;
  /** Session handling of supabase-js: storage, storageKey, autoRefreshToken, persistSession … Not together with `accessToken`. */
  auth?: AuthOptions;
  /** Supplies the token of each request instead of a session: `client.auth` is then not available. */
  accessToken?: () => Promise<string | null>;
  /** Options of Realtime; Node.js 20 has no WebSocket of its own and needs `transport` (the `ws` package). */
  realtime?: RealtimeOptions;
  /** Headers of every HTTP request. */
  headers?: Record<string, string>;
  /** Sent as `x-correlation-id` with every HTTP request and found again in events and logs. Default: a random UUID. */
  correlationId?: string;
  fetch?: typeof fetch;
}

// supabase-js refuses to be made at all where there is no WebSocket; only those who open a channel need one.
class MissingWebSocket {
  constructor() {
    throw new Error('this runtime has no WebSocket: pass `realtime: { transport }`, e.g. the class of package "ws"');
  }
}

function transportOf(realtime: RealtimeOptions = {}): Transport {
  if (realtime.transport !== undefined) return guardedSocket(realtime.transport) as unknown as Transport;
  if (typeof WebSocket === 'undefined') return MissingWebSocket as unknown as Transport;
  return guardedSocket(WebSocket) as unknown as Transport;
}

/** Makes a client for one cluster. */
export function createStarkClient(options: StarkClientOptions): StarkClient {
  const { accessToken } = options;
  // supabase-js asks for the token once while it is being made and pins Realtime to the answer for ever. Answering
  // null that one time leaves Realtime asking again at each heartbeat, so channels outlive the first token.
  let constructing = true;
  const client = createClient<Database, 'stark'>(options.url, options.key, {
    db: { schema: STARK_SCHEMA },
    auth: { detectSessionInUrl: false, ...options.auth },
    ...(accessToken && { accessToken: async () => (constructing ? null : accessToken()) }),
    realtime: { ...options.realtime, transport: transportOf(options.realtime) },
    global: {
      headers: { 'x-correlation-id': options.correlationId ?? crypto.randomUUID(), ...options.headers },
      fetch: keyOnceFetch(options.key, relativeExpiryFetch(quietAuthFetch(options.fetch ?? fetch))),
    },
  });
  constructing = false;
  return client;
}
