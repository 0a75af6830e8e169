import type { Check } from '../check.js';
import { secondsBetween } from '../facts.js';
import { failed, ok, warning } from '../finding.js';

/** A watcher speaks every five seconds, and is called at most a minute after the first node connects. */
const oldestWord = 30;

/** Somebody watches the nodes that are connected: without, none of them is ever found dead. */
export const watcher: Check = {
  id: 'watcher',
  title: 'The nodes are watched',
  after: ['tick', 'watch-call'],
  run: async (subject) => {
    const facts = await subject.facts();
    if ('instead' in facts) return facts.instead;
    const connected = (facts.nodes.healthy ?? 0) + (facts.nodes.unhealthy ?? 0);
    if (connected === 0) return ok('no node is connected, so nobody needs to watch');
    const { heard_at: heard, called_at: called } = facts.watch;
    const age = heard === null ? Number.POSITIVE_INFINITY : secondsBetween(heard, facts.now);
    if (age <= oldestWord) return ok(`the last word was ${Math.max(0, Math.round(age))} s ago`);
    const since = heard === null ? 'nobody has watched yet' : `the last word was ${Math.round(age)} s ago`;
    if (called !== null && secondsBetween(called, facts.now) <= oldestWord / 2) {
      return warning(`${since}, but a watcher was called a moment ago`, 'stark doctor');
    }
    return failed(
      `${connected} nodes are connected, and ${since}`,
      'stark doctor again in a minute; then look into the log of function watch in the dashboard',
    );
  },
};
