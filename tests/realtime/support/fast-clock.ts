import type { RealtimeOptions } from '@stark-o/realtime';

/** A clock on which time passes `speed` times as fast, so that windows of seconds and minutes can be waited for. */
export function fastClock(speed: number): NonNullable<RealtimeOptions['clock']> {
  const started = Date.now();
  return {
    now: () => started + (Date.now() - started) * speed,
    after(ms, task) {
      const timer = setTimeout(task, ms / speed);
      timer.unref();
      return () => clearTimeout(timer);
    },
    every(ms, task) {
      const timer = setInterval(task, ms / speed);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}
