import { CALL_LIMITS, isTerminal, type StarkError, toStarkError } from '@stark-o/core';
import type { CommandChannel } from './control-plane/command-channel.js';
import type { ControlPlane, NodeDescription, SyncAnswer } from './control-plane/control-plane.js';
import { isRefusal, isStaleIncarnation, isTransient } from './control-plane/failures.js';
import type { LivenessReporter, NodeCredential } from './control-plane/liveness-reporter.js';
import { type NodeUsage, usageOfNode } from './control-plane/node-usage.js';
import type { LogPipeline } from './logs/log-pipeline.js';
import type { Outbox } from './outbox/outbox.js';
import { type Delivery, OutboxRelay } from './outbox/outbox-relay.js';
import type { AgentLog } from './ports/agent-log.js';
import { around, jitteredBackoff } from './ports/backoff.js';
import type { Clock } from './ports/clock.js';
import type { BundleCache, Executor, Ports } from './reconciler/adapters.js';
import type { PodReport, PodStatus, WantedPod } from './reconciler/pod.js';
import { isPodId, podProblem } from './reconciler/pod-problem.js';
import { Reconciler } from './reconciler/reconciler.js';

export interface AgentOptions {
  node: NodeDescription;
  controlPlane: ControlPlane;
  executor: Executor;
  bundles: BundleCache;
  ports: Ports;
  reports: Outbox<PodReport>;
  logs: LogPipeline;
  clock: Clock;
  log: AgentLog;
  /** Called when what the agent or a pod of it is doing has changed. */
  onChange?: (() => void) | undefined;
  /** How often to ask although no command came. */
  syncEveryMs?: number | undefined;
  /** Heartbeats this often at least, where the cluster would be content with fewer. */
  heartbeatEveryMs?: number | undefined;
  /** How long the first connection may take before `start` gives up. */
  connectTimeoutMs?: number | undefined;
}

/** Why an agent is no longer working. */
export interface AgentEnd {
  reason: 'stopped' | 'refused';
  error?: StarkError;
}

const SYNC_EVERY_MS = 60_000;
const CONNECT_TIMEOUT_MS = 30_000;
const LONGEST_BACKOFF_MS = 30_000;
/** Channels that are lost are mostly back before anybody needs to know. */
const REALTIME_AWAY_MS = 10_000;
const FIRST_JOIN_MS = 10_000;
const LAST_DELIVERY_MS = 5_000;
/** All of them may be on one pod, as those of an outage on one that crashes. */
const REPORTS_PER_CALL = CALL_LIMITS.reportsOfOnePod;
const LONGEST_REST_MS = 250;
/** That a pod is on its way may wait this long for the news of its arrival, or of other pods: each call costs the cluster. */
const PROGRESS_DELAY_MS = 200;
/** So long after an incarnation was taken over, the next takeover is no longer part of the same quarrel. */
const TAKEOVER_WINDOW_MS = 5 * 60_000;

/** A refusal may come from something on the way, or be over as soon as a token is renewed; one that is repeated is meant. */
const REFUSALS_UNTIL_STOP = 3;

/**
 * One node: it asks what it should run whenever a command comes, it (re)joins, something looks wrong or much time has
 * passed, and lets the reconciler make it so. The same in every runtime; what differs comes in as adapters.
 */
export class Agent {
  readonly ended: Promise<AgentEnd>;
  readonly #reconciler: Reconciler;
  readonly #reportRelay: OutboxRelay<PodReport>;
  #end: (end: AgentEnd) => void = () => {};
  #nodeId = '';
  #credential: NodeCredential | undefined;
  #heartbeat: SyncAnswer['heartbeat'] = { interval: 15, timeout: 30 };
  #connectedAt = 0;
  #takeovers = 0;
  /** The incarnation of which it is known that it is over. */
  #overtaken: number | undefined;
  #commandChannel: CommandChannel | undefined;
  #livenessReporter: LivenessReporter | undefined;
  #stopping: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #syncWanted = false;
  #syncFailures = 0;
  #refusals = 0;
  #awaySince = 0;
  #realtimeAway: { since: number | undefined; said: boolean } = { since: undefined, said: false };
  #cancelTimer: (() => void) | undefined;
  #progressReportWaits = false;
  /** Pods of which it was reported that they are none. */
  readonly #refused = new Set<string>();

  constructor(private readonly options: AgentOptions) {
    const { clock, executor, bundles, ports, reports, log, logs, controlPlane } = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#reconciler = new Reconciler({
      clock,
      bundles,
      executor,
      ports,
      log,
      reports: { report: (report) => this.#report(report), hasPending: (podId) => reports.has(podId) },
      onLaunch: (podId, run) => logs.startRun(podId, run),
    });
    this.#reportRelay = new OutboxRelay({
      name: 'reports',
      outbox: reports,
      clock,
      log,
      batchSize: REPORTS_PER_CALL,
      longestRestMs: LONGEST_REST_MS,
      deliver: (items, incarnation) =>
        this.#deliver(incarnation, async (current) => {
          await this.#lastLines(items);
          const answers = await controlPlane.reportPods(this.#nodeId, current, items);
          for (const { pod_id, accepted, code, message } of answers) {
            if (!accepted) log.warn({ pod_id, code, message }, 'the control plane refused a report');
          }
        }),
    });
    logs.connect({
      incarnation: () => this.incarnation,
      store: (lines, madeUnder) =>
        this.#deliver(madeUnder, (current) => controlPlane.appendLogs(this.#nodeId, current, lines)),
      broadcast: (messages) => controlPlane.broadcast(messages),
    });
  }

  get nodeId(): string {
    return this.#nodeId;
  }

  get incarnation(): number {
    return this.#credential?.incarnation ?? 0;
  }

  get stopping(): boolean {
    return this.#stopping !== undefined;
  }

  get pods(): Reconciler['pods'] {
    return this.#reconciler.pods;
  }

  /** Connects, starts what the node should run, and resolves when it listens. */
  async start(): Promise<void> {
    const { controlPlane, node, log, executor, reports, logs } = this.options;
    await this.#persist('sign in', () => controlPlane.signIn());
    const registered = await this.#persist('register the node', () => controlPlane.registerNode(node));
    this.#nodeId = registered.node_id;
    // What an earlier life left was seen under its incarnation, and would be refused under a later one.
    if (reports.size + logs.size > 0) {
      log.info({ reports: reports.size, lines: logs.size }, 'delivering what an earlier life of this agent left');
      await this.#reportRelay.drain(CONNECT_TIMEOUT_MS);
      await logs.drain(CONNECT_TIMEOUT_MS);
    }
    const answer = await this.#persist('connect the node', () => this.#ask(null));
    const named = answer.pods.map((pod: { id: string } | null) => pod?.id ?? '');
    await executor.sweep(new Set(named)).catch((error: unknown) => {
      log.warn({ error: String(error) }, 'could not remove what earlier pods left');
    });
    this.#connected(answer);
    this.#commandChannel = controlPlane.openCommandChannel(answer.topic, {
      notified: (why) => this.sync(why),
      joined: () => {
        this.#reportRelay.wake();
        logs.wake();
        this.sync('joined');
      },
      followed: ({ pod_id, seconds, topic }) => {
        if (typeof pod_id !== 'string' || typeof seconds !== 'number') return;
        if (this.#reconciler.pods.has(pod_id) && seconds > 0) logs.follow(pod_id, seconds, topic);
      },
    });
    this.#livenessReporter = controlPlane.openLivenessReporter({
      credential: this.#credential as NodeCredential,
      intervalMs: this.#heartbeatMs(),
      allocatable: node.allocatable,
      listener: { usage: () => this.#usage(), undelivered: (why) => this.sync(why) },
    });
    this.#armSync();
    if (!(await this.#commandChannel.joined(FIRST_JOIN_MS)))
      log.debug({}, 'Realtime is not reachable yet; commands come by the timer');
  }

  /** Asks what the node should run. Calls that come while one is under way become one more. */
  sync(why: string): void {
    if (this.#stopping !== undefined || this.#credential === undefined) return;
    this.options.log.debug({ why }, 'asking what to run');
    this.#syncWanted = true;
    this.#syncing ??= this.#syncAll().finally(() => {
      this.#syncing = undefined;
    });
  }

  /** Stops every pod within its grace period, delivers what is left, says goodbye. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop({ reason: 'stopped' });
    return this.#stopping;
  }

  async #syncAll(): Promise<void> {
    while (this.#syncWanted && this.#stopping === undefined) {
      this.#syncWanted = false;
      try {
        await this.#syncOnce();
        this.#sayBack();
        this.#syncFailures = 0;
        this.#refusals = 0;
        this.#armSync();
      } catch (error) {
        this.#syncFailed(toStarkError(error));
      }
    }
  }

  #sayBack(): void {
    const { clock, log } = this.options;
    if (this.#syncFailures === 0) return;
    const away = Math.round((clock.now() - this.#awaySince) / 1000);
    log.info({ pods: this.#reconciler.pods.size }, `back: the cluster answers again after ${away} s; pods went on`);
  }

  async #syncOnce(): Promise<void> {
    const { controlPlane, clock, log, node } = this.options;
    try {
      const answer = await this.#ask(this.incarnation);
      this.#tell(answer);
      this.#reconciler.apply(this.#usable(answer.pods));
      this.options.onChange?.();
    } catch (error) {
      const failure = toStarkError(error);
      if (!isStaleIncarnation(failure)) throw failure;
      // Once for each, however often connecting anew fails: pods run on meanwhile, and may be somebody else's by now.
      if (this.#overtaken !== this.incarnation) {
        this.#overtaken = this.incarnation;
        this.#takeovers = clock.now() - this.#connectedAt < TAKEOVER_WINDOW_MS ? this.#takeovers + 1 : 1;
        log.warn({ takeovers: this.#takeovers }, 'this node was given up, or taken over; connecting anew');
        if (this.#takeovers > 1) await this.#pause(jitteredBackoff(clock, this.#takeovers, LONGEST_BACKOFF_MS));
      }
      if (this.#stopping !== undefined) return;
      // Says so when the name is another installation's by now, instead of taking it back and forth.
      await controlPlane.registerNode(node);
      this.#connected(await this.#ask(null));
    }
  }

  async #ask(incarnation: number | null): Promise<SyncAnswer> {
    const { controlPlane, clock } = this.options;
    const askedAt = clock.now();
    const answer = await controlPlane.sync(this.#nodeId, incarnation);
    clock.heard(Date.parse(answer.now), askedAt);
    return answer;
  }

  /** The pods that an agent can work with. One that is not what a pod is costs nobody else anything, and fails, if it can be named. */
  #usable(pods: readonly WantedPod[]): WantedPod[] {
    const { log, clock } = this.options;
    return pods.filter((pod: unknown) => {
      const problem = podProblem(pod);
      if (problem === undefined) return true;
      const { id, status } = (pod ?? {}) as { id?: unknown; status?: unknown };
      log.error({ pod_id: isPodId(id) ? id : undefined, problem }, 'the control plane sent a pod that is none');
      if (isPodId(id) && !this.#refused.has(id) && !isTerminal(status as PodStatus)) {
        this.#refused.add(id);
        const observed_at = new Date(clock.now()).toISOString();
        const why = { reason: 'InvalidPod', message: problem };
        this.#report({ pod_id: id, status: 'failed', ...why, restarts: 0, ready: false, observed_at });
      }
      return false;
    });
  }

  #connected(answer: SyncAnswer): void {
    const { log, logs, clock } = this.options;
    const { incarnation, secret = '' } = answer;
    this.#credential = { node_id: this.#nodeId, incarnation, secret };
    this.#tell(answer);
    this.#connectedAt = clock.now();
    logs.startAt(incarnation);
    const again = this.#syncFailures > 0 || this.#takeovers > 0;
    log[again ? 'info' : 'debug']({ node_id: this.#nodeId, incarnation, pods: answer.pods.length }, 'connected');
    this.#reconciler.apply(this.#usable(answer.pods));
    this.options.onChange?.();
    this.#reportRelay.wake();
    logs.wake();
  }

  #syncFailed(error: StarkError): void {
    const { log, clock } = this.options;
    if (isRefusal(error)) this.#refusals += 1;
    if (isTransient(error) && this.#refusals < REFUSALS_UNTIL_STOP) {
      const what = isRefusal(error) ? 'the cluster refuses this node' : 'cannot reach the cluster';
      if (this.#syncFailures === 0) {
        this.#awaySince = clock.now();
        log.warn({ code: error.code }, `${what}, trying again; pods go on: ${error.message}`);
      }
      this.#armTimer(jitteredBackoff(clock, this.#syncFailures, LONGEST_BACKOFF_MS));
      this.#syncFailures += 1;
      return;
    }
    log.error({ code: error.code }, `this node is not wanted any more; its pods are stopped: ${error.message}`);
    this.#stopping ??= this.#stop({ reason: 'refused', error });
  }

  #tell({ heartbeat }: SyncAnswer): void {
    this.#heartbeat = heartbeat;
    if (this.#credential !== undefined) this.#livenessReporter?.reportAs(this.#credential, this.#heartbeatMs());
  }

  // More rarely than the cluster asks would look like death.
  #heartbeatMs(): number {
    return Math.min(this.#heartbeat.interval * 1000, this.options.heartbeatEveryMs ?? Number.POSITIVE_INFINITY);
  }

  #usage(): NodeUsage {
    return usageOfNode(this.options.executor.usage());
  }

  // Asking is a sign of life too, and the only one left while Realtime is away.
  #armSync(): void {
    const every = this.options.syncEveryMs ?? SYNC_EVERY_MS;
    const isDelivering = this.#livenessReporter?.isDelivering ?? false;
    this.#watchRealtime(isDelivering);
    this.#armTimer(isDelivering ? every : Math.min(every, (this.#heartbeat.timeout * 1000) / 2));
  }

  /** Says once that Realtime is away for long although the cluster answers, and that it is back. */
  #watchRealtime(isDelivering: boolean): void {
    const { clock, log } = this.options;
    const now = clock.now();
    if (isDelivering) {
      const { since, said } = this.#realtimeAway;
      if (said) log.info({}, `Realtime is back after ${Math.round((now - (since ?? now)) / 1000)} s`);
      this.#realtimeAway = { since: undefined, said: false };
      return;
    }
    this.#realtimeAway.since ??= now;
    if (this.#realtimeAway.said || now - this.#realtimeAway.since < REALTIME_AWAY_MS) return;
    this.#realtimeAway.said = true;
    log.warn({}, 'Realtime is not reachable: commands come late, by asking for them; stark doctor says more');
  }

  #armTimer(ms: number): void {
    const { clock } = this.options;
    this.#cancelTimer?.();
    this.#cancelTimer = clock.after(around(clock, ms), () => this.sync('timer'));
  }

  #report(report: PodReport): void {
    this.options.onChange?.();
    this.options.reports.add(this.incarnation, [report]);
    const { status, reason } = report;
    if ((status !== 'transferring' && status !== 'starting') || reason !== undefined)
      this.#reportRelay.requestDelivery();
    else if (!this.#progressReportWaits) {
      this.#progressReportWaits = true;
      this.options.clock.after(PROGRESS_DELAY_MS, () => {
        this.#progressReportWaits = false;
        this.#reportRelay.requestDelivery();
      });
    }
  }

  // A reader who sees that a pod has ended takes its log for complete, so the last lines are delivered first. The report removes
  // the row and the log of a deleted pod, so followers are told before it.
  async #lastLines(reports: readonly PodReport[]): Promise<void> {
    const ending = reports.filter(({ status }) => isTerminal(status)).map(({ pod_id }) => pod_id);
    if (ending.length > 0) await this.options.logs.finish(ending);
  }

  // Entries of this life are sent under its present incarnation: they say what is true of pods that are still here.
  async #deliver(madeUnder: number, send: (incarnation: number) => Promise<void>): Promise<Delivery> {
    const leftOver = this.#credential === undefined;
    try {
      await send(leftOver ? madeUnder : this.incarnation);
      return { outcome: 'delivered' };
    } catch (thrown) {
      const error = toStarkError(thrown);
      if (isStaleIncarnation(error) && !leftOver) {
        this.sync('stale incarnation');
        return { outcome: 'later', error };
      }
      // Whether the node is still wanted is for a sync to find out.
      if (isRefusal(error)) this.sync('refused');
      return { outcome: isTransient(error) ? 'later' : 'refused', error };
    }
  }

  /** Tries until it works, the error is final, or the time for the first connection is over. */
  async #persist<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const { clock, log } = this.options;
    const deadline = clock.now() + (this.options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
    for (let failures = 0; ; failures++) {
      try {
        return await attempt();
      } catch (thrown) {
        const error = toStarkError(thrown);
        const refused = error.status === 401 || error.status === 403 || !isTransient(error);
        const delay = jitteredBackoff(clock, failures, LONGEST_BACKOFF_MS);
        if (refused || clock.now() + delay > deadline) throw error;
        const said = failures === 0 ? 'warn' : 'debug';
        log[said]({ code: error.code }, `cannot ${what} yet, trying again: ${error.message}`);
        await this.#pause(delay);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.options.clock.after(ms, resolve));
  }

  async #stop(end: AgentEnd): Promise<void> {
    const { controlPlane, log, logs, reports } = this.options;
    log.debug({ pods: this.#reconciler.pods.size }, 'stopping');
    this.options.onChange?.();
    this.#cancelTimer?.();
    await this.#reconciler.close();
    logs.flush();
    // An agent that never connected has nothing new to tell, and one that was refused nobody to tell it to.
    const heard = this.#credential !== undefined && end.reason === 'stopped';
    const delivered = heard
      ? await Promise.all([this.#reportRelay.drain(LAST_DELIVERY_MS), logs.drain(LAST_DELIVERY_MS)])
      : [true];
    if (delivered.includes(false))
      log.warn(
        { reports: reports.size, lines: logs.size },
        'not everything could be delivered; it is kept for the next start',
      );
    this.#reportRelay.stop();
    logs.stop();
    if (heard) {
      await controlPlane.disconnect(this.#nodeId, this.incarnation).catch((error: unknown) => {
        log.warn({ error: toStarkError(error).message }, 'could not say goodbye');
      });
    }
    await Promise.all([this.#commandChannel?.close(), this.#livenessReporter?.close()]).catch(() => {});
    await controlPlane.close().catch(() => {});
    await Promise.all([reports.close(), logs.close()]);
    log.info({}, 'stopped');
    this.#end(end);
  }
}
