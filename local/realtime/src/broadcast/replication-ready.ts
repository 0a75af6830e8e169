import type { Channel } from '../channels/channel.js';
import type { Clock } from '../clock.js';
import type { Feed } from '../database/feed.js';

const CHECK_MS = 500;
const TIMEOUT_MS = 60_000;

/** Tells the client once database sends will reach it, or ends the channel when they will not within a minute. */
export function announceReplication({ feed, clock }: { feed: Feed; clock: Clock }, channel: Channel): void {
  const deadline = clock.now() + TIMEOUT_MS;
  const check = () => {
    if (feed.ready) {
      channel.system('system', 'ok', 'Replication connection established');
    } else if (clock.now() >= deadline) {
      channel.shutdown('Replication connection was not established in time');
    } else {
      channel.later('replication', CHECK_MS, check);
    }
  };
  channel.run(check);
}
