/** Stops a timer; calling it twice is harmless. */
export type Cancel = () => void;

/** Time as the server sees it, so that tests can turn the hands instead of waiting. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs the task once. */
  after(ms: number, task: () => void): Cancel;
  /** Runs the task again and again. */
  every(ms: number, task: () => void): Cancel;
}

/** The computer's own clock. Its timers never keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  every(ms, task) {
    const timer = setInterval(task, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** Twice the last pause between two attempts, never longer than the longest. */
export function longerPause(lastMs: number, longestMs: number): number {
  return Math.min(lastMs * 2, longestMs);
}

/** Resolves after the given time. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
