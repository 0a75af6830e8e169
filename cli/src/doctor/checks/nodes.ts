import type { Check } from '../check.js';
import { ok, warning } from '../finding.js';

const statuses = ['healthy', 'unhealthy', 'offline', 'unknown'] as const;

/** There are nodes, and they are well. */
export const nodes: Check = {
  id: 'nodes',
  title: 'Nodes',
  after: ['migrations'],
  run: async (subject) => {
    const facts = await subject.facts();
    if ('instead' in facts) return facts.instead;
    const count = (status: (typeof statuses)[number]) => facts.nodes[status] ?? 0;
    const said = statuses.filter((status) => count(status) > 0).map((status) => `${count(status)} ${status}`);
    if (count('healthy') === 0) {
      return warning(
        `no pod can run: ${said.join(', ') || 'there is no node'}`,
        'stark node agent start --name node-1',
      );
    }
    if (count('unhealthy') + count('offline') > 0) return warning(said.join(', '), 'stark node list');
    return ok(said.join(', '));
  },
};
