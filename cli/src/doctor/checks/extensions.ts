import type { Check } from '../check.js';
import { failed, ok } from '../finding.js';

const create: Readonly<Record<string, string>> = {
  pg_cron: 'create extension pg_cron',
  pg_net: 'create extension pg_net with schema extensions',
  supabase_vault: 'create extension supabase_vault',
};

/** The extensions of the platform that Stark uses are there. */
export const extensions: Check = {
  id: 'extensions',
  title: 'Extensions',
  after: ['migrations'],
  run: async (subject) => {
    const facts = await subject.facts();
    if ('instead' in facts) return facts.instead;
    const all = Object.entries(facts.extensions);
    const missing = all.filter(([, version]) => version === null).map(([name]) => name);
    if (missing.length === 0) return ok(all.map(([name, version]) => `${name} ${version}`).join(', '));
    const statements = missing.map((name) => `${create[name]};`).join(' ');
    return failed(`missing: ${missing.join(', ')}`, `in the SQL editor: ${statements}`);
  },
};
