import { isReadyAtOnce } from './health-check.js';
import { type ExitOutcome, gracePeriodMs, type PodReport, type PodStatus, type WantedPod } from './pod.js';
import { afterExit, retryDelayMs } from './restart-policy.js';
import { storableText } from './storable-text.js';

/**
 * fetching → launching → running, `waiting` between two tries, `stopping` until the run is gone, `ended` for good.
 * A run exists exactly in launching, running and stopping.
 */
export type Phase = 'fetching' | 'launching' | 'running' | 'waiting' | 'stopping' | 'ended';

/** What the node knows of one pod. */
export interface ManagedPod {
  pod: WantedPod;
  phase: Phase;
  /** Grows with every try, so that what an earlier try still has to say is not mistaken for this one's. */
  attempt: number;
  restarts: number;
  /** Ends in a row, for the back-off. */
  crashes: number;
  /** Failed downloads in a row, likewise. */
  fetchFailures: number;
  /** What phase `waiting` waits for; only a crash makes the next try a restart. */
  waitsFor: 'bundle' | 'port' | 'restart';
  startedAt: number;
  ready: boolean;
  /** Why this run is being ended and another one follows; a probe said so. */
  unhealthy: string | undefined;
  ports: Record<string, number>;
  /** False once the snapshot no longer names the pod: whatever happens to it concerns nobody. */
  owned: boolean;
  /** The pod came back while it was being stopped as not owned: start it again when the old run is gone. */
  resume: boolean;
  /** The agent is going: what still happens is neither reported nor tidied up, the pod may come back to this node. */
  leaving: boolean;
  lastReport: PodReport | undefined;
}

/** What happened, as seen by one pod. Those with an attempt come from that try's fetch, run or timer. */
export type Observation =
  | { type: 'wanted'; pod: WantedPod; reportPending: boolean }
  | { type: 'unwanted' }
  | { type: 'closing' }
  | { type: 'fetched'; attempt: number; bundle: string }
  | { type: 'fetchFailed'; attempt: number; reason: string; message: string; retry: boolean }
  | { type: 'claimed'; attempt: number; ports: Record<string, number> }
  | { type: 'started'; attempt: number }
  | { type: 'readiness'; attempt: number; ready: boolean; problem?: string | undefined }
  | { type: 'unhealthy'; attempt: number; problem: string }
  | { type: 'exited'; attempt: number; outcome: ExitOutcome }
  | { type: 'due'; attempt: number };

export type Action =
  | { type: 'fetch'; attempt: number }
  | { type: 'launch'; attempt: number; bundle: string }
  | { type: 'stop'; graceMs: number }
  | { type: 'wake'; attempt: number; delayMs: number }
  | { type: 'report'; report: PodReport }
  | { type: 'release' }
  | { type: 'discard' };

/** The pod afterwards (undefined: forgotten) and what to do now. */
export interface Step {
  managed: ManagedPod | undefined;
  actions: Action[];
}

const PORT_RETRY_MS = 5_000;

const OVER: ReadonlySet<PodStatus> = new Set(['stopped', 'succeeded', 'failed', 'evicted']);
// Postgres says one of these when an earlier life of this agent had already begun to execute the pod.
const BEGUN: ReadonlySet<PodStatus> = new Set(['starting', 'running', 'stopping']);

/** One pure step: what a pod becomes, and what has to be done, when something happened to it. */
export function step(managed: ManagedPod | undefined, seen: Observation, now: number): Step {
  if (managed === undefined)
    return seen.type === 'wanted' ? meet(seen.pod, seen.reportPending, now) : { managed, actions: [] };
  const next = { ...managed };
  const actions: Action[] = [];
  const transition = new Transition(next, actions, now);
  if ('attempt' in seen && seen.attempt !== managed.attempt) return { managed, actions };
  switch (seen.type) {
    case 'wanted':
      transition.wanted(seen.pod, seen.reportPending);
      break;
    case 'unwanted':
      return transition.unwanted();
    case 'closing':
      transition.leave();
      break;
    case 'fetched':
      if (next.phase === 'fetching') transition.launch(seen.bundle);
      break;
    case 'fetchFailed':
      if (next.phase === 'fetching') transition.fetchFailed(seen.reason, seen.message, seen.retry);
      break;
    case 'claimed':
      transition.claimed(seen.ports);
      break;
    case 'started':
      if (next.phase === 'launching') transition.started();
      break;
    case 'readiness':
      if (next.phase === 'running' && next.unhealthy === undefined) transition.readiness(seen.ready, seen.problem);
      break;
    case 'unhealthy':
      if (next.phase === 'running' && next.unhealthy === undefined) transition.unhealthy(seen.problem);
      break;
    case 'exited':
      return transition.exited(seen.outcome);
    case 'due':
      if (next.phase === 'waiting') transition.fetch();
      break;
  }
  return { managed: next, actions };
}

function meet(pod: WantedPod, reportPending: boolean, now: number): Step {
  if (OVER.has(pod.status)) return { managed: undefined, actions: [] };
  const managed: ManagedPod = {
    pod,
    phase: 'fetching',
    attempt: 0,
    restarts: pod.restarts,
    crashes: 0,
    fetchFailures: 0,
    waitsFor: 'bundle',
    startedAt: now,
    ready: false,
    unhealthy: undefined,
    ports: {},
    owned: true,
    resume: false,
    leaving: false,
    lastReport: undefined,
  };
  const actions: Action[] = [];
  const transition = new Transition(managed, actions, now);
  if (pod.wanted === 'stopped') {
    transition.end('stopped', { reason: 'Stopped', message: 'it was not running on this node any more' });
  } else if (!BEGUN.has(pod.status) && !reportPending) {
    transition.report('transferring');
    transition.fetch();
  } else if (pod.spec.restartPolicy === 'Never') {
    // It may have done its work halfway: running it a second time is what Never forbids.
    transition.end('failed', { reason: 'AgentRestarted', message: 'the agent ended while the pod was running' });
  } else {
    managed.restarts += 1;
    transition.report('starting', { reason: 'AgentRestarted', message: 'the agent ended while the pod was running' });
    transition.fetch();
  }
  return { managed, actions };
}

type Detail = { reason?: string; message?: string; exit_code?: number };

class Transition {
  constructor(
    private readonly it: ManagedPod,
    private readonly actions: Action[],
    private readonly now: number,
  ) {}

  wanted(pod: WantedPod, reportPending: boolean): void {
    const { it } = this;
    it.pod = pod;
    it.owned = true;
    if (pod.wanted === 'stopped') {
      it.resume = false;
      // What these report is newer than what Postgres said, so there is nothing to repair.
      if (it.phase === 'fetching' || it.phase === 'waiting') {
        this.end('stopped', { reason: 'Stopped' });
        return;
      }
      if (it.phase === 'launching' || it.phase === 'running') {
        this.stop('stopping');
        return;
      }
    } else if (it.phase === 'stopping' && it.lastReport?.status !== 'stopping' && !it.leaving) {
      it.resume = true;
    }
    // Postgres and this node disagree although nothing is under way: a report was refused or lost. Say it again.
    if (!reportPending && it.lastReport !== undefined && it.lastReport.status !== pod.status) {
      this.actions.push({ type: 'report', report: it.lastReport });
    }
  }

  unwanted(): Step {
    const { it } = this;
    it.owned = false;
    it.resume = false;
    if (it.phase === 'launching' || it.phase === 'running') this.stop();
    if (it.phase === 'stopping') return { managed: it, actions: this.actions };
    return this.forget();
  }

  leave(): void {
    const { it } = this;
    it.leaving = true;
    it.resume = false;
    if (it.phase === 'launching' || it.phase === 'running') {
      this.stop();
      return;
    }
    if (it.phase === 'stopping') return;
    it.phase = 'ended';
    it.attempt += 1;
  }

  fetch(): void {
    const { it } = this;
    // Counted when it is really tried again, not when the waiting begins.
    if (it.phase === 'waiting' && it.waitsFor === 'restart') it.restarts += 1;
    it.phase = 'fetching';
    it.attempt += 1;
    this.actions.push({ type: 'fetch', attempt: it.attempt });
  }

  fetchFailed(reason: string, message: string, retry: boolean): void {
    const { it } = this;
    if (!retry) {
      this.end('failed', { reason, message });
      return;
    }
    const delayMs = retryDelayMs(it.fetchFailures);
    it.fetchFailures += 1;
    it.phase = 'waiting';
    it.waitsFor = 'bundle';
    this.report('transferring', { reason, message: `${message}; next try in ${seconds(delayMs)}` });
    this.actions.push({ type: 'wake', attempt: it.attempt, delayMs });
  }

  launch(bundle: string): void {
    const { it } = this;
    it.phase = 'launching';
    it.ready = false;
    it.unhealthy = undefined;
    it.startedAt = this.now;
    it.fetchFailures = 0;
    if (it.waitsFor !== 'port') this.report('starting');
    this.actions.push({ type: 'launch', attempt: it.attempt, bundle });
  }

  claimed(ports: Record<string, number>): void {
    const { it } = this;
    it.ports = ports;
    if (it.waitsFor !== 'port') return;
    it.waitsFor = 'restart';
    const numbers = Object.entries(ports).map(([name, port]) => `${port} ("${name}")`);
    this.report('starting', { reason: 'PortReclaimed', message: `port ${numbers.join(', ')} is free again` });
  }

  started(): void {
    const { it } = this;
    it.phase = 'running';
    it.startedAt = this.now;
    it.ready = isReadyAtOnce(it.pod);
    this.report('running');
  }

  readiness(ready: boolean, problem?: string): void {
    const { it } = this;
    if (it.ready === ready && problem === undefined) return;
    it.ready = ready;
    this.report('running', problem === undefined ? {} : { reason: 'NotReady', message: problem });
  }

  /** The run gets its grace period like any other; what follows its end is what follows a crash. */
  unhealthy(problem: string): void {
    const { it } = this;
    it.unhealthy = problem;
    it.ready = false;
    this.report('running', { reason: 'Unhealthy', message: problem });
    this.actions.push({ type: 'stop', graceMs: gracePeriodMs(it.pod) });
  }

  exited(ended: ExitOutcome): Step {
    const { it } = this;
    if (it.phase === 'stopping') return this.stopped(ended);
    if (it.phase !== 'launching' && it.phase !== 'running') return { managed: it, actions: [] };
    if (ended.reason === 'PortConflict') return this.waitForPort(ended);
    const outcome = it.unhealthy === undefined ? ended : { ...ended, reason: 'Unhealthy', message: it.unhealthy };
    const detail = describe(outcome);
    const after = afterExit(it.pod.spec.restartPolicy ?? 'Always', outcome, it.crashes, this.now - it.startedAt);
    it.ready = false;
    if (after.next !== 'restart') {
      this.end(after.next, detail);
      return { managed: it, actions: this.actions };
    }
    it.phase = 'waiting';
    it.crashes = after.crashes;
    it.waitsFor = 'restart';
    this.report('starting', {
      ...detail,
      reason: 'CrashLoopBackOff',
      message: `back-off ${seconds(after.delayMs)} after ${outcome.reason} (exit code ${outcome.exitCode})${
        outcome.message === undefined ? '' : `: ${outcome.message}`
      }`,
    });
    this.actions.push({ type: 'wake', attempt: it.attempt, delayMs: after.delayMs });
    return { managed: it, actions: this.actions };
  }

  /** Nothing has run yet, so this is neither a crash nor an end, whatever the restart policy says. */
  private waitForPort({ reason, message }: ExitOutcome): Step {
    const { it } = this;
    const told = it.waitsFor === 'port' && it.lastReport?.message === message;
    it.phase = 'waiting';
    it.waitsFor = 'port';
    if (!told) this.report('starting', { reason, ...(message !== undefined && { message }) });
    this.actions.push({ type: 'wake', attempt: it.attempt, delayMs: PORT_RETRY_MS });
    return { managed: it, actions: this.actions };
  }

  report(status: PodStatus, detail: Detail = {}): void {
    const { it } = this;
    const report: PodReport = {
      pod_id: it.pod.id,
      status,
      ...detail,
      ...(detail.message !== undefined && { message: storableText(detail.message) }),
      restarts: it.restarts,
      ready: it.ready,
      observed_at: new Date(this.now).toISOString(),
      ...(Object.keys(it.ports).length > 0 && { ports: it.ports }),
    };
    it.lastReport = report;
    this.actions.push({ type: 'report', report });
  }

  end(status: PodStatus, detail: Detail): void {
    const { it } = this;
    it.phase = 'ended';
    it.attempt += 1;
    it.ready = false;
    this.report(status, detail);
    this.actions.push({ type: 'release' });
  }

  private stop(status?: PodStatus): void {
    const { it } = this;
    it.phase = 'stopping';
    it.ready = false;
    if (status !== undefined) this.report(status);
    this.actions.push({ type: 'stop', graceMs: gracePeriodMs(it.pod) });
  }

  private stopped(outcome: ExitOutcome): Step {
    const { it } = this;
    if (it.leaving) {
      it.phase = 'ended';
      return { managed: it, actions: [{ type: 'release' }] };
    }
    if (it.resume) {
      it.resume = false;
      if (it.pod.spec.restartPolicy === 'Never') this.end('failed', describe(outcome));
      else this.fetch();
      return { managed: it, actions: this.actions };
    }
    if (!it.owned) return this.forget();
    this.end('stopped', {
      ...describe(outcome),
      reason: outcome.reason === 'Killed' ? 'Killed' : 'Stopped',
    });
    return { managed: it, actions: this.actions };
  }

  private forget(): Step {
    this.actions.push({ type: 'release' }, { type: 'discard' });
    return { managed: undefined, actions: this.actions };
  }
}

function describe(outcome: ExitOutcome): Detail {
  return {
    reason: outcome.reason,
    exit_code: outcome.exitCode,
    ...(outcome.message !== undefined && { message: outcome.message }),
  };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
