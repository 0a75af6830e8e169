import type { Channel } from '../channels/channel.js';

const CHECK_MS = 500;
const TIMEOUT_MS = 60_000;

/** Tells the client once database sends will reach it, or ends the channel when they will not within a minute. */
export function announceReplication(channel: Channel): void {
  const { project } = channel;
  const deadline = project.clock.now() + TIMEOUT_MS;
  const check = () => {
    if (project.feed.ready) {
      channel.system('system', 'ok', 'Replication connection established');
    } else if (project.clock.now() >= deadline) {
      channel.shutdown('Replication connection was not established in time');
    } else {
      channel.later('replication', CHECK_MS, check);
    }
  };
  channel.run(check);
}
