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

export const ok = (message: string): Finding => ({ result: 'ok', message });

export const warning = (message: string, hint: string): Finding => ({ result: 'warning', message, hint });

export const failed = (message: string, hint: string, fix?: Fix): Finding => ({ result: 'failed', message, hint, fix });

export const skipped = (message: string, hint: string | undefined): Finding => ({ result: 'skipped', message, hint });
