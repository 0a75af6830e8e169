import { PolicyError } from '../authorization/policies.js';
import type { Probes } from '../authorization/probes.js';
import type { Channel } from '../channels/channel.js';
import type { Breaches } from '../limits/breaches.js';
import type { PayloadLimit } from '../limits/payload-size.js';
import type { RateWindow } from '../limits/rate-window.js';
import type { RealtimeLog, Settings } from '../options.js';
import { TextMessage } from '../wire/fanned.js';
import type { Inbound } from '../wire/message.js';

const TOO_MANY = 'Too many presence messages per second';

/** What presence needs of the server. */
interface Services {
  readonly probes: Probes;
  readonly payloads: PayloadLimit;
  readonly presenceMessages: RateWindow;
  readonly breaches: Breaches;
  readonly settings: Settings;
  readonly log: RealtimeLog;
}

/** Shows a channel who is there, when it may see that. */
export function pushPresenceState(services: Services, channel: Channel): void {
  if (channel.topic === null || !channel.hearsPresence) return;
  if (countEvent(services, channel)) channel.pushJson('presence_state', channel.topic.presence.state());
  else channel.shutdown(TOO_MANY);
}

/** Takes a channel's entry away and tells the others. */
export function forgetPresence(services: Services, channel: Channel): void {
  const diff = channel.topic?.presence.untrack(channel) ?? null;
  if (diff !== null) sendDiff(services, channel, diff);
}

/** `track` and `untrack`. */
export function handlePresence(services: Services, channel: Channel, message: Inbound): void | Promise<void> {
  const event = (message.payload as { event?: unknown } | null)?.event;
  if (event === undefined) return channel.reply(message, 'ok');
  if (typeof event !== 'string') throw new TypeError('the event of a presence message must be a string');
  const { presenceCallsPerWindow, presenceWindowMs } = services.settings.limits;
  if (!channel.countPresenceCall(presenceCallsPerWindow, presenceWindowMs)) {
    services.breaches.warn(channel.topicName, 'ClientPresenceRateLimitReached');
    return channel.shutdown('Client presence rate limit exceeded');
  }
  switch (event.toLowerCase()) {
    case 'track':
      return authorizeAndTrack(services, channel, message);
    case 'untrack':
      forgetPresence(services, channel);
      return channel.reply(message, 'ok');
    default:
      services.log.warn({ topic: channel.topicName, event }, 'UnknownPresenceEvent');
      return channel.reply(message, 'error');
  }
}

function authorizeAndTrack(services: Services, channel: Channel, message: Inbound): void | Promise<void> {
  if (!channel.isPrivate || channel.policies.presence.write === true) return track(services, channel, message);
  if (channel.policies.presence.write === false) return channel.reply(message, 'error');
  return authorize(services, channel).then((allowed) => {
    if (channel.ended) return;
    if (allowed) track(services, channel, message);
    else channel.reply(message, 'error');
  });
}

/** Tracking enables presence, so the right to see it is asked for as well when the join left it open. */
async function authorize({ probes, log }: Services, channel: Channel): Promise<boolean> {
  try {
    let policies = channel.policies;
    if (policies.presence.read === null) {
      policies = await probes.read(policies, channel.authorization, ['broadcast', 'presence']);
    }
    channel.allow(await probes.write(policies, channel.authorization));
    return channel.policies.presence.write === true;
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    log.error({ topic: channel.topicName, fault: error.fault, err: error }, 'UnableToHandlePresence');
    return false;
  }
}

function track(services: Services, channel: Channel, message: Inbound): void {
  const { topic } = channel;
  if (topic === null) return;
  const payload = (message.payload as { payload?: unknown }).payload ?? {};
  if (typeof payload !== 'object' || Array.isArray(payload)) {
    channel.reply(message, 'error', { reason: 'Presence track payload must be a map' });
    return;
  }
  const json = JSON.stringify(payload);
  if (topic.presence.tracks(channel, json)) {
    channel.reply(message, 'ok');
  } else if (!services.payloads.fitsJson(payload, json.length)) {
    channel.shutdown('Track message size exceeded');
  } else if (!countEvent(services, channel)) {
    channel.shutdown(TOO_MANY);
  } else {
    channel.enablePresence();
    const diff = topic.presence.track(channel, channel.request.presenceKey, json);
    channel.reply(message, 'ok');
    sendDiff(services, channel, diff);
  }
}

function sendDiff({ presenceMessages }: Services, channel: Channel, diff: string): void {
  const { topic } = channel;
  if (topic === null) return;
  const message = new TextMessage(channel.wireTopic, 'presence_diff', diff);
  let delivered = 0;
  for (const listener of topic.listeners) {
    if (!listener.hearsPresence) continue;
    const frame = message.frame(listener.connection.vsn);
    listener.connection.send(frame as Buffer);
    delivered++;
  }
  presenceMessages.add(delivered);
}

/** One presence event of the whole project; false when there are too many. */
function countEvent({ presenceMessages, settings, breaches }: Services, channel: Channel): boolean {
  if (presenceMessages.average > settings.limits.presenceMessagesPerSecond) {
    breaches.warn(channel.topicName, 'PresenceRateLimitReached', { average: presenceMessages.average });
    return false;
  }
  presenceMessages.add();
  return true;
}
