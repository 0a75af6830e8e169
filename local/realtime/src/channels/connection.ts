import type { Vsn } from '../wire/message.js';

/** What a channel needs of the socket it lives on. */
export interface Connection {
  readonly vsn: Vsn;
  /** The key the socket was opened with, a JWT. */
  readonly token: string;
  /** `x-*` headers of the upgrade, for policies. */
  readonly headers: Record<string, string>;
  /** How many channels it has. */
  readonly channelCount: number;
  /** Writes one frame; frames keep their order. */
  send(frame: Buffer): void;
  /** Forgets a channel that has ended. */
  release(channel: { readonly wireTopic: string }): void;
}
