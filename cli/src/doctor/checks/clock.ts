import type { Check } from '../check.js';
import type { Finding } from '../finding.js';
import { failed, ok, skipped, warning } from '../finding.js';

/** Services allow tokens half a minute, and the header that tells the time has whole seconds. */
const harmlessSeconds = 5;
const toleratedSeconds = 30;

/** The clock of this machine is that of the cluster: tokens have an end, and this machine looks whether it is near. */
export const clock: Check = {
  id: 'clock',
  title: 'Clocks agree',
  after: ['url'],
  run: async (subject) => {
    const { date, ms } = await subject.gateway();
    // When it was said is known but for the time that the answer was on its way.
    return date === undefined
      ? skipped('the cluster does not say what time it is', undefined)
      : judgeClock((Date.now() - date - 500) / 1000, ms / 1000);
  },
};

/** `ahead` seconds of this machine, known to within `uncertain`. */
export function judgeClock(ahead: number, uncertain: number): Finding {
  const off = Math.max(0, Math.abs(ahead) - uncertain - 1);
  const said = `this machine is ${Math.round(Math.abs(ahead))} s ${ahead > 0 ? 'ahead' : 'behind'}`;
  const hint = 'sudo timedatectl set-ntp true';
  if (off > toleratedSeconds) return failed(`${said}: tokens that are good are refused, or the reverse`, hint);
  return off > harmlessSeconds ? warning(said, hint) : ok('to within a few seconds');
}
