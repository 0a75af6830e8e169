import type { Finding } from './finding.js';
import type { Subject } from './subject.js';

/** One question to a cluster, or to this machine. */
export interface Check {
  id: string;
  title: string;
  /** Ids of the checks without which this one cannot be made. */
  after?: readonly string[] | ((subject: Subject) => readonly string[]);
  run: (subject: Subject) => Promise<Finding> | Finding;
}

/** What the database tells comes by way of the API, unless its own URL was given. */
export const byFacts =
  (...others: string[]) =>
  (subject: Subject): readonly string[] =>
    subject.database === undefined ? ['schema', ...others] : others;
