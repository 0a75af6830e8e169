import { mkdirSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeRun } from '../executor/describe-run.js';
import { type Allocatable, limitsOf, mostOf, type PodLimits } from '../executor/pod-limits.js';
import type { PodLogs } from '../logs/pod-logs.js';
import type { ProjectAddress } from '../pod/shared/supabase.js';
import type { AgentLog } from '../ports/agent-log.js';
import type { Executor, LaunchRequest, PodRun, PodUsage, RunListener } from '../reconciler/adapters.js';
import { assetsOf } from './bundle-cache.js';
import type { Launcher } from './launcher.js';
import { OrphanRecords } from './orphans.js';
import { EnvironmentError, environmentOf } from './pod-environment.js';
import { PodProcess } from './pod-process.js';
import { removeFolder } from './remove-folder.js';
import { type RunHandle, RunningPod } from './running-pod.js';
import { UsageMonitor } from './usage-monitor.js';
import { WorkerHosts } from './worker-host.js';

export interface ProcessExecutorOptions {
  /** One folder a pod, each with the pod's own data in it. */
  podsDir: string;
  nodeName: string;
  project: ProjectAddress;
  logs: PodLogs;
  launcher: Launcher;
  /** What the node offers to all pods together; no pod may have more. */
  allocatable: Allocatable;
  log: AgentLog;
}

/**
 * Runs each pod as a process of its own, or as a thread where its spec says so and the node promises no more than Node.js does: no wall
 * of the kernel's parts the threads of a process.
 */
export class ProcessExecutor implements Executor {
  readonly startsAtOnce = availableParallelism();
  readonly #usage = new UsageMonitor();
  readonly #orphans: OrphanRecords;
  readonly #workers: WorkerHosts;

  constructor(private readonly options: ProcessExecutorOptions) {
    this.#orphans = new OrphanRecords(options.podsDir);
    this.#workers = new WorkerHosts(options.launcher, mostOf(options.allocatable));
  }

  /** Ends what an earlier agent on this folder left alive; nothing may be launched before. */
  async start(): Promise<number> {
    await mkdir(this.options.podsDir, { recursive: true, mode: 0o700 });
    return this.#orphans.endAll();
  }

  launch(request: LaunchRequest, listener: RunListener): PodRun {
    const { pod } = request;
    const dataDir = join(this.options.podsDir, pod.id, 'data');
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const running = new RunningPod({
      listener,
      onLine: (line) => this.options.logs.add(pod.id, line),
      onMetrics: (metrics) => this.#usage.told(pod.id, metrics),
      onGone: () => {
        this.#usage.unwatch(pod.id);
        this.#orphans.remove(pod.id);
      },
    });
    const limits = limitsOf(pod, this.options.allocatable);
    let handle: RunHandle;
    try {
      handle = this.#startRun(running, request, { dataDir, limits });
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      // Told like any end, after this has returned.
      setImmediate(() => running.refused(error.message));
      return running;
    }
    running.attach(handle);
    if (handle.pid !== undefined) {
      this.#orphans.record(pod.id, handle.pid);
      this.#usage.watch(pod.id, {
        overheadMb: handle.overheadMb,
        cpuSeconds: () => handle.cpuSeconds(),
        memoryMb: () => handle.memoryMb(),
        processes: () => handle.processes(),
        ownsOpenFiles: handle.ownsOpenFiles,
        dataDir,
        limits: () => limits,
        over: (reason, message) => running.kill(reason, message),
      });
    }
    return running;
  }

  #startRun(running: RunningPod, request: LaunchRequest, own: { dataDir: string; limits: PodLimits }): RunHandle {
    const { pod, bundle } = request;
    const { launcher, nodeName } = this.options;
    const { dataDir, limits } = own;
    const assets = assetsOf(bundle, pod.bundle);
    const run = describeRun(request, pathToFileURL(bundle).href, this.options, assets);
    const env = environmentOf(pod, nodeName, dataDir);
    if (pod.spec.isolation !== 'worker' || launcher.wall.tier !== 'none') {
      return new PodProcess(launcher.spawn({ bundle, assets, dataDir, ...limits, env }), running, run);
    }
    // A pod of which nobody knows the owner trusts nobody.
    const trustDomain = `${pod.namespace}/${pod.owner ?? pod.id}`;
    const flags = launcher.threadFlags({ bundle, assets, dataDir });
    return this.#workers.launch(trustDomain, {
      pod: running,
      podLimits: limits,
      limits: { flags, env, dataDir, memoryMb: limits.memoryMb },
      run,
    });
  }

  usage(): ReadonlyMap<string, PodUsage> {
    return this.#usage.usage();
  }

  async discard(podId: string): Promise<void> {
    this.options.logs.forget(podId);
    await removeFolder(join(this.options.podsDir, podId));
  }

  async sweep(keep: ReadonlySet<string>): Promise<void> {
    const { podsDir, log } = this.options;
    const names = await readdir(podsDir);
    const stale = names.filter((name) => !keep.has(name));
    await Promise.all(
      stale.map((name) =>
        removeFolder(join(podsDir, name)).catch((error: unknown) =>
          log.warn({ folder: name, error: String(error) }, 'could not remove what a pod left'),
        ),
      ),
    );
  }
}
