/** What a process behind a wall is to try. */
export interface TrialTask {
  /** A file that it must be able to read. */
  bundle: string;
  /** A file that it must not read or change. */
  canary: string;
  /** A file that it must not make. */
  beside: string;
  /** The process that it must not signal or look into. */
  agent: number;
  /** Sockets that it must not reach. */
  sockets: string[];
}

/** What came of it, in its own words; what it did outside, the agent sees for itself. */
export interface TrialReport {
  /** What it must be able to do, and could not. */
  problems: string[];
  canary?: string | undefined;
  /** SHA-256 of the agent's environment. */
  environment?: string | undefined;
  dataMb: number;
  filtered: boolean;
}

export function isTrialReport(message: unknown): message is TrialReport {
  if (typeof message !== 'object' || message === null) return false;
  const { problems, dataMb, filtered } = message as { [key: string]: unknown };
  return Array.isArray(problems) && typeof dataMb === 'number' && typeof filtered === 'boolean';
}
