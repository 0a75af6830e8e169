import { pushJsonFrame } from './encode.js';
import { binaryFrame } from './frame.js';
import type { UserPush, Vsn } from './message.js';

const BROADCAST = 2;
const USER_BROADCAST = 4;
const MAX_FIELD = 255;

/** A message that goes to many sockets. Each form of it is encoded once, when the first socket asks for it. */
export interface Fanned {
  /** Row or message id, for leaving out what was replayed already. */
  readonly id: string | null;
  /** Whether it is a broadcast, i.e. subject to the right to read broadcasts. */
  readonly isBroadcast: boolean;
  /** The frame for a socket of this version; null when the version cannot show it. */
  frame(vsn: Vsn): Buffer | null;
}

/** A name in a binary header is longer than the 255 bytes it can have; nobody gets such a message. */
export class FieldTooLong extends Error {
  override name = 'FieldTooLong';
}

abstract class Cached implements Fanned {
  abstract readonly id: string | null;
  abstract readonly isBroadcast: boolean;
  #one: Buffer | null | undefined;
  #two: Buffer | null | undefined;

  frame(vsn: Vsn): Buffer | null {
    if (vsn === 2) {
      if (this.#two === undefined) this.#two = this.encode(2);
      return this.#two;
    }
    if (this.#one === undefined) this.#one = this.encode(1);
    return this.#one;
  }

  protected abstract encode(vsn: Vsn): Buffer | null;
}

/** A text message: a broadcast sent as text, a presence diff, a row that changed. */
export class TextMessage extends Cached {
  readonly isBroadcast: boolean;

  constructor(
    readonly topic: string,
    readonly event: string,
    readonly json: string,
    readonly id: string | null = null,
  ) {
    super();
    this.isBroadcast = event === 'broadcast';
  }

  protected encode(vsn: Vsn): Buffer {
    return pushJsonFrame(vsn, null, this.topic, this.event, this.json);
  }
}

/** A broadcast whose body is passed on as it came: kind 4 for vsn 2, text for vsn 1 when the body is JSON. */
export class UserBroadcast extends Cached {
  readonly isBroadcast = true;

  constructor(
    readonly topic: string,
    readonly push: UserPush,
    readonly id: string | null = null,
    readonly meta: object | null = id === null ? null : { id },
  ) {
    super();
  }

  protected encode(vsn: Vsn): Buffer | null {
    if (vsn === 1) return this.push.encoding === 'json' ? this.#text() : null;
    const topic = field('topic', this.topic);
    const event = field('event', this.push.event);
    const meta = field('metadata', this.meta === null ? '' : JSON.stringify(this.meta));
    const encoding = this.push.encoding === 'json' ? 1 : 0;
    const header = Buffer.from([USER_BROADCAST, topic.length, event.length, meta.length, encoding]);
    return binaryFrame([header, topic, event, meta, this.push.body]);
  }

  #text(): Buffer {
    const meta = this.meta === null ? '' : `,"meta":${JSON.stringify(this.meta)}`;
    const body = this.push.body.toString('utf8');
    const json = `{"type":"broadcast","event":${JSON.stringify(this.push.event)},"payload":${body}${meta}}`;
    return pushJsonFrame(1, null, this.topic, 'broadcast', json);
  }
}

/** Phoenix's own binary broadcast (kind 2), what a kind 0 push becomes. */
export class BinaryBroadcast extends Cached {
  readonly id = null;
  readonly isBroadcast = true;

  constructor(
    readonly topic: string,
    readonly body: Buffer,
  ) {
    super();
  }

  protected encode(vsn: Vsn): Buffer | null {
    if (vsn === 1) return null;
    const topic = field('topic', this.topic);
    const event = Buffer.from('broadcast');
    return binaryFrame([Buffer.from([BROADCAST, topic.length, event.length]), topic, event, this.body]);
  }
}

function field(name: string, value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length > MAX_FIELD) throw new FieldTooLong(`${name} has ${bytes.length} bytes, more than ${MAX_FIELD}`);
  return bytes;
}
