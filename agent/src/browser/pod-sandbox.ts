import { graceOver, outcomeOf } from '../executor/outcome.js';
import {
  type PodLine,
  readFromFrame,
  readFromPod,
  type StorageRequest,
  type ToFrame,
  type ToPod,
} from '../pod/browser/protocol.js';
import { LONGEST_LINE } from '../pod/shared/line-splitter.js';
import { type CapturedLine, lineOf } from '../pod/shared/log-record.js';
import type { Metrics } from '../pod/shared/metrics.js';
import type { FromRun, RunDescription } from '../pod/shared/protocol.js';
import type { Clock } from '../ports/clock.js';
import type { PodRun, RunListener } from '../reconciler/adapters.js';
import type { ExitOutcome } from '../reconciler/pod.js';

/** Frames of the page around the agent, one a run. */
export interface Frames {
  /** Makes a frame and gives it its two channels: its own to the agent, and the one of its worker. */
  open(frame: string, ports: [MessagePort, MessagePort]): void;
  /** Shows a frame that has something to show. */
  show(frame: string): void;
  /** Removes a frame, and ends whatever it runs. */
  close(frame: string): void;
}

export interface PodSandboxOptions {
  frames: Frames;
  clock: Clock;
  run: RunDescription;
  bundle: Promise<ArrayBuffer>;
  assets: Promise<ArrayBuffer> | undefined;
  supabaseSource: string;
  listener: RunListener;
  onLine(line: CapturedLine): void;
  onDropped(count: number): void;
  onMetrics(metrics: Metrics): void;
  /** The run is over; told before the listener is. */
  onGone(): void;
  store(request: StorageRequest): Promise<unknown>;
}

const PING_MS = 5_000;
/** So many pings in a row without an answer: the frame is gone, or its process is. */
const MAX_UNANSWERED = 4;
const BUDGET_MS = 1_000;
/** Far above what a pod's runtime sends; only a pack that speaks on the channel itself gets there. */
const MESSAGES_PER_BUDGET = 5_000;
const KILLED = 137;

/** One run of a pod: a frame without an origin, and in it a worker. */
export class PodSandbox implements PodRun {
  readonly #frame = crypto.randomUUID();
  readonly #toFrame = new MessageChannel();
  readonly #toPod = new MessageChannel();
  #failure: Extract<FromRun, { type: 'failed' }> | undefined;
  #started = false;
  #over = false;
  #unanswered = 0;
  #budgetStart = 0;
  #messages = 0;
  #cancelPing: () => void = () => {};
  #cancelKill: (() => void) | undefined;

  constructor(private readonly options: PodSandboxOptions) {
    const { frames, run, bundle, assets } = options;
    this.#toFrame.port1.onmessage = ({ data }: MessageEvent<unknown>) => this.#heardFrame(data);
    this.#toPod.port1.onmessage = ({ data }: MessageEvent<unknown>) => this.#heard(data);
    frames.open(this.#frame, [this.#toFrame.port2, this.#toPod.port2]);
    this.#ping();
    Promise.all([bundle, assets]).then(
      ([content, archive]) => this.#send({ type: 'init', run, bundle: content, assets: archive }),
      (error) => this.#startFailed(String(error)),
    );
  }

  stop(graceMs: number): void {
    if (this.#over || this.#cancelKill !== undefined) return;
    this.#send({ type: 'stop' });
    this.#cancelKill = this.options.clock.after(graceMs, () => this.#kill(graceOver(graceMs)));
  }

  #startFailed(message: string): void {
    this.#finish({ exitCode: 1, reason: 'StartFailed', message });
  }

  #kill(message: string): void {
    this.#finish({ exitCode: KILLED, reason: 'Killed', message });
  }

  #send(message: ToPod): void {
    this.#toPod.port1.postMessage(message);
  }

  #ping(): void {
    this.#cancelPing = this.options.clock.after(PING_MS, () => {
      if (this.#unanswered >= MAX_UNANSWERED) return this.#kill('its frame does not answer any more');
      this.#unanswered += 1;
      this.#toFrame.port1.postMessage({ type: 'ping' } satisfies ToFrame);
      this.#ping();
    });
  }

  #heardFrame(data: unknown): void {
    if (this.#over) return;
    const message = readFromFrame(data);
    if (message === undefined) this.#kill('its frame told its agent what is no message');
    else if (message.type === 'pong') this.#unanswered = 0;
    else if (message.type === 'shows') this.options.frames.show(this.#frame);
    else this.#startFailed(`its worker could not be started: ${message.message}`);
  }

  // A message could be anything: the pack shares the channel. What is none ends this pod, and nobody else.
  #heard(data: unknown): void {
    if (this.#over) return;
    const now = this.options.clock.now();
    if (Math.abs(now - this.#budgetStart) > BUDGET_MS) {
      this.#budgetStart = now;
      this.#messages = 0;
    }
    this.#messages += 1;
    const message = readFromPod(data);
    if (this.#messages > MESSAGES_PER_BUDGET) this.#kill('it floods its agent with messages');
    else if (message === undefined) this.#kill('it told its agent what is no message');
    else if (message.type === 'lines') this.#heardLines(message.lines, message.dropped);
    else if (message.type === 'storage') void this.#heardStorage(message.id, message.request);
    else if (message.type === 'supabase') this.#send({ type: 'supabase', source: this.options.supabaseSource });
    else if (message.type === 'exit') this.#finish(outcomeOf(message.code, this.#started, this.#failure));
    else this.#heardRun(message);
  }

  #heardRun(message: FromRun): void {
    const { listener } = this.options;
    if (message.type === 'failed') this.#failure = message;
    else if (message.type === 'ready') listener.ready();
    else if (message.type === 'metrics') this.options.onMetrics(message.values);
    else if (!this.#started) {
      this.#started = true;
      listener.started();
    }
  }

  #heardLines(lines: readonly PodLine[], dropped: number): void {
    const { onLine, onDropped } = this.options;
    for (const line of lines) onLine(toLine(line));
    if (dropped > 0) onDropped(dropped);
  }

  async #heardStorage(id: number, request: StorageRequest): Promise<void> {
    try {
      this.#send({ type: 'stored', id, value: await this.options.store(request) });
    } catch (error) {
      this.#send({ type: 'stored', id, error: error instanceof Error ? error.message : String(error) });
    }
  }

  #finish(outcome: ExitOutcome): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelPing();
    this.#cancelKill?.();
    this.options.frames.close(this.#frame);
    this.#toFrame.port1.close();
    this.#toPod.port1.close();
    this.options.onGone();
    this.options.listener.exited(outcome);
  }
}

function toLine(line: PodLine): CapturedLine {
  if (!('record' in line)) return { stream: line.stream, message: cut(line.text) };
  return lineOf(line.record) ?? { stream: 'stdout', message: cut(line.record) };
}

function cut(text: string): string {
  return text.slice(0, LONGEST_LINE);
}
