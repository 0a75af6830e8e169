import { isTerminal } from '@stark-o/core';
import type { AgentLog } from '../ports/agent-log.js';
import type { Clock } from '../ports/clock.js';
import {
  type BundleCache,
  BundleError,
  type Executor,
  type PodRun,
  PortConflictError,
  type Ports,
  type ReportSink,
} from './adapters.js';
import { HealthCheck } from './health-check.js';
import type { PodReport, WantedPod } from './pod.js';
import { type Action, type ManagedPod, type Observation, step } from './pod-machine.js';
import { StartLimiter } from './start-limiter.js';

/** One that has not started by then lets others start beside it: it may be stuck, or hostile. */
const LONGEST_START_MS = 1_000;

export interface ReconcilerOptions {
  clock: Clock;
  bundles: BundleCache;
  executor: Executor;
  ports: Ports;
  reports: ReportSink;
  log: AgentLog;
  /** A run of the pod begins, after it was restarted so many times. */
  onLaunch?(podId: string, restarts: number): void;
}

/** Makes what runs here be what the last snapshot wants; everything it decides is decided in `pod-machine.ts`. */
export class Reconciler {
  readonly #pods = new Map<string, ManagedPod>();
  readonly #runs = new Map<string, PodRun>();
  readonly #health = new Map<string, HealthCheck>();
  readonly #timers = new Map<string, () => void>();
  readonly #idle = new Set<() => void>();
  // All at once, the first pod would run when the last one does: each gets a small part of the processors.
  readonly #startLimiter: StartLimiter | undefined;
  readonly #startReleases = new Map<string, () => void>();
  #snapshot: readonly WantedPod[] = [];
  #closing = false;

  constructor(private readonly options: ReconcilerOptions) {
    const { clock, executor } = options;
    if (executor.startsAtOnce !== undefined)
      this.#startLimiter = new StartLimiter(clock, executor.startsAtOnce, LONGEST_START_MS);
  }

  /** The pods this node knows, for listings and tests. */
  get pods(): ReadonlyMap<string, Readonly<ManagedPod>> {
    return this.#pods;
  }

  /** Takes over a snapshot of `node_sync`. Snapshots must be handed over in the order in which they were asked for. */
  apply(snapshot: readonly WantedPod[]): void {
    if (this.#closing) return;
    this.#snapshot = snapshot;
    const named = new Set(snapshot.map((pod) => pod.id));
    for (const id of [...this.#pods.keys()]) if (!named.has(id)) this.#observe(id, { type: 'unwanted' });
    for (const pod of snapshot) {
      // A node that was away stops what it no longer owns before it starts anything; the last such end applies again.
      if (!this.#pods.has(pod.id) && this.#hasUnowned()) continue;
      this.#observe(pod.id, { type: 'wanted', pod, reportPending: this.options.reports.hasPending(pod.id) });
    }
  }

  /** Stops every pod, each within its own grace period, and waits for the last one. Nothing is reported any more. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const id of [...this.#pods.keys()]) this.#observe(id, { type: 'closing' });
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    if (this.#stopping()) await new Promise<void>((resolve) => this.#idle.add(resolve));
  }

  #observe(id: string, seen: Observation): void {
    const before = this.#pods.get(id);
    const { managed, actions } = step(before, seen, this.options.clock.now());
    if (managed === undefined) this.#pods.delete(id);
    else this.#pods.set(id, managed);
    const pod = managed?.pod ?? before?.pod;
    if (pod !== undefined) for (const action of actions) this.#perform(pod, action);
  }

  #perform(pod: WantedPod, action: Action): void {
    const { clock, executor, ports, reports } = this.options;
    switch (action.type) {
      case 'report':
        reports.report(action.report);
        this.#logReport(pod, action.report);
        break;
      case 'fetch':
        void this.#fetch(pod, action.attempt);
        break;
      case 'launch':
        void this.#launch(pod, action.attempt, action.bundle);
        break;
      case 'stop':
        this.#endHealthCheck(pod.id);
        // Without a run yet, `#launch` is still claiming ports and finds the pod stopping.
        this.#runs.get(pod.id)?.stop(action.graceMs);
        break;
      case 'wake':
        this.#cancelTimer(pod.id);
        this.#timers.set(
          pod.id,
          clock.after(action.delayMs, () => {
            this.#timers.delete(pod.id);
            this.#observe(pod.id, { type: 'due', attempt: action.attempt });
          }),
        );
        break;
      case 'release':
        this.#cancelTimer(pod.id);
        ports.release(pod.id);
        break;
      case 'discard':
        executor.discard(pod.id).catch((error: unknown) => {
          this.options.log.warn({ pod_id: pod.id, error: String(error) }, 'could not remove the data of a pod');
        });
        break;
    }
  }

  #releaseStart(podId: string): void {
    this.#startReleases.get(podId)?.();
    this.#startReleases.delete(podId);
  }

  #cancelTimer(podId: string): void {
    this.#timers.get(podId)?.();
    this.#timers.delete(podId);
  }

  async #fetch(pod: WantedPod, attempt: number): Promise<void> {
    try {
      const bundle = await this.options.bundles.fetch(pod.bundle);
      const release = await this.#startLimiter?.acquire();
      this.#observe(pod.id, { type: 'fetched', attempt, bundle });
      const { phase, attempt: now } = this.#pods.get(pod.id) ?? {};
      if (release === undefined) return;
      if (phase === 'launching' && now === attempt) this.#startReleases.set(pod.id, release);
      else release();
    } catch (error) {
      const known = error instanceof BundleError;
      this.#observe(pod.id, {
        type: 'fetchFailed',
        attempt,
        reason: known ? error.reason : 'BundleUnavailable',
        message: messageOf(error),
        retry: known ? error.retry : true,
      });
    }
  }

  async #launch(pod: WantedPod, attempt: number, bundle: string): Promise<void> {
    const { ports: registry, executor } = this.options;
    const exited = (reason: string, message: string) => this.#exited(pod, attempt, { exitCode: 1, reason, message });
    let ports: Record<string, number>;
    try {
      ports = await registry.claim(pod);
    } catch (error) {
      return exited(error instanceof PortConflictError ? 'PortConflict' : 'StartFailed', messageOf(error));
    }
    const managed = this.#pods.get(pod.id);
    if (managed?.attempt !== attempt || managed.phase !== 'launching') {
      return this.#exited(pod, attempt, { exitCode: 0, reason: 'Completed' });
    }
    this.#observe(pod.id, { type: 'claimed', attempt, ports });
    try {
      this.options.onLaunch?.(pod.id, managed.restarts);
      const run = executor.launch(
        { pod, bundle, ports },
        {
          started: () => {
            this.#releaseStart(pod.id);
            this.#observe(pod.id, { type: 'started', attempt });
            this.#checkHealth(pod, attempt, ports);
          },
          ready: () => this.#health.get(pod.id)?.packReady(),
          exited: (outcome) => this.#exited(pod, attempt, outcome),
        },
      );
      this.#runs.set(pod.id, run);
    } catch (error) {
      exited('StartFailed', messageOf(error));
    }
  }

  #checkHealth(pod: WantedPod, attempt: number, ports: Record<string, number>): void {
    if (this.#pods.get(pod.id)?.phase !== 'running') return;
    const { clock, ports: registry } = this.options;
    const check = new HealthCheck({
      pod,
      ports,
      clock,
      httpGet: (port, path, timeoutMs) => registry.httpGet(port, path, timeoutMs),
      listener: {
        readiness: (ready, problem) => this.#observe(pod.id, { type: 'readiness', attempt, ready, problem }),
        unhealthy: (problem) => this.#observe(pod.id, { type: 'unhealthy', attempt, problem }),
      },
    });
    this.#health.set(pod.id, check);
  }

  #endHealthCheck(podId: string): void {
    this.#health.get(podId)?.stop();
    this.#health.delete(podId);
  }

  #exited(pod: WantedPod, attempt: number, outcome: Extract<Observation, { type: 'exited' }>['outcome']): void {
    this.#runs.delete(pod.id);
    this.#releaseStart(pod.id);
    this.#endHealthCheck(pod.id);
    const wasUnowned = this.#pods.get(pod.id)?.owned === false;
    this.#observe(pod.id, { type: 'exited', attempt, outcome });
    if (wasUnowned && !this.#hasUnowned()) this.apply(this.#snapshot);
    if (this.#closing && !this.#stopping()) for (const done of this.#idle) done();
  }

  #stopping(): boolean {
    for (const managed of this.#pods.values()) if (managed.phase === 'stopping') return true;
    return false;
  }

  #hasUnowned(): boolean {
    for (const managed of this.#pods.values()) if (!managed.owned) return true;
    return false;
  }

  /** One line for each change that a person cares about; what lies between is for those who look for a fault. */
  #logReport(pod: WantedPod, { status, reason, message, ready, ports }: PodReport): void {
    const { log } = this.options;
    const fields = { pod_id: pod.id, pod: `${pod.namespace}/${pod.name}`, status, ...(reason && { reason }) };
    const why = `${reason ? ` (${reason})` : ''}${message ? `: ${message}` : ''}`;
    if (status === 'failed' || (reason !== undefined && ALARMING.has(reason))) {
      log.warn(fields, `pod ${pod.name} is ${status}${why}`);
    } else if (status === 'running' && reason === undefined) {
      const listens = Object.entries(ports ?? {}).map(([name, port]) => `${name} ${port}`);
      const where = listens.length === 0 ? '' : `, port ${listens.join(', ')}`;
      log.info(fields, `pod ${pod.name} runs ${pod.pack}@${pod.version}${where}${ready ? '' : ', not ready yet'}`);
    } else {
      const isStep = reason === undefined && !isTerminal(status);
      log[isStep ? 'debug' : 'info'](fields, `pod ${pod.name} is ${status}${why}`);
    }
  }
}

const ALARMING: ReadonlySet<string> = new Set(['CrashLoopBackOff', 'PortConflict', 'Unhealthy', 'NotReady']);

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
