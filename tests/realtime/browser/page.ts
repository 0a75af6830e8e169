// Runs in the browser: the official client behind a few functions that a test calls step by step.
import {
  createClient,
  type RealtimeChannel,
  type RealtimeChannelOptions,
  type SupabaseClient,
} from '@supabase/supabase-js';

interface Heard {
  statuses: string[];
  errors: string[];
  messages: { event: string; payload: unknown; meta?: Record<string, unknown> }[];
  presence: { event: string; key?: string }[];
  system: { status: string; message: string }[];
}

const clients = new Map<string, SupabaseClient>();
const channels = new Map<string, RealtimeChannel>();
const heard = new Map<string, Heard>();
const beats = new Map<string, string[]>();

function of<T>(map: Map<string, T>, name: string): T {
  const found = map.get(name);
  if (found === undefined) throw new Error(`Nothing is called ${name}`);
  return found;
}

/** Bytes cannot cross to the test as such, so they travel as a list of numbers. */
function plain(payload: unknown): unknown {
  return payload instanceof ArrayBuffer ? { bytes: [...new Uint8Array(payload)] } : payload;
}

const api = {
  client(name: string, url: string, key: string, realtime: Record<string, unknown>): void {
    const statuses: string[] = [];
    beats.set(name, statuses);
    clients.set(
      name,
      createClient(url, key, {
        auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false, storageKey: name },
        realtime: {
          timeout: 3_000,
          reconnectAfterMs: () => 100,
          heartbeatCallback: (status: string) => statuses.push(status),
          ...realtime,
        },
      }),
    );
  },

  channel(name: string, client: string, topic: string, config: RealtimeChannelOptions['config'] = {}): void {
    const log: Heard = { statuses: [], errors: [], messages: [], presence: [], system: [] };
    const channel = of(clients, client).channel(topic, { config });
    channels.set(name, channel);
    heard.set(name, log);
    channel.on('broadcast', { event: '*' }, ({ event, payload, meta }) => {
      log.messages.push({ event, payload: plain(payload), ...(meta ? { meta } : {}) });
    });
    channel.on('system', {}, ({ status, message }) => log.system.push({ status, message }));
    if (config.presence) {
      channel.on('presence', { event: 'sync' }, () => log.presence.push({ event: 'sync' }));
      channel.on('presence', { event: 'join' }, ({ key }) => log.presence.push({ event: 'join', key }));
      channel.on('presence', { event: 'leave' }, ({ key }) => log.presence.push({ event: 'leave', key }));
    }
    channel.subscribe((status, error) => {
      log.statuses.push(status);
      if (error) log.errors.push(error.message);
    });
  },

  send: (name: string, event: string, payload: unknown) =>
    of(channels, name).send({ type: 'broadcast', event, payload }),
  sendBytes: (name: string, event: string, bytes: number[]) =>
    of(channels, name).send({ type: 'broadcast', event, payload: new Uint8Array(bytes).buffer }),
  httpSend: (name: string, event: string, payload: unknown) => of(channels, name).httpSend(event, payload),
  track: (name: string, payload: Record<string, unknown>) => of(channels, name).track(payload),
  untrack: (name: string) => of(channels, name).untrack(),
  presenceState: (name: string) => of(channels, name).presenceState(),
  unsubscribe: (name: string) => of(channels, name).unsubscribe(),
  setAuth: (client: string, token: string) => of(clients, client).realtime.setAuth(token),
  isConnected: (client: string) => of(clients, client).realtime.isConnected(),
  heard: (name: string) => of(heard, name),
  beats: (client: string) => of(beats, client),
};

export type PageApi = typeof api;

(globalThis as unknown as { api: PageApi }).api = api;
