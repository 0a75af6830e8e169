import type { AgentLog } from '../ports/agent-log.js';
import { jitteredBackoff } from '../ports/backoff.js';
import type { Clock } from '../ports/clock.js';
import type { Entry, Outbox } from './outbox.js';

/** What became of a batch: gone, to be tried again, or refused for a reason that will not pass. */
export type Delivery =
  | { outcome: 'delivered' }
  | { outcome: 'later'; error: Error }
  | { outcome: 'refused'; error: Error };

export interface OutboxRelayOptions<T> {
  /** What it carries, for the log: `reports`, `logs`. */
  name: string;
  outbox: Outbox<T>;
  clock: Clock;
  log: AgentLog;
  batchSize: number;
  /** Most bytes of JSON in a batch; a single entry is delivered however large it is. Default: no bound. */
  batchBytes?: number;
  /**
   * After each delivery the control plane rests for as long as it took, at most this long: the busier it is, the more of
   * what happens meanwhile goes with the next. Default: no rest.
   */
  longestRestMs?: number;
  /** Entries of one batch were made under one incarnation. */
  deliver(items: readonly T[], incarnation: number): Promise<Delivery>;
}

const LONGEST_BACKOFF_MS = 30_000;

/** Carries an outbox to the control plane, oldest first, until each entry was delivered or refused. */
export class OutboxRelay<T> {
  #working: Promise<void> | undefined;
  #failures = 0;
  #cancelWait: (() => void) | undefined;
  #rest: Promise<void> | undefined;
  #endRest: () => void = () => {};
  #stopped = false;
  readonly #listeners = new Set<() => void>();

  constructor(private readonly options: OutboxRelayOptions<T>) {}

  /** There is something new, or the control plane is back: do not wait any longer. */
  wake(): void {
    this.#cancelWait?.();
    this.#endRest();
    if (!this.#stopped) this.#start();
  }

  /** Delivers while there is something; new entries alone do not cut a back-off short. */
  requestDelivery(): void {
    if (this.#cancelWait === undefined && !this.#stopped) this.#start();
  }

  /** Resolves true when everything is delivered, false when the time is over first. */
  async drain(deadlineMs: number): Promise<boolean> {
    this.wake();
    let expired = false;
    let cancel = () => {};
    // A call that hangs is not waited for either.
    const expiry = new Promise<void>((resolve) => {
      cancel = this.options.clock.after(deadlineMs, () => {
        expired = true;
        this.stop();
        resolve();
      });
    });
    while (this.options.outbox.size > 0 && !expired) {
      this.#start();
      await Promise.race([this.#working, expiry]);
    }
    cancel();
    if (expired) this.#stopped = false;
    return !expired;
  }

  /** Resolves when nothing of these keys waits to be delivered any more, or the time is over. */
  async delivered(keys: readonly string[], deadlineMs: number): Promise<void> {
    const { outbox, clock } = this.options;
    const waits = () => keys.some((key) => outbox.has(key));
    if (!waits()) return;
    this.requestDelivery();
    await new Promise<void>((resolve) => {
      const done = () => {
        cancel();
        this.#listeners.delete(check);
        resolve();
      };
      const check = () => waits() || done();
      const cancel = clock.after(deadlineMs, done);
      this.#listeners.add(check);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelWait?.();
    this.#endRest();
  }

  #start(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    const { outbox, batchSize, batchBytes, clock } = this.options;
    // What is added while the current event is handled, or the control plane rests, goes with the first batch.
    await Promise.resolve();
    while (!this.#stopped && outbox.size > 0) {
      await this.#rest;
      if (this.#stopped) return;
      const batch = fitting(sameIncarnation(outbox.peek(batchSize)), batchBytes);
      const before = clock.now();
      const delivered = await this.#deliverBatch(batch);
      this.#beginRest(clock.now() - before);
      for (const check of [...this.#listeners]) check();
      if (!delivered) await this.#wait();
    }
  }

  #beginRest(ms: number): void {
    const { clock, longestRestMs = 0 } = this.options;
    const rest = Math.min(ms, longestRestMs);
    if (rest <= 0 || this.#stopped) return;
    this.#rest = new Promise((resolve) => {
      this.#endRest = resolve;
      clock.after(rest, resolve);
    });
  }

  async #deliverBatch(batch: readonly Entry<T>[]): Promise<boolean> {
    const { outbox, log, name, deliver } = this.options;
    const last = batch[batch.length - 1] as Entry<T>;
    const delivery = await deliver(
      batch.map((entry) => entry.item),
      last.incarnation,
    );
    if (delivery.outcome === 'later') {
      if (this.#failures === 0)
        log.debug({ error: delivery.error.message, waiting: outbox.size }, `cannot deliver ${name}, trying again`);
      this.#failures += 1;
      return false;
    }
    if (this.#failures > 0) log.debug({ waiting: outbox.size }, `delivering ${name} again`);
    this.#failures = 0;
    if (delivery.outcome === 'delivered') {
      outbox.done(last.number);
    } else if (batch.length > 1) {
      // One bad entry must not take the others with it.
      for (const entry of batch) if (!(await this.#deliverBatch([entry]))) return false;
    } else {
      log.warn({ error: delivery.error.message, entry: last.item }, `dropped ${name} that the control plane refuses`);
      outbox.done(last.number);
    }
    return true;
  }

  #wait(): Promise<void> {
    const { clock } = this.options;
    return new Promise((resolve) => {
      const go = () => {
        this.#cancelWait = undefined;
        cancel();
        resolve();
      };
      const cancel = clock.after(jitteredBackoff(clock, this.#failures - 1, LONGEST_BACKOFF_MS), go);
      this.#cancelWait = go;
    });
  }
}

const encoder = new TextEncoder();

/** The first entries, as many as are not too large together. */
function fitting<T>(entries: readonly Entry<T>[], most = Number.POSITIVE_INFINITY): readonly Entry<T>[] {
  if (most === Number.POSITIVE_INFINITY) return entries;
  let bytes = 0;
  const end = entries.findIndex(({ item }) => {
    bytes += encoder.encode(JSON.stringify(item)).length;
    return bytes > most;
  });
  return end < 0 ? entries : entries.slice(0, Math.max(1, end));
}

function sameIncarnation<T>(entries: readonly Entry<T>[]): readonly Entry<T>[] {
  const end = entries.findIndex((entry) => entry.incarnation !== entries[0]?.incarnation);
  return end < 0 ? entries : entries.slice(0, end);
}
