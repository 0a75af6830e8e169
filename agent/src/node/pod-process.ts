import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { LineSplitter } from '../logs/line-splitter.js';
import type { CapturedLine } from '../logs/log-line.js';
import type { PodRun, RunListener } from '../reconciler/adapters.js';
import type { ExitOutcome } from '../reconciler/pod.js';
import { lineOf } from '../runtime/log-record.js';
import { graceOver, outcomeOf } from '../runtime/outcome.js';
import { type FromRun, isFromRun, LOG_MARK, type RunDescription, type ToRun } from '../runtime/protocol.js';

/** More than this a second and stream is left in the pipe, so that a flood slows the one who floods. */
const BYTES_PER_WINDOW = 1024 * 1024;
const WINDOW_MS = 250;
/** After the process is gone, the rest of its output may take this long. */
const DRAIN_MS = 500;
/** A pod that closed its channel and lives on cannot be stopped any more. */
const DISCONNECT_GRACE_MS = 1_000;
const OUT_OF_HEAP = /JavaScript heap out of memory|Allocation failed/;
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

export interface PodProcessOptions {
  child: ChildProcess;
  run: RunDescription;
  listener: RunListener;
  onLine(line: CapturedLine): void;
  onGone(): void;
}

/** One living process of a pod: its output, what it says over the channel, and its end. */
export class PodProcess implements PodRun {
  #failure: Extract<FromRun, { type: 'failed' }> | undefined;
  #killedBecause: { reason: string; message: string } | undefined;
  #outOfHeap = false;
  #started = false;
  #over = false;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: PodProcessOptions) {
    const { child, run } = options;
    child.once('error', (error) => this.#spawnFailed(error));
    child.once('exit', (code, signal) => this.#exited(code, signal));
    child.on('message', (message, handle) => {
      // No message comes with a handle. A pack that sends its own would fill the agent's table of open files.
      discard(handle);
      this.#heard(message);
    });
    child.once('disconnect', () => this.#disconnected());
    if (child.stdout !== null) capture(child.stdout, (line) => options.onLine(fromStdout(line)));
    if (child.stderr !== null) capture(child.stderr, (line) => this.#heardError(line));
    this.#send({ type: 'init', run });
  }

  stop(graceMs: number): void {
    if (this.#over || this.#graceTimer !== undefined) return;
    this.#send({ type: 'stop' });
    this.#graceTimer = setTimeout(() => this.kill('Killed', graceOver(graceMs)), graceMs);
  }

  /** Ends the whole group at once. */
  kill(reason: string, message: string): void {
    const { pid } = this.options.child;
    if (this.#over || pid === undefined) return;
    this.#killedBecause ??= { reason, message };
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      this.options.child.kill('SIGKILL'); // The group is gone or was never made.
    }
  }

  #send(message: ToRun): void {
    const { child } = this.options;
    // A broken channel shows in `disconnect` or `exit`, which is where it is dealt with.
    if (child.connected) child.send(message, () => {});
  }

  #heard(message: unknown): void {
    const { listener } = this.options;
    if (this.#over || !isFromRun(message)) return;
    if (message.type === 'failed') this.#failure = message;
    else if (message.type === 'ready') listener.ready();
    else if (!this.#started) {
      this.#started = true;
      listener.started();
    }
  }

  #heardError(line: string): void {
    if (OUT_OF_HEAP.test(line)) this.#outOfHeap = true;
    this.options.onLine({ stream: 'stderr', message: line });
  }

  #disconnected(): void {
    setTimeout(() => this.kill('Killed', 'it closed its channel to the agent'), DISCONNECT_GRACE_MS).unref();
  }

  #spawnFailed(error: Error): void {
    if (this.options.child.pid !== undefined) return;
    this.#finish({ exitCode: 1, reason: 'StartFailed', message: error.message });
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    const { child } = this.options;
    clearTimeout(this.#graceTimer);
    const finish = () => this.#finish(this.#outcome(code, signal));
    // The last lines usually say why it ended, so they come before the end is told.
    const drained = setTimeout(finish, DRAIN_MS);
    child.once('close', () => {
      clearTimeout(drained);
      finish();
    });
  }

  #finish(outcome: ExitOutcome): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#graceTimer);
    this.options.onGone();
    this.options.listener.exited(outcome);
  }

  #outcome(code: number | null, signal: NodeJS.Signals | null): ExitOutcome {
    const exitCode = code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0);
    if (this.#killedBecause !== undefined) return { exitCode, ...this.#killedBecause };
    if (this.#outOfHeap && (signal === 'SIGABRT' || code === 134)) {
      return { exitCode: 134, reason: 'OOMKilled', message: 'the JavaScript heap was full' };
    }
    if (signal !== null) return { exitCode, reason: 'Killed', message: `ended by ${signal}` };
    return outcomeOf(exitCode, this.#started, this.#failure);
  }
}

/** Closes what came with a message: a server or a UDP socket has only close, a connection is destroyed. */
function discard(handle: unknown): void {
  if (typeof handle !== 'object' || handle === null) return;
  const { destroy, close } = handle as { destroy?(): void; close?(): void };
  (destroy ?? close)?.call(handle);
}

/** Reads a stream by lines, no faster than its share. */
function capture(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  const lines = new LineSplitter(onLine);
  let windowStart = 0;
  let inWindow = 0;
  stream.on('data', (chunk: Buffer) => {
    const now = performance.now();
    if (now - windowStart > WINDOW_MS) {
      windowStart = now;
      inWindow = 0;
    }
    inWindow += chunk.length;
    lines.push(decoder.write(chunk));
    if (inWindow < BYTES_PER_WINDOW) return;
    stream.pause();
    setTimeout(() => stream.resume(), WINDOW_MS).unref();
  });
  stream.once('end', () => {
    lines.push(decoder.end());
    lines.end();
  });
  stream.on('error', () => {}); // The end of the process tells more.
}

function fromStdout(line: string): CapturedLine {
  const record = line.startsWith(LOG_MARK) ? lineOf(line.slice(LOG_MARK.length)) : undefined;
  return record ?? { stream: 'stdout', message: line };
}
