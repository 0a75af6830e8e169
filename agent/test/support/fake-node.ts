import type {
  BundleError,
  Executor,
  LaunchRequest,
  PodRun,
  PodUsage,
  PortConflictError,
  Ports,
  ReportSink,
  RunListener,
} from '../../src/reconciler/adapters.js';
import type { BundleRef, ExitOutcome, PodReport, WantedPod } from '../../src/reconciler/pod.js';
import type { FakeClock } from './fake-clock.js';

/** One run of the fake executor; it does what the test tells it to. */
export class FakeRun implements PodRun {
  alive = true;
  stopAsked = false;
  constructor(
    readonly pod: WantedPod,
    readonly listener: RunListener,
    private readonly node: FakeNode,
  ) {}

  start(): void {
    if (this.alive) this.listener.started();
  }

  exit(outcome: Partial<ExitOutcome> = {}): void {
    if (!this.alive) return;
    this.alive = false;
    this.listener.exited({ exitCode: 0, reason: 'Completed', ...outcome });
  }

  stop(graceMs: number): void {
    this.stopAsked = true;
    if (this.node.stopsBy === 'itself') this.node.clock.after(0, () => this.exit());
    else this.node.clock.after(graceMs, () => this.exit({ exitCode: 137, reason: 'Killed' }));
  }
}

/** A machine in memory: bundles, ports, processes and reports, with every double run noticed. */
export class FakeNode implements Executor, Ports, ReportSink {
  readonly runs: FakeRun[] = [];
  readonly reports: PodReport[] = [];
  readonly discarded: string[] = [];
  readonly pending = new Set<string>();
  readonly violations: string[] = [];
  stopsBy: 'itself' | 'force' = 'itself';
  bundleError: BundleError | undefined;
  portError: PortConflictError | undefined;
  /** Claims wait for it. */
  gate: Promise<void> | undefined;

  constructor(
    readonly clock: FakeClock,
    readonly startsAtOnce: number | undefined = undefined,
  ) {}

  /** How long a download takes. */
  fetchMs = 0;

  readonly bundles = {
    fetch: async (bundle: BundleRef): Promise<string> => {
      const { fetchMs } = this;
      if (fetchMs > 0) await new Promise<void>((resolve) => this.clock.after(fetchMs, resolve));
      if (this.bundleError !== undefined) throw this.bundleError;
      return `/bundles/${bundle.sha256}`;
    },
  };

  launch({ pod }: LaunchRequest, listener: RunListener): PodRun {
    if (this.alive(pod.id).length > 0) this.violations.push(`${pod.id} runs twice`);
    const run = new FakeRun(pod, listener, this);
    this.runs.push(run);
    return run;
  }

  usage(): Map<string, PodUsage> {
    return new Map(
      this.runs.filter((run) => run.alive).map(({ pod }) => [pod.id, { cpu: 10, memory: 50, storage: 1 }]),
    );
  }

  async discard(podId: string): Promise<void> {
    if (this.alive(podId).length > 0) this.violations.push(`${podId} was discarded while it runs`);
    this.discarded.push(podId);
  }

  async sweep(): Promise<void> {}

  async claim(pod: WantedPod): Promise<Record<string, number>> {
    await this.gate;
    if (this.portError !== undefined) throw this.portError;
    return Object.fromEntries((pod.spec.ports ?? []).map(({ name, port }) => [name, port ?? 40_000]));
  }

  release(): void {}

  /** What every port answers: a status, or an error. */
  answer: number | Error = 200;
  async httpGet(): Promise<number> {
    if (this.answer instanceof Error) throw this.answer;
    return this.answer;
  }

  report(report: PodReport): void {
    this.reports.push(report);
  }

  hasPending(podId: string): boolean {
    return this.pending.has(podId);
  }

  alive(podId: string): FakeRun[] {
    return this.runs.filter((run) => run.alive && run.pod.id === podId);
  }

  /** What kill -9 of the agent does: every run is gone, and nobody is told. */
  die(): void {
    for (const run of this.runs) run.alive = false;
  }

  /** What was reported of the pod, as `status(reason)`. */
  said(podId: string): string[] {
    return this.reports
      .filter((report) => report.pod_id === podId)
      .map(({ status, reason }) => (reason === undefined ? status : `${status}(${reason})`));
  }

  last(podId: string): PodReport | undefined {
    return this.reports.filter((report) => report.pod_id === podId).at(-1);
  }
}
