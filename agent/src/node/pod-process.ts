import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { RunDescription, ToRun } from '../runtime/protocol.js';
import { capture, OUTPUT_PACE } from './capture.js';
import { CHANNEL_FD, Channel } from './channel.js';
import { deletedUse } from './disk-use.js';
import { cpuSeconds, residentMb } from './process-use.js';
import type { BodyEnd, RunBody, RunningPod } from './running-pod.js';
import { PROCESS_OVERHEAD_MB } from './usage-watch.js';

/** After the process is gone, the rest of its output may take this long. */
const DRAIN_MS = 500;
/** A pod that closed its channel and lives on cannot be stopped any more. */
const DISCONNECT_GRACE_MS = 1_000;
/** A run says a handful of things in its life. */
const CHANNEL_PACE = { bytesPerWindow: 16 * 1024 };
const OUT_OF_HEAP = /JavaScript heap out of memory|Allocation failed/;
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

/** One living process of a pod, for its run. */
export class PodProcess implements RunBody {
  readonly overheadMb = PROCESS_OVERHEAD_MB;
  readonly #channel: Channel<ToRun>;
  #outOfHeap = false;

  constructor(
    private readonly child: ChildProcess,
    private readonly pod: RunningPod,
    run: RunDescription,
  ) {
    child.once('error', (error) => {
      if (child.pid === undefined) pod.ended({ exitCode: 1, reason: 'StartFailed', message: error.message });
    });
    child.once('exit', (code, signal) => this.#exited(code, signal));
    if (child.stdout !== null) capture(child.stdout, OUTPUT_PACE, (line) => pod.printed('stdout', line));
    if (child.stderr !== null) capture(child.stderr, OUTPUT_PACE, (line) => this.#heardError(line));
    this.#channel = new Channel(
      child.stdio[CHANNEL_FD] as Duplex,
      CHANNEL_PACE,
      (message) => pod.heard(message),
      () => this.#disconnected(),
    );
    this.tell({ type: 'init', run });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  cpuSeconds(): number | undefined {
    return this.pid === undefined ? undefined : cpuSeconds(this.pid);
  }

  memoryMb(): number | undefined {
    return this.pid === undefined ? undefined : residentMb(this.pid);
  }

  hiddenBytes(): Promise<number> {
    return this.pid === undefined ? Promise.resolve(0) : deletedUse(this.pid);
  }

  tell(message: ToRun): void {
    void this.#channel.send(message);
  }

  kill(): void {
    killGroup(this.child);
  }

  #heardError(line: string): void {
    if (OUT_OF_HEAP.test(line)) this.#outOfHeap = true;
    this.pod.printed('stderr', line);
  }

  #disconnected(): void {
    setTimeout(() => this.pod.kill('Killed', 'it closed its channel to the agent'), DISCONNECT_GRACE_MS).unref();
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    const finish = () => this.pod.ended(this.#end(code, signal));
    // The last lines usually say why it ended, so they come before the end is told.
    const drained = setTimeout(finish, DRAIN_MS);
    this.child.once('close', () => {
      clearTimeout(drained);
      finish();
    });
  }

  #end(code: number | null, signal: NodeJS.Signals | null): BodyEnd {
    const exitCode = exitCodeOf(code, signal);
    if (this.#outOfHeap && (signal === 'SIGABRT' || code === 134)) {
      return { exitCode: 134, reason: 'OOMKilled', message: 'the JavaScript heap was full' };
    }
    return signal === null ? { exitCode } : { exitCode, reason: 'Killed', message: `ended by ${signal}` };
  }
}

/** The exit code as a shell would say it. */
export function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0);
}

/** Ends a process and all of its group at once. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL'); // The group is gone or was never made.
  }
}
