import { type Inbound, MalformedMessage, type Ref, type Vsn } from './message.js';
import { rawElement, rawMember } from './raw-json.js';

const PUSH = 0;
const USER_BROADCAST_PUSH = 3;

/** Reads one frame from a client. Throws MalformedMessage for whatever is none. */
export function decode(vsn: Vsn, data: Buffer, isBinary: boolean): Inbound {
  if (isBinary) {
    if (vsn === 1) throw new MalformedMessage('binary frames need vsn 2.0.0');
    return decodeBinary(data);
  }
  const text = data.toString('utf8');
  const value = parse(text);
  return { ...(vsn === 1 ? fromObject(value) : fromArray(value)), text };
}

/** The payload of a text message as its client wrote it. */
export function rawPayload(vsn: Vsn, text: string): string {
  return vsn === 1 ? (rawMember(text, 'payload') as string) : rawElement(text, 4);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MalformedMessage('not JSON', { cause: error });
  }
}

function fromObject(value: unknown): Inbound {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MalformedMessage('expected an object');
  }
  for (const key of ['topic', 'event', 'payload', 'ref']) {
    if (!Object.hasOwn(value, key)) throw new MalformedMessage(`missing key "${key}"`);
  }
  const message = value as Record<string, unknown>;
  return checked(message.join_ref ?? null, message.ref, message.topic, message.event, message.payload);
}

function fromArray(value: unknown): Inbound {
  if (!Array.isArray(value) || value.length < 5) throw new MalformedMessage('expected an array of five');
  return checked(value[0], value[1], value[2], value[3], value[4]);
}

function checked(joinRef: unknown, ref: unknown, topic: unknown, event: unknown, payload: unknown): Inbound {
  if (typeof topic !== 'string') throw new MalformedMessage('topic is not a string');
  if (typeof event !== 'string') throw new MalformedMessage('event is not a string');
  return { joinRef: asRef(joinRef), ref: asRef(ref), topic, event, payload };
}

function asRef(value: unknown): Ref {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  throw new MalformedMessage('a ref is a string or null');
}

function decodeBinary(data: Buffer): Inbound {
  switch (data[0]) {
    case PUSH:
      return decodePush(data);
    case USER_BROADCAST_PUSH:
      return decodeUserBroadcastPush(data);
    default:
      throw new MalformedMessage(`unknown kind ${data[0]}`);
  }
}

/** Reads the strings whose one-byte lengths stand at the beginning of a binary frame. */
class Fields {
  #sizeAt = 1;
  #at: number;

  constructor(
    readonly data: Buffer,
    header: number,
  ) {
    if (data.length < header) throw new MalformedMessage('binary header is cut short');
    this.#at = header;
  }

  next(): string {
    const end = this.#at + (this.data[this.#sizeAt++] as number);
    if (end > this.data.length) throw new MalformedMessage('binary frame is cut short');
    const text = this.data.toString('utf8', this.#at, end);
    this.#at = end;
    return text;
  }

  rest(): Buffer {
    return this.data.subarray(this.#at);
  }
}

function decodePush(data: Buffer): Inbound {
  const fields = new Fields(data, 5);
  const joinRef = fields.next();
  const ref = fields.next();
  const topic = fields.next();
  const event = fields.next();
  return { joinRef, ref, topic, event, payload: null, binary: fields.rest() };
}

function decodeUserBroadcastPush(data: Buffer): Inbound {
  const fields = new Fields(data, 7);
  const joinRef = fields.next();
  const ref = fields.next();
  const topic = fields.next();
  const event = fields.next();
  const metadata = fields.next();
  // The metadata goes no further, but one that is not JSON spoils the message.
  if (metadata !== '') parse(metadata);
  const encoding = data[6] === 0 ? 'binary' : 'json';
  return {
    joinRef,
    ref,
    topic,
    event: 'broadcast',
    payload: null,
    push: { event, encoding, body: fields.rest() },
  };
}
