import type { Check } from '../check.js';
import type { Finding } from '../finding.js';
import { failed, ok } from '../finding.js';
import type { Subject } from '../subject.js';

/** PostgREST gives out schema `stark`, and what is in it. */
export const schema: Check = {
  id: 'schema',
  title: 'Schema stark is exposed',
  after: ['key'],
  run: async (subject) => {
    const { status, body } = await subject.needsSetup();
    if (status === 200) return ok('PostgREST gives it out');
    switch (body.code) {
      case 'PGRST106':
        return notExposed(subject);
      case 'PGRST202':
      case 'PGRST205':
        return failed(
          'schema stark is exposed, and has no functions: nothing was pushed, or PostgREST has not noticed',
          `supabase db push --remote, or in the SQL editor: notify pgrst, 'reload schema'`,
        );
      default:
        return failed(`PostgREST answers HTTP ${status} ${body.code ?? ''}: ${body.message ?? ''}`, 'stark doctor');
    }
  },
};

async function notExposed(subject: Subject): Promise<Finding> {
  const message = 'PostgREST does not give schema stark out (PGRST106)';
  // A setting of the role stands above the dashboard's, and the dashboard does not show it.
  const exposed = await subject.database?.exposedSchemas();
  if (typeof exposed === 'string') {
    return failed(
      `${message}: role authenticator has pgrst.db_schemas = ${exposed}`,
      `in the SQL editor: alter role authenticator set pgrst.db_schemas = '${exposed}, stark'; notify pgrst, 'reload config'`,
    );
  }
  return failed(
    message,
    'dashboard, Data API settings: add stark to "Exposed schemas"; or supabase config push, with "stark" in [api] schemas of supabase/config.toml (it writes the other settings of that file too)',
  );
}
