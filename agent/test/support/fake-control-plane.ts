import { type PodReportAnswer, StarkError } from '@stark-o/core';
import type { CommandChannel, CommandListener } from '../../src/control-plane/command-channel.js';
import type {
  BroadcastMessage,
  ControlPlane,
  LivenessReporterOptions,
  SyncAnswer,
} from '../../src/control-plane/control-plane.js';
import type { LivenessReporter, NodeCredential } from '../../src/control-plane/liveness-reporter.js';
import type { LogLine } from '../../src/logs/log-line.js';
import type { PodReport } from '../../src/reconciler/pod.js';
import { PodLedger } from './pod-ledger.js';

/** A control plane in memory that can be cut off, overtaken, or made to refuse. */
export class FakeControlPlane implements ControlPlane {
  readonly ledger = new PodLedger();
  readonly calls: string[] = [];
  readonly lines: LogLine[] = [];
  readonly messages: BroadcastMessage[] = [];
  incarnation = 0;
  /** Thrown by every call while it is set. */
  failure: StarkError | undefined;
  /** Thrown to an agent that registers again. */
  claimed: StarkError | undefined;
  /** A report with this message is answered with 400, and its whole batch with it. */
  poison: string | undefined;
  joinsAtOnce = true;
  commands: CommandListener | undefined;
  heartbeat = { interval: 15, timeout: 30 };
  liveness: LivenessReporterOptions | undefined;
  /** Under which credential the cluster hears of it, and how often. */
  readonly heartbeats: { credential: NodeCredential; intervalMs: number }[] = [];
  isDelivering = true;
  closed = false;

  async signIn(): Promise<void> {
    this.#call('signIn');
  }

  async registerNode(): Promise<{ node_id: string; name: string }> {
    this.#call('register');
    if (this.claimed !== undefined && this.incarnation > 0) throw this.claimed;
    return { node_id: 'node-1', name: 'fake' };
  }

  async sync(_nodeId: string, incarnation: number | null): Promise<SyncAnswer> {
    this.#call(`sync ${incarnation}`);
    if (incarnation === null) this.incarnation += 1;
    else this.#mustBeCurrent(incarnation);
    return {
      node_id: 'node-1',
      incarnation: this.incarnation,
      topic: 'stark:node:node-1',
      now: '2026-01-01T01:00:00+00:00',
      ...(incarnation === null && { secret: `secret ${this.incarnation}` }),
      heartbeat: this.heartbeat,
      pods: this.ledger.snapshot(),
    };
  }

  async reportPods(_nodeId: string, incarnation: number, reports: readonly PodReport[]): Promise<PodReportAnswer[]> {
    this.#call(`report ${incarnation}: ${reports.map(({ status }) => status).join(' ')}`);
    this.#mustBeCurrent(incarnation);
    if (reports.some(({ message }) => message === this.poison && message !== undefined)) {
      throw new StarkError('malformed', { code: 'INVALID_ARGUMENT', status: 400 });
    }
    return reports.map((report) => ({ pod_id: report.pod_id, accepted: this.ledger.report(report) }));
  }

  async appendLogs(_nodeId: string, incarnation: number, lines: readonly LogLine[]): Promise<void> {
    this.#call(`logs ${incarnation}: ${lines.length}`);
    this.#mustBeCurrent(incarnation);
    this.lines.push(...lines);
  }

  async broadcast(messages: readonly BroadcastMessage[]): Promise<void> {
    this.#call(`broadcast ${messages.length}`);
    this.messages.push(...messages);
  }

  async disconnect(_nodeId: string, incarnation: number): Promise<void> {
    this.#call(`disconnect ${incarnation}`);
  }

  openCommandChannel(_topic: string, listener: CommandListener): CommandChannel {
    this.commands = listener;
    return { joined: async () => this.joinsAtOnce, close: async () => {} };
  }

  openLivenessReporter(options: LivenessReporterOptions): LivenessReporter {
    this.liveness = options;
    this.heartbeats.push({ credential: options.credential, intervalMs: options.intervalMs });
    const plane = this;
    return {
      get isDelivering() {
        return plane.isDelivering;
      },
      reportAs: (credential, intervalMs) => this.heartbeats.push({ credential, intervalMs }),
      close: async () => {},
    };
  }

  download(): never {
    throw new Error('the fake node has its own bundles');
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  #call(what: string): void {
    this.calls.push(what);
    if (this.failure !== undefined) throw this.failure;
  }

  #mustBeCurrent(incarnation: number): void {
    if (incarnation !== this.incarnation) {
      throw new StarkError('stale', { code: 'STALE_INCARNATION', status: 409 });
    }
  }
}

export const UNREACHABLE = new StarkError('cannot reach it', { code: 'UNREACHABLE' });
