/** Protocol version of a socket: 1.0.0 or 2.0.0. */
export type Vsn = 1 | 2;

/** The client's name for a request or a join; the official client uses strings. */
export type Ref = string | number | null;

/** A broadcast whose body the server passes on without looking into it. */
export interface UserPush {
  event: string;
  encoding: 'json' | 'binary';
  body: Buffer;
}

/** One message from a client. */
export interface Inbound {
  joinRef: Ref;
  ref: Ref;
  /** Wire topic, i.e. with `realtime:` in front. */
  topic: string;
  event: string;
  payload: unknown;
  /** The frame the message came in, when that was text. */
  text?: string;
  /** Set for a binary "user broadcast push" (kind 3). */
  push?: UserPush;
  /** Set for one of Phoenix's own binary pushes (kind 0). */
  binary?: Buffer;
}

/** What the client sent is no message; it is logged and dropped. */
export class MalformedMessage extends Error {
  override name = 'MalformedMessage';
}
