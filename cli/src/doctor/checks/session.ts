import type { Check } from '../check.js';
import { failed, ok, skipped, warning } from '../finding.js';

/** Somebody is signed in, and may do something. */
export const session: Check = {
  id: 'session',
  title: 'Signed in',
  after: ['schema'],
  run: async (subject) => {
    const kept = subject.settings.token !== undefined || (await subject.connection.sessions.read()) !== undefined;
    if (!kept) {
      const { needed } = await subject.needsSetup();
      return needed
        ? warning('the cluster has no admin yet', 'stark auth setup --email <you>')
        : skipped('nobody is signed in here', 'stark auth login');
    }
    const caller = await subject.caller();
    if ('problem' in caller) return failed(caller.problem.message, caller.problem.hint ?? 'stark auth login');
    const { email, user_id: id, roles } = caller.who;
    const name = email ?? id;
    if (roles.length === 0) return warning(`${name} has no role, and so no right`, 'ask an admin for one');
    const said = roles.map(({ role, namespace }) => (namespace === null ? role : `${role} in ${namespace}`));
    return ok(`${name}, ${said.join(', ')}`);
  },
};
