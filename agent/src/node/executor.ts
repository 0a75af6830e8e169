import { mkdirSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LogCollector } from '../logs/log-collector.js';
import type { Executor, LaunchRequest, PodRun, PodUsage, RunListener } from '../reconciler/adapters.js';
import type { WantedPod } from '../reconciler/pod.js';
import { describeRun } from '../runtime/describe-run.js';
import type { ProjectAddress } from '../runtime/supabase.js';
import type { Launcher } from './launcher.js';
import { OrphanRecords } from './orphans.js';
import { limitsOf } from './pod-limits.js';
import { PodProcess } from './pod-process.js';
import { type RunBody, RunningPod } from './running-pod.js';
import { UsageWatch } from './usage-watch.js';
import { WorkerHosts } from './worker-host.js';

export interface ProcessExecutorOptions {
  /** One folder a pod, each with the pod's own data in it. */
  podsDir: string;
  nodeName: string;
  project: ProjectAddress;
  logs: LogCollector;
  launcher: Launcher;
}

/** Runs each pod as a process of its own, or as a thread where its spec says so. */
export class ProcessExecutor implements Executor {
  readonly startsAtOnce = availableParallelism();
  readonly #usage = new UsageWatch();
  readonly #orphans: OrphanRecords;
  readonly #workers: WorkerHosts;

  constructor(private readonly options: ProcessExecutorOptions) {
    this.#orphans = new OrphanRecords(options.podsDir);
    this.#workers = new WorkerHosts(options.launcher);
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
      onGone: () => {
        this.#usage.unwatch(pod.id);
        this.#orphans.remove(pod.id);
      },
    });
    const body = this.#embody(running, request, dataDir);
    running.embody(body);
    if (body.pid !== undefined) {
      const limits = limitsOf(pod);
      this.#orphans.record(pod.id, body.pid);
      this.#usage.watch(pod.id, {
        overheadMb: body.overheadMb,
        cpuSeconds: () => body.cpuSeconds(),
        memoryMb: () => body.memoryMb(),
        hiddenBytes: () => body.hiddenBytes(),
        dataDir,
        limits: () => limits,
        over: (reason, message) => running.kill(reason, message),
      });
    }
    return running;
  }

  #embody(running: RunningPod, request: LaunchRequest, dataDir: string): RunBody {
    const { pod, bundle } = request;
    const { launcher, nodeName } = this.options;
    const limits = limitsOf(pod);
    const run = describeRun(request, pathToFileURL(bundle).href, this.options);
    const env = environmentOf(pod, nodeName, dataDir);
    if (pod.spec.isolation !== 'worker') {
      return new PodProcess(launcher.spawn({ bundle, dataDir, ...limits, env }), running, run);
    }
    // A pod of which nobody knows the owner trusts nobody.
    const circle = `${pod.namespace}/${pod.owner ?? pod.id}`;
    const flags = launcher.threadFlags({ bundle, dataDir });
    return this.#workers.launch(circle, {
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
    await rm(join(this.options.podsDir, podId), { recursive: true, force: true });
  }

  async sweep(keep: ReadonlySet<string>): Promise<void> {
    const names = await readdir(this.options.podsDir);
    const stale = names.filter((name) => !keep.has(name));
    await Promise.all(stale.map((name) => rm(join(this.options.podsDir, name), { recursive: true, force: true })));
  }
}

// The pack's own variables come over the channel once Node.js is up: in the environment of the start they could carry
// NODE_OPTIONS or LD_PRELOAD and with them the way out of the sandbox.
function environmentOf(pod: WantedPod, nodeName: string, dataDir: string): Record<string, string> {
  return {
    STARK_POD_ID: pod.id,
    STARK_POD_NAME: pod.name,
    STARK_NAMESPACE: pod.namespace,
    STARK_NODE_NAME: nodeName,
    STARK_PACK: pod.pack,
    STARK_VERSION: pod.version,
    STARK_DATA_DIR: dataDir,
  };
}
