import { graceOver, outcomeOf } from '../executor/outcome.js';
import { type CapturedLine, lineOf } from '../pod/shared/log-record.js';
import type { Metrics } from '../pod/shared/metrics.js';
import { type FromRun, isFromRun, LOG_MARK, type ToRun } from '../pod/shared/protocol.js';
import type { PodRun, RunListener } from '../reconciler/adapters.js';
import type { UsageProbe } from './usage-monitor.js';

/** What a pack runs in: a process, or a thread of one. */
export interface RunHandle extends UsageProbe {
  readonly pid: number | undefined;
  tell(message: ToRun): void;
  /** Ends it at once; its end is told like any other. */
  kill(): void;
}

/** How the process or thread of a run ended; with a reason when neither the pack nor the agent ended it. */
export interface RunEnd {
  exitCode: number;
  reason?: string;
  message?: string;
}

export interface RunningPodOptions {
  listener: RunListener;
  onLine(line: CapturedLine): void;
  onMetrics(metrics: Metrics): void;
  /** The process or thread is gone; told before the listener is. */
  onGone(): void;
}

/** One run of a pod: what it says, how it is asked to end, and what its end means. The same for a process and a thread. */
export class RunningPod implements PodRun {
  #handle: RunHandle | undefined;
  #failure: Extract<FromRun, { type: 'failed' }> | undefined;
  #killedBecause: { reason: string; message: string } | undefined;
  #started = false;
  #over = false;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: RunningPodOptions) {}

  /** Takes the process or thread that was started for it. */
  attach(handle: RunHandle): void {
    this.#handle = handle;
  }

  stop(graceMs: number): void {
    if (this.#over || this.#graceTimer !== undefined) return;
    this.#handle?.tell({ type: 'stop' });
    this.#graceTimer = setTimeout(() => this.kill('Killed', graceOver(graceMs)), graceMs);
  }

  kill(reason: string, message: string): void {
    if (this.#over) return;
    this.#killedBecause ??= { reason, message };
    this.#handle?.kill();
  }

  /** It cannot be started as it is wanted; trying again would end the same way. */
  refused(message: string): void {
    this.printed('stderr', message);
    this.#failure = { type: 'failed', phase: 'load', message, permanent: true };
    this.ended({ exitCode: 1 });
  }

  heard(message: unknown): void {
    const { listener } = this.options;
    if (this.#over || !isFromRun(message)) return;
    if (message.type === 'failed') this.#failure = message;
    else if (message.type === 'ready') listener.ready();
    else if (message.type === 'metrics') this.options.onMetrics(message.values);
    else if (!this.#started) {
      this.#started = true;
      listener.started();
    }
  }

  printed(stream: 'stdout' | 'stderr', text: string): void {
    const record = stream === 'stdout' && text.startsWith(LOG_MARK) ? lineOf(text.slice(LOG_MARK.length)) : undefined;
    this.options.onLine(record ?? { stream, message: text });
  }

  ended({ exitCode, reason, message }: RunEnd): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#graceTimer);
    this.options.onGone();
    const why = this.#killedBecause ?? (reason === undefined ? undefined : { reason, ...(message && { message }) });
    this.options.listener.exited(
      why === undefined ? outcomeOf(exitCode, this.#started, this.#failure) : { exitCode, ...why },
    );
  }
}
