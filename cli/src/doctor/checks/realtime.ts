import type { Check } from '../check.js';
import type { Finding } from '../finding.js';
import { failed, ok, skipped } from '../finding.js';
import { type Joining, tryToJoin } from '../realtime.js';

/** A private topic can be joined by who has the right to. */
export const realtime: Check = {
  id: 'realtime',
  title: 'Realtime: private channels',
  after: ['session'],
  run: async (subject) => {
    const { connection, settings } = subject;
    const { namespace } = settings;
    const caller = await subject.caller();
    if ('problem' in caller) return skipped('nobody is signed in here', 'stark auth login');
    const right = { p_verb: 'get', p_kind: 'events', p_namespace: namespace };
    if (!(await connection.call('can_i', right))) {
      return skipped(`you may not get events of namespace ${namespace}`, 'ask an admin for a role, such as viewer');
    }
    const client = await connection.starkClient();
    await client.realtime.setAuth();
    const topic = await connection.call('events_topic', { p_namespace: namespace });
    return judgePrivate(await tryToJoin(client, topic, true));
  },
};

export function judgePrivate(joining: Joining): Finding {
  if (joining === 'joined') return ok('joined, as the signed-in user');
  const { refused } = joining;
  if (/Unauthorized|permission|policies/i.test(refused)) {
    return failed(
      `the join was refused although the right is there: ${refused}`,
      'the policies on realtime.messages are missing: docs/hosted.md, "Updates", says how to begin anew',
    );
  }
  if (/Token|JWT|expired/i.test(refused)) return failed(`the session was refused: ${refused}`, 'stark auth login');
  return failed(`no join: ${refused}`, 'dashboard, Realtime settings: enable the Realtime service');
}
