import type { Check } from '../check.js';
import type { Fix } from '../finding.js';
import { failed, ok } from '../finding.js';
import type { Subject } from '../subject.js';

/** The jobs are there, as they came with the migrations, and active. */
export const jobs: Check = {
  id: 'jobs',
  title: 'Jobs of pg_cron',
  after: ['extensions'],
  run: async (subject) => {
    const facts = await subject.facts();
    if ('instead' in facts) return facts.instead;
    if (facts.jobs === null) return failed('the jobs cannot be read', 'stark doctor shows the missing grant');
    const missing = facts.jobs.filter(({ found }) => !found).map(({ name }) => `${name} is not there`);
    const asleep = facts.jobs
      .filter(({ found, active }) => found && !active)
      .map(({ name }) => `${name} is switched off`);
    const problems = [...missing, ...asleep];
    if (problems.length === 0) return ok(`${facts.jobs.length} jobs, all active`);
    return failed(problems.join(', '), 'in the SQL editor: select stark_internal.schedule_jobs()', fixFor(subject));
  },
};

function fixFor({ database }: Subject): Fix | undefined {
  return database && { what: 'Schedule the jobs again', run: () => database.scheduleJobs() };
}
