import { describeRun } from '../executor/describe-run.js';
import { type Allocatable, limitsOf } from '../executor/pod-limits.js';
import type { PodLogs } from '../logs/pod-logs.js';
import type { Metrics } from '../pod/shared/metrics.js';
import type { ProjectAddress } from '../pod/shared/supabase.js';
import type { Clock } from '../ports/clock.js';
import type { Executor, LaunchRequest, PodRun, PodUsage, RunListener } from '../reconciler/adapters.js';
import type { CachedBundles } from './bundle-cache.js';
import { type Frames, PodSandbox } from './pod-sandbox.js';
import type { PodStores } from './storage.js';

export interface WorkerExecutorOptions {
  nodeName: string;
  /** What the node offers to all pods together; no pod may store more. */
  allocatable: Allocatable;
  project: ProjectAddress;
  bundles: CachedBundles;
  stores: PodStores;
  frames: Frames;
  /** supabase-js as one module, for packs that ask for it. */
  supabaseSource: string;
  clock: Clock;
  logs: PodLogs;
}

/** Runs each pod as a worker of its own, in a frame of its own. */
export class WorkerExecutor implements Executor {
  readonly #metrics = new Map<string, Metrics>();

  constructor(private readonly options: WorkerExecutorOptions) {}

  launch(request: LaunchRequest, listener: RunListener): PodRun {
    const { pod, bundle } = request;
    const { bundles, stores, frames, supabaseSource, clock, logs } = this.options;
    const { storageMb } = limitsOf(pod, this.options.allocatable);
    return new PodSandbox({
      frames,
      clock,
      supabaseSource,
      listener,
      run: describeRun(request, bundle, this.options),
      bundle: bundles.read(bundle),
      assets: pod.bundle.assets === undefined ? undefined : bundles.read(pod.bundle.assets.sha256),
      onLine: (line) => logs.add(pod.id, line),
      onDropped: (count) => logs.dropped(pod.id, count),
      onMetrics: (metrics) => this.#metrics.set(pod.id, metrics),
      onGone: () => this.#metrics.delete(pod.id),
      store: (asked) => stores.answer(pod.id, storageMb, asked),
    });
  }

  /** What pods tell of themselves: a page is not told what its workers use. */
  usage(): ReadonlyMap<string, PodUsage> {
    return new Map([...this.#metrics].map(([podId, metrics]) => [podId, { metrics }]));
  }

  async discard(podId: string): Promise<void> {
    this.options.logs.forget(podId);
    await this.options.stores.discard(podId);
  }

  sweep(keep: ReadonlySet<string>): Promise<void> {
    return this.options.stores.sweep(keep);
  }
}
