import { textFrame } from './frame.js';
import type { Ref, Vsn } from './message.js';

/** Answer to a request. `response` is any JSON value. */
export function replyFrame(
  vsn: Vsn,
  joinRef: Ref,
  ref: Ref,
  topic: string,
  status: 'ok' | 'error',
  response: unknown,
): Buffer {
  return message(vsn, joinRef, ref, topic, 'phx_reply', JSON.stringify({ status, response }));
}

/** Something a channel itself tells its client. */
export function pushFrame(vsn: Vsn, joinRef: Ref, topic: string, event: string, payload: unknown): Buffer {
  return message(vsn, joinRef, null, topic, event, JSON.stringify(payload));
}

/** As pushFrame, with a payload that is JSON text already. */
export function pushJsonFrame(vsn: Vsn, joinRef: Ref, topic: string, event: string, json: string): Buffer {
  return message(vsn, joinRef, null, topic, event, json);
}

/** The end of a channel: the join's ref stands in both places. */
export function endFrame(vsn: Vsn, joinRef: Ref, topic: string, event: 'phx_close' | 'phx_error'): Buffer {
  return message(vsn, joinRef, joinRef, topic, event, '{}');
}

function message(vsn: Vsn, joinRef: Ref, ref: Ref, topic: string, event: string, json: string): Buffer {
  const name = JSON.stringify(topic);
  if (vsn === 1) {
    return textFrame(`{"topic":${name},"event":"${event}","payload":${json},"ref":${JSON.stringify(ref)}}`);
  }
  return textFrame(`[${JSON.stringify(joinRef)},${JSON.stringify(ref)},${name},"${event}",${json}]`);
}
