import { toStarkError } from '@stark-o/core/errors';
import type { Check } from './check.js';
import { type Finding, failed, type Result, results, skipped } from './finding.js';
import type { Subject } from './subject.js';

/** A check and what it found. */
export type Outcome = Pick<Check, 'id' | 'title'> & Finding;

/** Makes every check, as soon as those that it leans on are made. */
export async function runChecks(checks: readonly Check[], subject: Subject): Promise<Outcome[]> {
  const outcomes = new Map<string, Promise<Outcome>>();
  for (const check of checks) {
    const after = typeof check.after === 'function' ? check.after(subject) : (check.after ?? []);
    const before = after.map((id) => {
      const outcome = outcomes.get(id);
      if (outcome === undefined) throw new Error(`check ${check.id} comes before ${id}, which it leans on`);
      return outcome;
    });
    outcomes.set(check.id, runCheck(check, before, subject));
  }
  return Promise.all(outcomes.values());
}

async function runCheck(check: Check, before: Promise<Outcome>[], subject: Subject): Promise<Outcome> {
  const { id, title } = check;
  const missing = (await Promise.all(before)).find(({ result }) => result === 'failed' || result === 'skipped');
  if (missing !== undefined) return { id, title, ...skipped(`needs "${missing.id}"`, missing.hint) };
  try {
    return { id, title, ...(await check.run(subject)) };
  } catch (error) {
    const { message, hint } = toStarkError(error, { url: subject.url });
    return { id, title, ...failed(message, hint ?? 'stark doctor --debug') };
  }
}

/** The worst of them; what was skipped says nothing. */
export function verdict(outcomes: readonly Outcome[]): Exclude<Result, 'skipped'> {
  const worst = Math.max(0, ...outcomes.map(({ result }) => (result === 'skipped' ? 0 : results.indexOf(result))));
  return results[worst] as Exclude<Result, 'skipped'>;
}
