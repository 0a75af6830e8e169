import type { Channel, ReconnectingChannel, StarkClient } from '@stark-o/core';
import type { AgentLog } from '../ports/agent-log.js';
import { around, jitteredBackoff } from '../ports/backoff.js';
import type { Clock } from '../ports/clock.js';
import type { NodeUsage } from './node-usage.js';
import { openChannel } from './open-channel.js';

/** How a node proves in a message that it is this node, since its agent connected: anybody may send under any name. */
export interface NodeCredential {
  node_id: string;
  incarnation: number;
  secret: string;
}

export interface LivenessListener {
  usage(): NodeUsage;
  /** The cluster may not have heard of this node: another sign of life is called for. */
  undelivered(why: string): void;
}

/** Reports that a node is alive: it is present on Realtime, and sends heartbeats with what is used. */
export interface LivenessReporter {
  /** True while presence and heartbeats reach the cluster. */
  readonly isDelivering: boolean;
  /** From now on it reports under this credential, with so long between two heartbeats. */
  reportAs(credential: NodeCredential, intervalMs: number): void;
  close(): Promise<void>;
}

export interface RealtimeLivenessReporterOptions {
  client: StarkClient;
  clock: Clock;
  log: AgentLog;
  credential: NodeCredential;
  intervalMs: number;
  /** What the node offers; a tenth of it is a change worth telling. */
  allocatable: Record<string, number>;
  listener: LivenessListener;
}

/** How often usage is sampled between two heartbeats. */
const SAMPLES_PER_INTERVAL = 5;
const NOTABLE_CHANGE = 0.1;
/** More than five tracks in thirty seconds end the channel. */
const SHORTEST_RETRACK_MS = 10_000;
const LONGEST_RETRACK_MS = 60_000;

/** Reports over topics that agents may write but not read, so that a node costs the others nothing. */
export class RealtimeLivenessReporter implements LivenessReporter {
  readonly #presence: ReconnectingChannel;
  readonly #heartbeats: ReconnectingChannel;
  #credential: NodeCredential;
  #intervalMs: number;
  #channels: { presence?: Channel; heartbeats?: Channel } = {};
  #tracked: NodeCredential | undefined;
  #failures = 0;
  #lastHeartbeatAt = Number.NEGATIVE_INFINITY;
  #lastUsage: NodeUsage = { cpu: 0, memory: 0, pods: {} };
  #cancelSample: (() => void) | undefined;
  #cancelRetrack: (() => void) | undefined;

  constructor(private readonly options: RealtimeLivenessReporterOptions) {
    const { client, clock, log, credential, intervalMs } = options;
    this.#credential = credential;
    this.#intervalMs = intervalMs;
    this.#presence = openChannel({
      client,
      clock,
      log,
      topic: 'stark:presence',
      joined: (channel) => {
        this.#channels.presence = channel;
        void this.#track();
      },
      lost: (why) => {
        this.#tracked = undefined;
        this.options.listener.undelivered(`presence: ${why}`);
      },
    });
    this.#heartbeats = openChannel({
      client,
      clock,
      log,
      topic: 'stark:heartbeat',
      // Joined by the right to read a presence that is always empty: what the others send does not come here.
      config: { broadcast: { ack: true, self: false }, presence: { enabled: true } },
      joined: (channel) => {
        this.#channels.heartbeats = channel;
        void this.#sendHeartbeat(this.options.listener.usage());
      },
      lost: (why) => this.options.listener.undelivered(`heartbeat: ${why}`),
    });
    this.#sampleLater();
  }

  get isDelivering(): boolean {
    return this.#presence.isOpen && this.#heartbeats.isOpen && this.#tracked === this.#credential;
  }

  reportAs(credential: NodeCredential, intervalMs: number): void {
    if (intervalMs !== this.#intervalMs) {
      this.#intervalMs = intervalMs;
      this.#sampleLater();
    }
    if (credential.incarnation === this.#credential.incarnation) return;
    this.#credential = credential;
    void this.#track();
    void this.#sendHeartbeat(this.options.listener.usage());
  }

  async close(): Promise<void> {
    this.#cancelSample?.();
    this.#cancelRetrack?.();
    await Promise.all([this.#presence.close(), this.#heartbeats.close()]);
  }

  /** Once for each join and each credential: tracking the same again would say nothing new. */
  async #track(): Promise<void> {
    if (!this.#presence.isOpen) return;
    const { clock, log, listener } = this.options;
    const credential = this.#credential;
    const answer = await this.#channels.presence?.track({ ...credential });
    if (answer === 'ok') {
      this.#failures = 0;
      this.#tracked = credential;
      return;
    }
    if (!this.#presence.isOpen) return;
    log.warn({ answer }, 'Realtime does not take the presence of this node');
    listener.undelivered(`presence: ${answer}`);
    this.#cancelRetrack?.();
    const delay = Math.max(SHORTEST_RETRACK_MS, jitteredBackoff(clock, this.#failures++, LONGEST_RETRACK_MS));
    this.#cancelRetrack = clock.after(delay, () => void this.#track());
  }

  #sampleLater(): void {
    const { clock, listener } = this.options;
    this.#cancelSample?.();
    this.#cancelSample = clock.after(around(clock, this.#intervalMs / SAMPLES_PER_INTERVAL), () => {
      const usage = listener.usage();
      // Samples come a fifth early or late: what is nearly due is sent now.
      const due = clock.now() - this.#lastHeartbeatAt >= this.#intervalMs * 0.9;
      if (due || this.#usageMoved(usage)) void this.#sendHeartbeat(usage);
      this.#sampleLater();
    });
  }

  #usageMoved(usage: NodeUsage): boolean {
    const { allocatable } = this.options;
    return (['cpu', 'memory'] as const).some(
      (kind) => Math.abs(usage[kind] - this.#lastUsage[kind]) > (allocatable[kind] ?? 0) * NOTABLE_CHANGE,
    );
  }

  async #sendHeartbeat(usage: NodeUsage): Promise<void> {
    if (!this.#heartbeats.isOpen) return;
    this.#lastHeartbeatAt = this.options.clock.now();
    this.#lastUsage = usage;
    const payload = { ...this.#credential, usage };
    const answer = await this.#channels.heartbeats?.send({ type: 'broadcast', event: 'heartbeat', payload });
    if (answer !== 'ok' && this.#heartbeats.isOpen) this.options.listener.undelivered(`heartbeat: ${answer}`);
  }
}
