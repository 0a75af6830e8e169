import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { capture, OUTPUT_PACE } from '../pod/node/capture.js';
import { CHANNEL_FD, Channel } from '../pod/node/channel.js';
import type { RunDescription, ToRun } from '../pod/shared/protocol.js';
import type { Launched } from './launcher.js';
import { cpuSeconds, residentMb, sumOf } from './process-use.js';
import type { RunEnd, RunHandle, RunningPod } from './running-pod.js';
import { PROCESS_OVERHEAD_MB } from './usage-monitor.js';

/** After the process is gone, the rest of its output may take this long. */
const DRAIN_MS = 500;
/** A pod that closed its channel and lives on cannot be stopped any more. */
const DISCONNECT_GRACE_MS = 1_000;
/** A run says a handful of things in its life. */
const CHANNEL_PACE = { bytesPerWindow: 16 * 1024 };
const ABORTED = 128 + constants.signals.SIGABRT;
const OUT_OF_HEAP = /JavaScript heap out of memory|Allocation failed/;

/** One living process of a pod, for its run. */
export class PodProcess implements RunHandle {
  readonly overheadMb = PROCESS_OVERHEAD_MB;
  readonly ownsOpenFiles = true;
  readonly #channel: Channel<ToRun>;
  #outOfHeap = false;

  constructor(
    private readonly launched: Launched,
    private readonly pod: RunningPod,
    run: RunDescription,
  ) {
    const { child } = launched;
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
    return this.launched.child.pid;
  }

  cpuSeconds(): number | undefined {
    return sumOf(this.launched.processes(), cpuSeconds);
  }

  memoryMb(): number | undefined {
    return sumOf(this.launched.processes(), residentMb);
  }

  processes(): readonly number[] {
    return this.launched.processes();
  }

  tell(message: ToRun): void {
    void this.#channel.send(message);
  }

  kill(): void {
    this.launched.kill();
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
    // After a busy moment the time is over before what has come was looked at, so one look comes first.
    const drained = setTimeout(() => setImmediate(finish), DRAIN_MS);
    this.launched.child.once('close', () => {
      clearTimeout(drained);
      finish();
    });
  }

  #end(code: number | null, signal: NodeJS.Signals | null): RunEnd {
    const exitCode = exitCodeOf(code, signal);
    const endedBy = signal ?? (this.launched.hidesSignals ? signalOf(exitCode) : undefined);
    // A wall may refuse it the signal by which it would abort, and then it ends by another one.
    if (this.#outOfHeap && (endedBy !== undefined || exitCode === ABORTED)) {
      return { exitCode: ABORTED, reason: 'OOMKilled', message: 'the JavaScript heap was full' };
    }
    return endedBy === undefined ? { exitCode } : { exitCode, reason: 'Killed', message: `ended by ${endedBy}` };
  }
}

function signalOf(exitCode: number): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => 128 + number === exitCode)?.[0];
}

/** The exit code as a shell would say it. */
export function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
