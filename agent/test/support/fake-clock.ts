import type { Clock } from '../../src/ports/clock.js';
import type { Random } from './random.js';

interface Timer {
  at: number;
  order: number;
  callback: () => void;
}

/** A clock that only moves when it is told to. */
export class FakeClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  #timers: Timer[] = [];
  #order = 0;

  /** What the cluster said of the time. */
  readonly heardTimes: { time: number; askedAt: number }[] = [];

  constructor(private readonly chance: Random | undefined = undefined) {}

  now(): number {
    return this.#now;
  }

  heard(time: number, askedAt: number): void {
    this.heardTimes.push({ time, askedAt });
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, order: this.#order++, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  random(): number {
    return this.chance?.next() ?? 1;
  }

  /** The time until the next timer is due; undefined when there is none. */
  get nextIn(): number | undefined {
    const next = this.#next();
    return next === undefined ? undefined : next.at - this.#now;
  }

  /** Moves on by `ms`, calling what becomes due on the way, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    await settle();
    const until = this.#now + ms;
    for (let next = this.#next(); next !== undefined && next.at <= until; next = this.#next()) {
      this.#now = next.at;
      this.#timers = this.#timers.filter((one) => one !== next);
      next.callback();
      await settle();
    }
    this.#now = until;
    await settle();
  }

  #next(): Timer | undefined {
    return this.#timers.reduce<Timer | undefined>(
      (best, one) =>
        best === undefined || one.at < best.at || (one.at === best.at && one.order < best.order) ? one : best,
      undefined,
    );
  }
}

/** Lets everything that waits for promises only come to rest. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
