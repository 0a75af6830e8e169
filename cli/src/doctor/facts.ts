import type { Facts } from '@stark-o/core/model';

/** Seconds from one time of the database to another. */
export const secondsBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 1000;

/** Whether the database is so new, or its server so newly started, that what comes every minute has not come yet. */
export function isYoung({ now, started_at, database }: Facts): boolean {
  return Math.min(secondsBetween(started_at, now), secondsBetween(database.since, now)) < 75;
}
