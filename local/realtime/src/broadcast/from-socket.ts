import { PolicyError } from '../authorization/policies.js';
import type { Probes } from '../authorization/probes.js';
import type { Channel } from '../channels/channel.js';
import type { Breaches } from '../limits/breaches.js';
import { type PayloadLimit, userBroadcastTermSize } from '../limits/payload-size.js';
import type { RateWindow } from '../limits/rate-window.js';
import type { RealtimeLog } from '../options.js';
import { rawPayload } from '../wire/decode.js';
import { BinaryBroadcast, type Fanned, TextMessage, UserBroadcast } from '../wire/fanned.js';
import type { Inbound } from '../wire/message.js';
import { fanOut } from './fan-out.js';

/** What broadcasts of clients need of the server. */
interface Services {
  readonly probes: Probes;
  readonly payloads: PayloadLimit;
  readonly messages: RateWindow;
  readonly breaches: Breaches;
  readonly log: RealtimeLog;
}

/** A client broadcasts. Without the right to it nothing happens, and no answer is given either. */
export function broadcastFromSocket(services: Services, channel: Channel, message: Inbound): void | Promise<void> {
  if (!channel.isPrivate || channel.policies.broadcast.write === true) return accept(services, channel, message);
  if (channel.policies.broadcast.write === null) return authorizeAndAccept(services, channel, message);
}

async function authorizeAndAccept(services: Services, channel: Channel, message: Inbound): Promise<void> {
  const { probes, log } = services;
  try {
    channel.allow(await probes.write(channel.policies, channel.authorization));
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    log.error({ topic: channel.topicName, fault: error.fault, err: error }, 'the broadcast was not decided on');
    return;
  }
  if (channel.ended) return;
  if (channel.policies.broadcast.write === true) accept(services, channel, message);
  else log.warn({ topic: channel.topicName }, 'dropping broadcasts of a client that may not write');
}

function accept({ payloads, messages, breaches }: Services, channel: Channel, message: Inbound): void {
  const { request } = channel;
  messages.add();
  const { fanned, fits } = read(payloads, channel, message);
  if (fits) fanOut(messages, channel.topic ?? undefined, fanned, request.self ? null : channel);
  else breaches.warn(channel.topicName, 'payload_size_exceeded');
  if (!request.ack || channel.ended) return;
  if (fits) channel.reply(message, 'ok');
  else channel.reply(message, 'error', 'payload_size_exceeded');
}

function read(payloads: PayloadLimit, channel: Channel, message: Inbound): { fanned: Fanned; fits: boolean } {
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
