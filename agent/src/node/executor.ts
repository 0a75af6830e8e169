import { mkdirSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LogCollector } from '../logs/log-collector.js';
import type { Executor, LaunchRequest, PodRun, PodUsage, RunListener } from '../reconciler/adapters.js';
import type { WantedPod } from '../reconciler/pod.js';
import { describeRun } from '../runtime/describe-run.js';
import type { ProjectAddress } from '../runtime/supabase.js';
import { deletedUse } from './disk-use.js';
import type { Launcher } from './launcher.js';
import { OrphanRecords } from './orphans.js';
import { limitsOf } from './pod-limits.js';
import { PodProcess } from './pod-process.js';
import { cpuSeconds, residentMb } from './process-use.js';
import { UsageWatch } from './usage-watch.js';

/** What Node.js itself takes beside the heap before a pack has done anything; not counted against the pod's memory. */
const RUNTIME_OVERHEAD_MB = 128;

export interface ProcessExecutorOptions {
  /** One folder a pod, each with the pod's own data in it. */
  podsDir: string;
  nodeName: string;
  project: ProjectAddress;
  logs: LogCollector;
  launcher: Launcher;
}

/** Runs each pod as a process of its own. */
export class ProcessExecutor implements Executor {
  readonly #usage = new UsageWatch();
  readonly #orphans: OrphanRecords;

  constructor(private readonly options: ProcessExecutorOptions) {
    this.#orphans = new OrphanRecords(options.podsDir);
  }

  /** Ends what an earlier agent on this folder left alive; nothing may be launched before. */
  async start(): Promise<number> {
    await mkdir(this.options.podsDir, { recursive: true, mode: 0o700 });
    return this.#orphans.endAll();
  }

  launch(request: LaunchRequest, listener: RunListener): PodRun {
    const { pod, bundle } = request;
    const { logs, launcher, podsDir } = this.options;
    if (pod.spec.isolation === 'worker') throw new Error('isolation "worker" is not offered by this node');
    const dataDir = join(podsDir, pod.id, 'data');
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const limits = limitsOf(pod);
    const child = launcher.spawn({ bundle, dataDir, ...limits, env: environmentOf(pod, this.options.nodeName) });
    const { pid } = child;
    const podProcess = new PodProcess({
      child,
      run: describeRun(request, pathToFileURL(bundle).href, this.options),
      listener,
      onLine: (line) => logs.add(pod.id, line),
      onGone: () => {
        if (pid === undefined) return;
        this.#usage.unwatch(pod.id);
        this.#orphans.remove(pod.id);
      },
    });
    if (pid !== undefined) {
      this.#orphans.record(pod.id, pid);
      this.#usage.watch(pod.id, {
        dataDir,
        limits,
        cpuSeconds: () => cpuSeconds(pid),
        memoryMb: () => residentMb(pid),
        hiddenBytes: () => deletedUse(pid),
        memoryLimitMb: limits.memoryMb > 0 ? limits.memoryMb + RUNTIME_OVERHEAD_MB : undefined,
        over: (reason, message) => podProcess.kill(reason, message),
      });
    }
    return podProcess;
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
function environmentOf(pod: WantedPod, nodeName: string): Record<string, string> {
  return {
    STARK_POD_ID: pod.id,
    STARK_POD_NAME: pod.name,
    STARK_NAMESPACE: pod.namespace,
    STARK_NODE_NAME: nodeName,
    STARK_PACK: pod.pack,
    STARK_VERSION: pod.version,
  };
}
