import type { Channel } from '../channels/channel.js';
import type { Project } from '../project.js';
import type { Fanned } from '../wire/fanned.js';
import type { Topic } from './topics.js';

/**
 * Gives a message to everyone in a topic. This is where the server spends its life: one frame per protocol version,
 * one integer for all deliveries, and per subscriber nothing but a push to its outbox.
 */
export function fanOut(project: Project, topic: Topic | undefined, message: Fanned, except: Channel | null): void {
  if (topic === undefined) return;
  const { id } = message;
  let delivered = 0;
  for (const channel of topic.channels) {
    if (channel === except) continue;
    if (message.isBroadcast && !channel.hearsBroadcasts) continue;
    if (id !== null && channel.replayed?.has(id) === true) continue;
    const frame = message.frame(channel.connection.vsn);
    if (frame !== null) channel.connection.send(frame);
    delivered++;
  }
  if (delivered === 0) return;

  project.messages.add(delivered);
  if (project.messages.triggered) stopListeners(topic, message, except);
}

/** Over the project's rate, whoever is given a message is given its notice with it. */
function stopListeners(topic: Topic, message: Fanned, except: Channel | null): void {
  for (const channel of [...topic.channels]) {
    if (channel === except || (message.isBroadcast && !channel.hearsBroadcasts)) continue;
    channel.run(() => channel.shutdown('Too many messages per second'));
  }
}
