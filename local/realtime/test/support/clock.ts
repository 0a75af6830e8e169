import type { Clock } from '../../src/clock.js';

interface Timer {
  at: number;
  every: number | null;
  task: () => void;
}

/** A clock whose hands the test turns. */
export class FakeClock implements Clock {
  #now: number;
  readonly #timers = new Set<Timer>();

  constructor(now = Date.parse('2026-01-01T00:00:00Z')) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void) {
    return this.#add({ at: this.#now + ms, every: null, task });
  }

  every(ms: number, task: () => void) {
    return this.#add({ at: this.#now + ms, every: ms, task });
  }

  /** Turns the hands; timers run in their order, each at its time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#now = due.at;
      if (due.every === null) this.#timers.delete(due);
      else due.at += due.every;
      due.task();
    }
    this.#now = end;
  }

  #add(timer: Timer) {
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }
}
