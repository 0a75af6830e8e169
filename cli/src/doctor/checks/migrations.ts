import type { Check } from '../check.js';
import { byFacts } from '../check.js';
import { failed, ok, warning } from '../finding.js';
import { ownMigrations } from '../project.js';

const reset = 'docs/hosted.md, "Updates", says how to begin anew';

/** The database has the migrations that came with this command, with the text that they have here. */
export const migrations: Check = {
  id: 'migrations',
  title: 'Schema version',
  after: byFacts(),
  run: async (subject) => {
    const [facts, own] = await Promise.all([subject.facts(), ownMigrations()]);
    if ('instead' in facts) return facts.instead;
    if (facts.migrations === null) {
      return warning('the migrations were not applied by supabase db push, so nobody knows which they are', reset);
    }
    const pushed = new Map(facts.migrations.map(({ version, digest }) => [version, digest]));
    const missing = own.filter(({ version }) => !pushed.has(version));
    if (missing.length > 0) {
      const message = `${missing.length} of ${own.length} migrations are missing, the first is ${missing[0]?.file}`;
      return failed(message, 'supabase db push --remote');
    }
    const edited = own.filter(({ version, digest }) => pushed.get(version) !== digest);
    if (edited.length > 0) {
      const [first] = edited;
      return failed(`${edited.length} migrations were other ones when they were pushed: ${first?.file}`, reset);
    }
    return ok(`${own.length} migrations, as they came with this command`);
  },
};
