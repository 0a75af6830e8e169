import type { Clock } from '../ports/clock.js';

/** Lets only so many runs start at a time, in the order in which they were asked for. */
export class StartLimiter {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(
    private readonly clock: Clock,
    atOnce: number,
    private readonly longestMs: number,
  ) {
    this.#free = atOnce;
  }

  /** Resolves when the run may start, with what releases its place. A place that is held too long is released by itself. */
  async acquire(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      cancel();
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
    const cancel = this.clock.after(this.longestMs, end);
    return end;
  }
}
