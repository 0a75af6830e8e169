import type { StarkClient } from '@stark-o/core';
import type { AgentLog, Clock, PodUsage } from '../reconciler/adapters.js';
import { around, jitteredBackoff } from '../reconciler/jitter.js';
import { type Channel, LastingChannel } from './lasting-channel.js';

/** One life of a node. The secret proves it: anybody may send under any name. */
export interface Life {
  node_id: string;
  incarnation: number;
  secret: string;
}

/** What the pods of a node use together, and each of them. */
export interface NodeUsage {
  cpu: number;
  memory: number;
  pods: Record<string, PodUsage>;
}

export interface PulseListener {
  usage(): NodeUsage;
  /** The cluster may not have felt it: another sign of life is called for. */
  missed(why: string): void;
}

/** Signs of life: present on Realtime for as long as the connection stands, and a heartbeat with what is used. */
export interface Pulse {
  /** True while the cluster feels it. */
  readonly felt: boolean;
  /** From now on it is the pulse of this life, with so long between two heartbeats. */
  beatAs(life: Life, intervalMs: number): void;
  close(): Promise<void>;
}

export interface RealtimePulseOptions {
  client: StarkClient;
  clock: Clock;
  log: AgentLog;
  life: Life;
  intervalMs: number;
  /** What the node offers; a tenth of it is a change worth telling. */
  allocatable: Record<string, number>;
  listener: PulseListener;
}

/** Usage is looked at so often between two heartbeats. */
const LOOKS = 5;
const NOTICEABLE = 0.1;
/** More than five tracks in thirty seconds end the channel. */
const SHORTEST_RETRACK_MS = 10_000;
const LONGEST_RETRACK_MS = 60_000;

/** The pulse over topics that agents may write but not read, so that a node costs the others nothing. */
export class RealtimePulse implements Pulse {
  readonly #presence: LastingChannel;
  readonly #heartbeats: LastingChannel;
  #life: Life;
  #intervalMs: number;
  #channels: { presence?: Channel; heartbeats?: Channel } = {};
  #tracked: Life | undefined;
  #failures = 0;
  #lastBeat = Number.NEGATIVE_INFINITY;
  #lastUsage: NodeUsage = { cpu: 0, memory: 0, pods: {} };
  #cancelLook: (() => void) | undefined;
  #cancelRetrack: (() => void) | undefined;

  constructor(private readonly options: RealtimePulseOptions) {
    const { client, clock, log, life, intervalMs } = options;
    this.#life = life;
    this.#intervalMs = intervalMs;
    this.#presence = new LastingChannel({
      client,
      clock,
      log,
      topic: 'stark:presence',
      opened: (channel) => {
        this.#channels.presence = channel;
        void this.#track();
      },
      lost: (why) => {
        this.#tracked = undefined;
        this.options.listener.missed(`presence: ${why}`);
      },
    });
    this.#heartbeats = new LastingChannel({
      client,
      clock,
      log,
      topic: 'stark:heartbeat',
      // Joined by the right to read a presence that is always empty: what the others send does not come here.
      config: { broadcast: { ack: true, self: false }, presence: { enabled: true } },
      opened: (channel) => {
        this.#channels.heartbeats = channel;
        void this.#beat(this.options.listener.usage());
      },
      lost: (why) => this.options.listener.missed(`heartbeat: ${why}`),
    });
    this.#lookLater();
  }

  get felt(): boolean {
    return this.#presence.isOpen && this.#heartbeats.isOpen && this.#tracked === this.#life;
  }

  beatAs(life: Life, intervalMs: number): void {
    if (intervalMs !== this.#intervalMs) {
      this.#intervalMs = intervalMs;
      this.#lookLater();
    }
    if (life.incarnation === this.#life.incarnation) return;
    this.#life = life;
    void this.#track();
    void this.#beat(this.options.listener.usage());
  }

  async close(): Promise<void> {
    this.#cancelLook?.();
    this.#cancelRetrack?.();
    await Promise.all([this.#presence.close(), this.#heartbeats.close()]);
  }

  /** Once for each join and each life: tracking the same again would say nothing new. */
  async #track(): Promise<void> {
    if (!this.#presence.isOpen) return;
    const { clock, log, listener } = this.options;
    const life = this.#life;
    const answer = await this.#channels.presence?.track({ ...life });
    if (answer === 'ok') {
      this.#failures = 0;
      this.#tracked = life;
      return;
    }
    if (!this.#presence.isOpen) return;
    log.warn({ answer }, 'Realtime does not take the presence of this node');
    listener.missed(`presence: ${answer}`);
    this.#cancelRetrack?.();
    const delay = Math.max(SHORTEST_RETRACK_MS, jitteredBackoff(clock, this.#failures++, LONGEST_RETRACK_MS));
    this.#cancelRetrack = clock.after(delay, () => void this.#track());
  }

  #lookLater(): void {
    const { clock, listener } = this.options;
    this.#cancelLook?.();
    this.#cancelLook = clock.after(around(clock, this.#intervalMs / LOOKS), () => {
      const usage = listener.usage();
      // Looks come a fifth early or late: what is nearly due is sent now.
      const due = clock.now() - this.#lastBeat >= this.#intervalMs * 0.9;
      if (due || this.#moved(usage)) void this.#beat(usage);
      this.#lookLater();
    });
  }

  #moved(usage: NodeUsage): boolean {
    const { allocatable } = this.options;
    return (['cpu', 'memory'] as const).some(
      (kind) => Math.abs(usage[kind] - this.#lastUsage[kind]) > (allocatable[kind] ?? 0) * NOTICEABLE,
    );
  }

  async #beat(usage: NodeUsage): Promise<void> {
    if (!this.#heartbeats.isOpen) return;
    this.#lastBeat = this.options.clock.now();
    this.#lastUsage = usage;
    const payload = { ...this.#life, usage };
    const answer = await this.#channels.heartbeats?.send({ type: 'broadcast', event: 'heartbeat', payload });
    if (answer !== 'ok' && this.#heartbeats.isOpen) this.options.listener.missed(`heartbeat: ${answer}`);
  }
}
