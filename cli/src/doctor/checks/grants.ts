import type { Check } from '../check.js';
import { failed, ok } from '../finding.js';

/** What the platform grants role postgres, and a project may have lost. */
export const grants: Check = {
  id: 'grants',
  title: 'Grants',
  after: ['extensions'],
  run: async (subject) => {
    const facts = await subject.facts();
    if ('instead' in facts) return facts.instead;
    const missing = facts.grants.filter(({ held }) => !held).map(({ grant }) => grant);
    if (missing.length === 0) return ok(`postgres has all ${facts.grants.length} that it needs`);
    const statements = missing.map((grant) => `grant ${onSchema(grant)} to postgres;`).join(' ');
    return failed(
      `postgres lacks ${missing.join('; ')}`,
      `the platform gives them: turn the extension off and on in the dashboard, or ask Supabase's support for: ${statements}`,
    );
  },
};

const onSchema = (grant: string) =>
  grant.startsWith('execute on ') ? `execute on function ${grant.slice('execute on '.length)}` : grant;
