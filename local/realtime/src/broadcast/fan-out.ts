import type { RateWindow } from '../limits/rate-window.js';
import type { Fanned } from '../wire/fanned.js';
import type { Listener, Topic } from './topics.js';

/**
 * Gives a message to everyone in a topic, and counts the deliveries. This is where the server spends most of its time:
 * one frame per protocol version, one integer for all deliveries, and per listener nothing but a push to its outbox.
 */
export function fanOut(
  messages: RateWindow,
  topic: Topic | undefined,
  message: Fanned,
  except: Listener | null = null,
): void {
  if (topic === undefined) return;
  const { id } = message;
  let delivered = 0;
  for (const listener of topic.listeners) {
    if (listener === except) continue;
    if (message.isBroadcast && !listener.hearsBroadcasts) continue;
    if (id !== null && listener.hasHeard(id)) continue;
    const frame = message.frame(listener.connection.vsn);
    if (frame !== null) listener.connection.send(frame);
    delivered++;
  }
  if (delivered === 0) return;

  messages.add(delivered);
  if (messages.triggered) stopListeners(topic, message, except);
}

/** Over the project's rate each listener that is given a message is ended with it. */
function stopListeners(topic: Topic, message: Fanned, except: Listener | null): void {
  for (const listener of [...topic.listeners]) {
    if (listener === except || (message.isBroadcast && !listener.hearsBroadcasts)) continue;
    listener.run(() => listener.shutdown('Too many messages per second'));
  }
}
