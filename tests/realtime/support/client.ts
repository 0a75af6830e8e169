import {
  createClient,
  type RealtimeChannel,
  type RealtimeClientOptions,
  type SupabaseClient,
} from '@supabase/supabase-js';
import WebSocket from 'ws';
import type { Service } from './service.js';
import { within } from './wait.js';
import type { Vsn } from './wire.js';

/** The status callbacks of one channel of the official client, in order. */
export interface Subscription {
  channel: RealtimeChannel;
  statuses: string[];
  errors: string[];
  reaches(status: string, times?: number, ms?: number): Promise<void>;
}

/** The official client, unmodified, on this service; `ws` is its transport as Node.js 20 has none. */
export function officialClient(service: Service, vsn: Vsn, realtime: RealtimeClientOptions = {}): SupabaseClient {
  return createClient(service.gateway.url, service.keys.publishable, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    realtime: {
      transport: WebSocket as unknown as NonNullable<RealtimeClientOptions['transport']>,
      vsn,
      timeout: 3_000,
      reconnectAfterMs: () => 100,
      ...realtime,
    },
  });
}

/** Subscribes and records each status. */
export function subscribe(channel: RealtimeChannel): Subscription {
  const statuses: string[] = [];
  const errors: string[] = [];
  const wakers = new Set<() => void>();
  channel.subscribe((status, error) => {
    statuses.push(status);
    if (error) errors.push(error.message);
    for (const wake of wakers) wake();
  });
  return {
    channel,
    statuses,
    errors,
    async reaches(wanted, times = 1, ms = 8_000) {
      const reached = () => statuses.filter((status) => status === wanted).length >= times;
      if (reached()) return;
      const done = new Promise<void>((resolve) => wakers.add(() => reached() && resolve()));
      await within(`${channel.topic} to be ${wanted} (was ${statuses.join(', ')}; ${errors.join('; ')})`, done, ms);
    },
  };
}

/** Collects what a channel hears; `next` waits for the first message that satisfies the test. */
export class Inbox<T = Record<string, unknown>> {
  readonly messages: T[] = [];
  readonly #wakers = new Set<() => void>();

  readonly add = (message: T): void => {
    this.messages.push(message);
    for (const wake of this.#wakers) wake();
  };

  async next(what: string, test: (message: T) => unknown = () => true, ms = 5_000): Promise<T> {
    const early = this.messages.find(test);
    if (early) return early;
    const found = new Promise<T>((resolve) =>
      this.#wakers.add(() => {
        const message = this.messages.find(test);
        if (message) resolve(message);
      }),
    );
    return within(`${what}; heard ${JSON.stringify(this.messages).slice(0, 800)}`, found, ms);
  }
}
