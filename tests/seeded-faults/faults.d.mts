/** One faulty edit of one file. */
export interface Fault {
  id: string;
  /** What goes wrong for a user, in one sentence. */
  breaks: string;
  file: string;
  /** Stands exactly once in the file. */
  from: string;
  to: string;
  /** The cheapest test files, one or two, of which one must fail: for vitest, or pgTAP's in supabase/tests. */
  tests: string[];
}

export const faults: readonly Fault[];
