import type { Subject } from './subject.js';

export const results = ['ok', 'skipped', 'warning', 'failed'] as const;

export type Result = (typeof results)[number];

/** What a check found: one line, and what to type unless all is well. */
export interface Finding {
  result: Result;
  message: string;
  hint?: string | undefined;
  /** Puts it right; run after a question, or with --fix. */
  fix?: Fix | undefined;
}

export interface Fix {
  /** What it does, as the question says it. */
  what: string;
  run: () => Promise<void>;
}

/** One question to a cluster, or to this machine. */
export interface Check {
  id: string;
  title: string;
  /** Ids of the checks without which this one cannot be made. */
  after?: readonly string[] | ((subject: Subject) => readonly string[]);
  run: (subject: Subject) => Promise<Finding> | Finding;
}

export const ok = (message: string): Finding => ({ result: 'ok', message });

export const warning = (message: string, hint: string): Finding => ({ result: 'warning', message, hint });

export const failed = (message: string, hint: string, fix?: Fix): Finding => ({ result: 'failed', message, hint, fix });

export const skipped = (message: string, hint: string | undefined): Finding => ({ result: 'skipped', message, hint });

/** What the database tells comes by way of the API, unless its own URL was given. */
export const byFacts =
  (...others: string[]) =>
  (subject: Subject): readonly string[] =>
    subject.database === undefined ? ['schema', ...others] : others;
