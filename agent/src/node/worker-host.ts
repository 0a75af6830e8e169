import type { Duplex } from 'node:stream';
import type { PodLimits } from '../executor/pod-limits.js';
import { CHANNEL_FD, Channel } from '../pod/node/channel.js';
import {
  isFromHost,
  isThreadUsage,
  type ThreadLimits,
  type ThreadUsage,
  type ToHost,
} from '../pod/node/host-protocol.js';
import type { RunDescription, ToRun } from '../pod/shared/protocol.js';
import type { Launched, Launcher } from './launcher.js';
import { exitCodeOf } from './pod-process.js';
import { cpuSeconds, residentMb } from './process-use.js';
import type { RunEnd, RunHandle, RunningPod } from './running-pod.js';
import { PROCESS_OVERHEAD_MB, THREAD_OVERHEAD_MB, UsageMonitor } from './usage-monitor.js';

/** Lines of several pods' logs, each up to 16 KiB before it is written as JSON. */
const CHANNEL_PACE = { bytesPerWindow: 8 * 1024 * 1024, longestLine: 128 * 1024 };
/** A thread ends at the next step of its JavaScript; one that does not is stuck in the system, and goes with its process. */
const TERMINATE_MS = 2_000;
const KILLED = 137;

/** One pod that is a thread. */
class Thread implements RunHandle {
  readonly overheadMb = THREAD_OVERHEAD_MB;
  /** Threads share them; what is hidden there is counted for the process. */
  readonly ownsOpenFiles = false;
  #usage: ThreadUsage | undefined;
  #killed: NodeJS.Timeout | undefined;

  constructor(
    private readonly id: string,
    private readonly host: WorkerHost,
    readonly pod: RunningPod,
    readonly limits: PodLimits,
  ) {}

  get pid(): number | undefined {
    return this.host.pid;
  }

  tell(message: ToRun): void {
    this.host.send({ type: 'tell', id: this.id, message });
  }

  kill(): void {
    if (this.#killed !== undefined) return;
    this.host.send({ type: 'kill', id: this.id });
    this.#killed = setTimeout(() => this.host.kill(), TERMINATE_MS);
  }

  heard(message: unknown): void {
    if (isThreadUsage(message)) this.#usage = message;
    else this.pod.heard(message);
  }

  ended(end: RunEnd): void {
    clearTimeout(this.#killed);
    this.pod.ended(this.#killed === undefined ? end : { ...end, exitCode: KILLED });
  }

  cpuSeconds(): number | undefined {
    const thread = this.#usage?.thread;
    return this.pid === undefined || thread === undefined ? undefined : cpuSeconds(this.pid, thread);
  }

  memoryMb(): number | undefined {
    return this.#usage?.memoryMb;
  }

  processes(): readonly number[] {
    return this.pid === undefined ? [] : [this.pid];
  }
}

/** A process whose threads are pods of one owner in one namespace. It begins with the first and ends with the last. */
class WorkerHost {
  readonly #threads = new Map<string, Thread>();
  readonly #channel: Channel<ToHost>;
  #launched = 0;
  #overUse: { reason: string; message: string } | undefined;

  constructor(
    private readonly launched: Launched,
    watch: UsageMonitor,
    private readonly most: PodLimits,
    private readonly onGone: () => void,
  ) {
    const { child } = launched;
    this.#channel = new Channel(
      child.stdio[CHANNEL_FD] as Duplex,
      CHANNEL_PACE,
      (message) => this.#heard(message),
      () => this.kill(),
    );
    // It prints nothing that anybody needs; unread, a warning too many would hold it up.
    child.stdout?.resume();
    child.stderr?.resume();
    child.once('error', (error) => this.#gone({ exitCode: 1, reason: 'StartFailed', message: error.message }));
    child.once('exit', (code, signal) =>
      this.#gone({
        exitCode: exitCodeOf(code, signal),
        reason: 'Killed',
        message: `the process that it shares with other pods of its owner ended by ${signal ?? `exit code ${code}`}`,
        ...this.#overUse,
      }),
    );
    const { pid } = child;
    if (pid === undefined) return;
    watch.watch(String(pid), {
      cpuSeconds: () => undefined,
      memoryMb: () => residentMb(pid),
      processes: () => [pid],
      ownsOpenFiles: true,
      dataDir: undefined,
      limits: () => this.#limits(),
      overheadMb: PROCESS_OVERHEAD_MB,
      over: (reason, message) => {
        this.#overUse = { reason, message: `the process that it shares with other pods of its owner: ${message}` };
        this.kill();
      },
    });
    child.once('exit', () => watch.unwatch(String(pid)));
  }

  get pid(): number | undefined {
    return this.launched.child.pid;
  }

  launch(pod: RunningPod, podLimits: PodLimits, limits: ThreadLimits, run: RunDescription): Thread {
    this.#launched += 1;
    const id = String(this.#launched);
    const thread = new Thread(id, this, pod, podLimits);
    this.#threads.set(id, thread);
    this.send({ type: 'launch', id, limits, run });
    return thread;
  }

  send(message: ToHost): void {
    void this.#channel.send(message);
  }

  kill(): void {
    this.launched.kill();
  }

  /** What its pods may have together, and never more than the node offers. */
  #limits(): PodLimits {
    const each = [...this.#threads.values()];
    const sum = (of: (thread: Thread) => number) => each.reduce((total, thread) => total + of(thread), 0);
    return {
      memoryMb: Math.min(
        sum(({ limits }) => limits.memoryMb + THREAD_OVERHEAD_MB),
        this.most.memoryMb + THREAD_OVERHEAD_MB * each.length,
      ),
      storageMb: Math.min(
        sum(({ limits }) => limits.storageMb),
        this.most.storageMb,
      ),
    };
  }

  #heard(message: unknown): void {
    if (!isFromHost(message)) return;
    const thread = this.#threads.get(message.id);
    if (thread === undefined) return;
    if (message.type === 'said') thread.heard(message.message);
    else if (message.type === 'printed') thread.pod.printed(message.stream, message.text);
    else {
      this.#threads.delete(message.id);
      if (this.#threads.size === 0) this.onGone();
      const { exitCode } = message;
      const full = { exitCode: 134, reason: 'OOMKilled', message: 'the JavaScript heap was full' };
      thread.ended(message.outOfMemory ? full : { exitCode });
      if (this.#threads.size === 0) this.kill();
    }
  }

  #gone(end: RunEnd): void {
    this.onGone();
    for (const thread of this.#threads.values()) thread.ended(end);
    this.#threads.clear();
  }
}

export interface ThreadLaunch {
  pod: RunningPod;
  podLimits: PodLimits;
  limits: ThreadLimits;
  run: RunDescription;
}

/** The processes whose threads are pods, one for each trust domain: pods of one owner in one namespace. */
export class WorkerHosts {
  readonly #hosts = new Map<string, WorkerHost>();
  readonly #watch = new UsageMonitor();

  constructor(
    private readonly launcher: Launcher,
    /** What the node offers to all pods together. */
    private readonly most: PodLimits,
  ) {}

  launch(trustDomain: string, { pod, podLimits, limits, run }: ThreadLaunch): RunHandle {
    let host = this.#hosts.get(trustDomain);
    if (host === undefined) {
      const made = new WorkerHost(this.launcher.spawnHost(this.most), this.#watch, this.most, () => {
        if (this.#hosts.get(trustDomain) === made) this.#hosts.delete(trustDomain);
      });
      host = made;
      this.#hosts.set(trustDomain, host);
    }
    return host.launch(pod, podLimits, limits, run);
  }
}
