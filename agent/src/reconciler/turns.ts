import type { Clock } from './adapters.js';

/** Lets only so many work at a time, in the order in which they came. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(
    private readonly clock: Clock,
    atOnce: number,
    private readonly longestMs: number,
  ) {
    this.#free = atOnce;
  }

  /** Resolves when it is one's turn, with what ends it. A turn that lasts too long ends by itself. */
  async take(): Promise<() => void> {
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
