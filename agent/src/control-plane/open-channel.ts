import { type Channel, ReconnectingChannel, type StarkClient } from '@stark-o/core';
import type { AgentLog } from '../ports/agent-log.js';
import { jitteredBackoff } from '../ports/backoff.js';
import type { Clock } from '../ports/clock.js';

export interface OpenChannelOptions {
  client: StarkClient;
  topic: string;
  clock: Clock;
  log: AgentLog;
  config?: object;
  broadcasts?: Readonly<Record<string, (payload: unknown) => void>>;
  /** It is joined, for the first time or again. */
  joined(channel: Channel): void;
  /** It is not joined any more, or could not be. */
  lost(why: string): void;
}

const LONGEST_BACKOFF_MS = 30_000;

/** A channel of this node: it comes back by the agent's clock, and the agent says when Realtime is away for long. */
export function openChannel(options: OpenChannelOptions): ReconnectingChannel {
  const { client, topic, clock, log, config = {}, broadcasts = {}, joined, lost } = options;
  const channel = new ReconnectingChannel(client, topic, {
    config,
    broadcasts,
    onJoined: joined,
    onLost: (reason, status) => {
      log.debug({ topic, status, reason }, 'a channel of this node is not open');
      lost(`channel ${status}`);
    },
    onSystemError: (message) => log.debug({ topic, message }, 'Realtime ends a channel of this node'),
    retryAfterMs: (attempt) => jitteredBackoff(clock, attempt, LONGEST_BACKOFF_MS),
    after: (ms, callback) => clock.after(ms, callback),
  });
  channel.start();
  return channel;
}
