import { PolicyError } from '../authorization/policies.js';
import type { Channel } from '../channels/channel.js';
import { TextMessage } from '../wire/fanned.js';
import type { Inbound } from '../wire/message.js';

const TOO_MANY = 'Too many presence messages per second';

/** Shows a channel who is there, when it may see that. */
export function pushPresenceState(channel: Channel): void {
  if (channel.topic === null || !channel.hearsPresence) return;
  if (countEvent(channel)) channel.pushJson('presence_state', channel.topic.presence.state());
  else channel.shutdown(TOO_MANY);
}

/** Takes a channel's entry away and tells the others. */
export function forgetPresence(channel: Channel): void {
  const diff = channel.topic?.presence.untrack(channel) ?? null;
  if (diff !== null) sendDiff(channel, diff);
}

/** `track` and `untrack`. */
export function handlePresence(channel: Channel, message: Inbound): void | Promise<void> {
  const event = (message.payload as { event?: unknown } | null)?.event;
  if (event === undefined) return channel.reply(message, 'ok');
  if (typeof event !== 'string') throw new TypeError('the event of a presence message must be a string');
  if (!countCall(channel)) {
    channel.project.breaches.warn(channel.topicName, 'ClientPresenceRateLimitReached');
    return channel.shutdown('Client presence rate limit exceeded');
  }
  switch (event.toLowerCase()) {
    case 'track':
      return authorizeAndTrack(channel, message);
    case 'untrack':
      forgetPresence(channel);
      return channel.reply(message, 'ok');
    default:
      channel.project.log.warn({ topic: channel.topicName, event }, 'UnknownPresenceEvent');
      return channel.reply(message, 'error');
  }
}

function authorizeAndTrack(channel: Channel, message: Inbound): void | Promise<void> {
  if (!channel.isPrivate || channel.policies.presence.write === true) return track(channel, message);
  if (channel.policies.presence.write === false) return channel.reply(message, 'error');
  return authorize(channel).then((allowed) => {
    if (channel.ended) return;
    if (allowed) track(channel, message);
    else channel.reply(message, 'error');
  });
}

/** Tracking enables presence, so the right to see it is asked for as well when the join left it open. */
async function authorize(channel: Channel): Promise<boolean> {
  const { probes, log } = channel.project;
  try {
    let policies = channel.policies;
    if (policies.presence.read === null) {
      policies = await probes.read(policies, channel.authorization, ['broadcast', 'presence']);
    }
    channel.policies = await probes.write(policies, channel.authorization);
    return channel.policies.presence.write === true;
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    log.error({ topic: channel.topicName, fault: error.fault, err: error }, 'UnableToHandlePresence');
    return false;
  }
}

function track(channel: Channel, message: Inbound): void {
  const { project, topic } = channel;
  if (topic === null) return;
  const payload = (message.payload as { payload?: unknown }).payload ?? {};
  if (typeof payload !== 'object' || Array.isArray(payload)) {
    channel.reply(message, 'error', { reason: 'Presence track payload must be a map' });
    return;
  }
  const json = JSON.stringify(payload);
  if (topic.presence.tracks(channel, json)) {
    channel.reply(message, 'ok');
  } else if (!project.payloads.fitsJson(payload, json.length)) {
    channel.shutdown('Track message size exceeded');
  } else if (!countEvent(channel)) {
    channel.shutdown(TOO_MANY);
  } else {
    channel.presenceEnabled = true;
    const diff = topic.presence.track(channel, channel.request.presenceKey, json);
    channel.reply(message, 'ok');
    sendDiff(channel, diff);
  }
}

function sendDiff(channel: Channel, diff: string): void {
  const { topic, project } = channel;
  if (topic === null) return;
  const message = new TextMessage(channel.wireTopic, 'presence_diff', diff);
  let delivered = 0;
  for (const listener of topic.channels) {
    if (!listener.hearsPresence) continue;
    const frame = message.frame(listener.connection.vsn);
    listener.connection.send(frame as Buffer);
    delivered++;
  }
  project.presenceMessages.add(delivered);
}

/** One presence event of the whole project; false when there are too many. */
function countEvent(channel: Channel): boolean {
  const { presenceMessages, settings, breaches } = channel.project;
  if (presenceMessages.average > settings.limits.presenceMessagesPerSecond) {
    breaches.warn(channel.topicName, 'PresenceRateLimitReached', { average: presenceMessages.average });
    return false;
  }
  presenceMessages.add();
  return true;
}

/** One call of this client; false when its window is used up. */
function countCall(channel: Channel): boolean {
  const { limits } = channel.project.settings;
  const now = channel.project.clock.now();
  const calls = channel.presenceCalls;
  if (calls.count === 0 || now > calls.windowEndsAt) {
    channel.presenceCalls = { count: 1, windowEndsAt: now + limits.presenceWindowMs };
    return true;
  }
  calls.count++;
  return calls.count <= limits.presenceCallsPerWindow;
}
