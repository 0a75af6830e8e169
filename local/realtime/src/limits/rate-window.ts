import type { Clock } from '../clock.js';

const TICK_MS = 5_000;
const BUCKETS = 12;
const IDLE_RESTART_TICKS = 60;

export interface RateWindowOptions {
  /** Events per second; the window is triggered while its average is at or above this. */
  limit: number;
  clock: Clock;
  /** Called once each time the average reaches the limit. */
  onTrigger?: (average: number) => void;
}

/**
 * Events per second, averaged over up to twelve buckets of five seconds.
 *
 * The average moves only when a bucket closes, so a burst passes and a breach shows up to five seconds later. A window
 * that just began has few buckets and is therefore quicker to trigger than one that has been quiet for a minute; after
 * five quiet minutes it begins anew. Buckets are closed when somebody looks, so no timer runs.
 */
export class RateWindow {
  /** All events there ever were. */
  total = 0;
  readonly #options: RateWindowOptions;
  #buckets: number[] = [];
  #open = 0;
  #openedAt: number;
  #average = 0;
  #triggered = false;

  constructor(options: RateWindowOptions) {
    this.#options = options;
    this.#openedAt = Number.NEGATIVE_INFINITY;
  }

  /** Counts events into the open bucket. */
  add(events = 1): void {
    this.#closeBuckets();
    this.#open += events;
    this.total += events;
  }

  /** Events per second over the closed buckets. */
  get average(): number {
    this.#closeBuckets();
    return this.#average;
  }

  /** Whether the average is at or above the limit. */
  get triggered(): boolean {
    this.#closeBuckets();
    return this.#triggered;
  }

  #closeBuckets(): void {
    const now = this.#options.clock.now();
    const ticks = Math.floor((now - this.#openedAt) / TICK_MS);
    if (ticks < 1) return;

    if (ticks > IDLE_RESTART_TICKS) {
      this.#buckets = [0];
      this.#open = 0;
      this.#openedAt = now;
      this.#settle();
      return;
    }
    for (let i = 0; i < ticks; i++) {
      this.#buckets.push(this.#open);
      this.#open = 0;
      if (this.#buckets.length > BUCKETS) this.#buckets.shift();
      this.#settle();
    }
    this.#openedAt += ticks * TICK_MS;
  }

  #settle(): void {
    let sum = 0;
    for (const bucket of this.#buckets) sum += bucket;
    this.#average = sum / this.#buckets.length / (TICK_MS / 1_000);
    const over = this.#average >= this.#options.limit;
    if (over && !this.#triggered) this.#options.onTrigger?.(this.#average);
    this.#triggered = over;
  }
}
