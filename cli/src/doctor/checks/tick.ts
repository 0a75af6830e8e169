import type { Check } from '../check.js';
import { isYoung, secondsBetween } from '../facts.js';
import { failed, ok, warning } from '../finding.js';

/** Runs every 15 seconds; half a minute more for a job that waits its turn. */
const oldestTick = 45;
const fastest = 'stark-reap-nodes';

/** pg_cron runs what is scheduled, and it succeeds. */
export const tick: Check = {
  id: 'tick',
  title: 'pg_cron runs them',
  after: ['jobs'],
  run: async (subject) => {
    const facts = await subject.facts();
    if ('instead' in facts) return facts.instead;
    const ran = facts.jobs ?? [];
    const broken = ran.find(({ status }) => status === 'failed');
    if (broken !== undefined) {
      return failed(`${broken.name} failed: ${broken.message}`, 'stark doctor shows what is missing');
    }
    const last = ran.find(({ name }) => name === fastest)?.succeeded_at ?? null;
    const age = last === null ? Number.POSITIVE_INFINITY : secondsBetween(last, facts.now);
    if (age <= oldestTick) return ok(`the last run was ${Math.round(age)} s ago`);
    if (isYoung(facts))
      return warning('the database was started a moment ago, and no job has run since', 'stark doctor');
    if (!facts.jobs_are_logged) {
      return warning('cron.log_run is off, so nobody knows whether jobs run', 'set cron.log_run to on, and restart');
    }
    const since = last === null ? 'no job has ever run' : `the last run was ${Math.round(age)} s ago`;
    return failed(`${since}: pg_cron is not running`, 'dashboard, Project Settings, General: Restart project');
  },
};
