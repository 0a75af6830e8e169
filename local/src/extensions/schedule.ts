import { Cron } from 'croner';

/** When a job is due: every so many seconds after its last start, at times of day, once at start, or never again. */
export type Schedule =
  | { readonly kind: 'interval'; readonly ms: number }
  | { readonly kind: 'times'; next(after: Date): Date | null }
  | { readonly kind: 'start' }
  | { readonly kind: 'never' };

const NAMED: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/**
 * Reads a schedule that `cron.schedule` accepted. Times are GMT; `$` is the last day of the month. A schedule that can
 * never be (`5-2 * * * *`, 31 February) is legal there, and so is no error here.
 */
export function parseSchedule(text: string): Schedule {
  const trimmed = text.trim();
  const seconds = /^(\d{1,2})\s+seconds?$/i.exec(trimmed)?.[1];
  if (seconds !== undefined) return { kind: 'interval', ms: Number(seconds) * 1000 };
  if (trimmed === '@reboot' || trimmed === '@restart') return { kind: 'start' };
  const fields = (NAMED[trimmed] ?? trimmed).split(/\s+/);
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
  // As in every cron: a day field that begins with a star, stepped or not, restricts the other one instead of adding to it.
  const domAndDow = day.startsWith('*') || weekday.startsWith('*');
  const pattern = [minute, hour, day === '$' ? 'L' : day, month, weekday].join(' ');
  try {
    const cron = new Cron(pattern, { timezone: 'UTC', domAndDow });
    return { kind: 'times', next: (after) => cron.nextRun(after) };
  } catch {
    return { kind: 'never' };
  }
}
