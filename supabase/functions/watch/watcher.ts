import type { RealtimeChannel } from '@supabase/supabase-js';
import type { Client } from '../_shared/environment.ts';
import {
  type NodeCredential,
  ObservationBatch,
  PresenceList,
  readCredential,
  readUsage,
  type Sign,
} from './observations.ts';

/** How often the socket is proved to work, and what was seen is written. */
export const HEARTBEAT_MS = 5_000;
/** Departures that come together, as when a Realtime server goes, are written together. */
const GATHER_MS = 500;
const REJOIN_MS = 2_000;
const CALL_TIMEOUT_MS = 10_000;
/** As many as one call of watch_nodes takes (`stark_internal.call_limit`). */
const OBSERVATIONS_PER_CALL = 1_000;
const TOPICS = ['stark:presence', 'stark:heartbeat'] as const;
type Topic = (typeof TOPICS)[number];

/**
 * Listens to the nodes and tells the database what it hears. It speaks only of time in which it has certainly heard
 * everything: both topics joined, and the socket just proved alive. A watcher that is deaf says nothing.
 */
export class Watcher {
  readonly #batch = new ObservationBatch();
  readonly #presences = new PresenceList();
  readonly #joined = new Set<Topic>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #since: Date | undefined;
  #heardAt = new Date(0);
  #listsPresences = false;
  #gathering = false;
  #reportWanted = false;
  #reporting: Promise<void> | undefined;
  #failing = false;
  #ended = false;

  constructor(private readonly client: Client) {
    client.realtime.onHeartbeat((status) => {
      if (status !== 'ok') return;
      this.#heard();
      void this.#report();
    });
  }

  /** Watches for so long, or until the signal. */
  async watch(ms: number, signal: AbortSignal): Promise<void> {
    for (const topic of TOPICS) this.#join(topic);
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      this.#after(ms, resolve);
    });
    await this.#report();
    this.#ended = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await this.client.removeAllChannels();
    await this.client.realtime.disconnect();
  }

  #join(topic: Topic): void {
    const channel = this.client.channel(topic, { config: { private: true } });
    if (topic === 'stark:presence') this.#followPresence(channel);
    else this.#followHeartbeats(channel);
    channel.subscribe((status, error) => {
      if (this.#ended) return;
      if (status === 'SUBSCRIBED') return this.#opened(topic);
      this.#topicLost(topic, `${status}${error ? `: ${error.message}` : ''}`);
      // The client comes back by itself from everything but this.
      if (status === 'CLOSED') this.#after(REJOIN_MS, () => this.#join(topic));
    });
  }

  #followPresence(channel: RealtimeChannel): void {
    this.#presences.clear();
    channel.on('presence', { event: 'join' }, ({ newPresences }) => {
      this.#heard();
      for (const credential of credentialsOf(newPresences)) {
        this.#presences.join(credential);
        this.#observe(credential, 'present');
      }
    });
    channel.on('presence', { event: 'leave' }, ({ leftPresences }) => {
      this.#heard();
      for (const credential of credentialsOf(leftPresences)) {
        if (this.#presences.leave(credential)) this.#observe(credential, 'gone');
      }
    });
  }

  #followHeartbeats(channel: RealtimeChannel): void {
    channel.on('broadcast', { event: 'heartbeat' }, ({ payload }) => {
      this.#heard();
      const credential = readCredential(payload);
      if (credential !== undefined) this.#observe(credential, 'heartbeat', readUsage(payload));
    });
  }

  #observe(credential: NodeCredential, sign: Sign, usage?: Record<string, unknown>): void {
    this.#batch.add({ ...credential, sign, ...(usage && { usage }) });
    if (sign === 'heartbeat' || this.#gathering) return;
    this.#gathering = true;
    this.#after(GATHER_MS, () => {
      this.#gathering = false;
      void this.#report();
    });
  }

  #opened(topic: Topic): void {
    this.#joined.add(topic);
    if (this.#joined.size < TOPICS.length) return;
    this.#since = new Date();
    this.#heard();
    void this.#report();
  }

  #topicLost(topic: Topic, why: string): void {
    this.#joined.delete(topic);
    this.#since = undefined;
    // A connection that comes back by itself at once is not worth a line, nor is one that ends with the whole stack.
    this.#after(REJOIN_MS, () => {
      if (!this.#joined.has(topic)) warn(`${topic} is not open: ${why}`);
    });
  }

  #heard(): void {
    this.#heardAt = new Date();
  }

  /** Writes what was seen, one report after the other; those that are wanted during one become one more. */
  #report(): Promise<void> {
    this.#reportWanted = true;
    this.#reporting ??= this.#reportAll().finally(() => {
      this.#reporting = undefined;
    });
    return this.#reporting;
  }

  async #reportAll(): Promise<void> {
    while (this.#reportWanted) {
      this.#reportWanted = false;
      await this.#write();
    }
  }

  async #write(): Promise<void> {
    const since = this.#since;
    if (since === undefined || this.#ended) return;
    if (this.#listsPresences)
      for (const credential of this.#presences) this.#batch.add({ ...credential, sign: 'present' });
    const heardAt = this.#heardAt.toISOString();
    const observations = this.#batch.take();
    // In several calls where there are many. Only the last claims the time: until all are told, those that are not look silent.
    for (let first = 0; first === 0 || first < observations.length; first += OBSERVATIONS_PER_CALL) {
      const part = observations.slice(first, first + OBSERVATIONS_PER_CALL);
      const isLast = first + part.length === observations.length;
      const report = { p_observations: part, p_since: isLast ? since.toISOString() : heardAt, p_at: heardAt };
      const { data, error } = await this.client
        .rpc('watch_nodes', report)
        .abortSignal(AbortSignal.timeout(CALL_TIMEOUT_MS));
      if (error && !this.#failing) warn(`what was seen could not be written: ${error.message}`);
      this.#failing = error !== null;
      if (error) return this.#batch.restore(observations.slice(first));
      this.#listsPresences = data?.wants_presence_list ?? this.#listsPresences;
    }
  }

  #after(ms: number, callback: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, ms);
    this.#timers.add(timer);
  }
}

function credentialsOf(presences: unknown[]): NodeCredential[] {
  return presences.map(readCredential).filter((credential) => credential !== undefined);
}

function warn(message: string): void {
  console.warn(JSON.stringify({ level: 'warn', message: `watch: ${message}` }));
}
