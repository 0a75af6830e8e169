import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** One piece of work: find a number that gives `text` a SHA-256 beginning with as many zeros as asked. */
export interface Job {
  id: number;
  text: string;
  addedAt: string;
}

export interface FinishedJob extends Job {
  nonce: number;
  hash: string;
  tookMs: number;
  finishedAt: string;
}

// Between two slices the page is served and the end of the pod is noticed.
const HASHES_PER_SLICE = 2_000;

/** Works on a job until it is solved; gives undefined when `signal` was aborted before. */
export async function solve(job: Job, zeros: number, signal: AbortSignal): Promise<FinishedJob | undefined> {
  const started = Date.now();
  const wanted = '0'.repeat(zeros);
  for (let nonce = 0; ; nonce++) {
    if (nonce % HASHES_PER_SLICE === 0) {
      await nextTurn();
      if (signal.aborted) return undefined;
    }
    const hash = createHash('sha256').update(`${job.text}:${nonce}`).digest('hex');
    if (hash.startsWith(wanted)) {
      return { ...job, nonce, hash, tookMs: Date.now() - started, finishedAt: new Date().toISOString() };
    }
  }
}
