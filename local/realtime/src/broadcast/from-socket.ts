import { PolicyError } from '../authorization/policies.js';
import type { Channel } from '../channels/channel.js';
import { userBroadcastTermSize } from '../limits/payload-size.js';
import { rawPayload } from '../wire/decode.js';
import { BinaryBroadcast, type Fanned, TextMessage, UserBroadcast } from '../wire/fanned.js';
import type { Inbound } from '../wire/message.js';
import { fanOut } from './fan-out.js';

/** A client broadcasts. Without the right to it nothing happens, and no answer is given either. */
export function broadcastFromSocket(channel: Channel, message: Inbound): void | Promise<void> {
  if (!channel.isPrivate || channel.policies.broadcast.write === true) return accept(channel, message);
  if (channel.policies.broadcast.write === null) return authorizeAndAccept(channel, message);
}

async function authorizeAndAccept(channel: Channel, message: Inbound): Promise<void> {
  const { project } = channel;
  try {
    const answer = await project.probes.write(channel.policies, channel.authorization);
    channel.policies = answer;
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    project.log.error({ topic: channel.topicName, fault: error.fault, err: error }, 'the broadcast was not decided on');
    return;
  }
  if (channel.ended) return;
  if (channel.policies.broadcast.write === true) accept(channel, message);
  else project.log.warn({ topic: channel.topicName }, 'dropping broadcasts of a client that may not write');
}

function accept(channel: Channel, message: Inbound): void {
  const { project, request } = channel;
  project.messages.add();
  const { fanned, fits } = read(channel, message);
  if (fits) {
    fanOut(project, channel.topic ?? undefined, fanned, request.self ? null : channel);
  } else {
    project.breaches.warn(channel.topicName, 'payload_size_exceeded');
  }
  if (!request.ack || channel.ended) return;
  if (fits) channel.reply(message, 'ok');
  else channel.reply(message, 'error', 'payload_size_exceeded');
}

function read(channel: Channel, message: Inbound): { fanned: Fanned; fits: boolean } {
  const { payloads } = channel.project;
  const { push, binary, payload, text } = message;
  if (push !== undefined) {
    const size = userBroadcastTermSize(Buffer.byteLength(push.event), push.body.length);
    return { fanned: new UserBroadcast(channel.wireTopic, push), fits: payloads.fits(size) };
  }
  if (binary !== undefined) {
    return { fanned: new BinaryBroadcast(channel.wireTopic, binary), fits: payloads.fits(binary.length) };
  }
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new TypeError('the payload of a broadcast must be an object');
  }
  const json = text === undefined ? JSON.stringify(payload) : rawPayload(channel.connection.vsn, text);
  return {
    fanned: new TextMessage(channel.wireTopic, 'broadcast', json, metaId(payload)),
    fits: payloads.fitsJson(payload, json.length),
  };
}

function metaId(payload: object): string | null {
  const id = (payload as { meta?: { id?: unknown } | null }).meta?.id;
  return typeof id === 'string' ? id : null;
}
