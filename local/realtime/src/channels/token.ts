import { type Policies, PolicyError, unknownPolicies } from '../authorization/policies.js';
import { TokenRefused } from '../authorization/token.js';
import type { Inbound } from '../wire/message.js';
import type { Channel } from './channel.js';
import { isGatewayKey } from './join-request.js';
import { cannotRead, databaseUnreachable } from './refusal.js';

/** However long a token is good for, it is looked at again after this time. */
const CONFIRM_MS = 5 * 60_000;

/** Verifies the channel's token and sets the timer for the next look. Throws TokenRefused. */
export async function verifyToken(channel: Channel): Promise<void> {
  const { project } = channel;
  channel.claims = await project.tokens.verify(channel.token);
  const secondsLeft = channel.claims.exp - Math.floor(project.clock.now() / 1_000);
  channel.watchToken(Math.min(CONFIRM_MS, secondsLeft * 1_000));
}

/** Asks the policies whether the channel may read. Public channels have none to ask. */
export async function readPolicies(channel: Channel): Promise<void> {
  if (!channel.isPrivate) return;
  const extensions = channel.presenceEnabled ? (['broadcast', 'presence'] as const) : (['broadcast'] as const);
  channel.policies = await channel.project.probes.read(unknownPolicies(), channel.authorization, extensions);
}

/** Whether a policy lets the channel read anything at all. */
export function mayReadSomething(channel: Channel): boolean {
  return !channel.isPrivate || channel.policies.broadcast.read === true || channel.policies.presence.read === true;
}

/** The timer's look at the token: its end is the channel's end. */
export async function confirmToken(channel: Channel): Promise<void> {
  try {
    await verifyToken(channel);
  } catch (error) {
    if (!(error instanceof TokenRefused)) throw error;
    channel.shutdown(error.message);
  }
}

/** A client hands in a new token. */
export async function refreshToken(channel: Channel, message: Inbound): Promise<void> {
  const token = (message.payload as { access_token?: unknown } | null)?.access_token;
  if (typeof token !== 'string' || isGatewayKey(token) || token === channel.token) return;

  const before = channel.policies;
  channel.token = token;
  try {
    await verifyToken(channel);
    if (!(await channel.project.connected())) return channel.shutdown(databaseUnreachable);
    await readPolicies(channel);
  } catch (error) {
    return channel.shutdown(shutdownReason(error, channel.topicName));
  }
  if (channel.ended) return;
  if (!mayReadSomething(channel)) return channel.shutdown(cannotRead(channel.topicName));
  if (channel.isPrivate && isRevoked(before, channel.policies)) {
    return channel.shutdown(`You no longer have permission to read from this Channel topic: ${channel.topicName}`);
  }
  channel.project.changes.claimsChanged(channel);
}

function isRevoked(before: Policies, after: Policies): boolean {
  return (['broadcast', 'presence'] as const).some((name) => before[name].read === true && after[name].read === false);
}

function shutdownReason(error: unknown, topic: string): string {
  if (error instanceof TokenRefused) return error.message;
  if (!(error instanceof PolicyError)) throw error;
  switch (error.fault) {
    case 'policy':
      return cannotRead(topic);
    case 'cancelled':
      return 'Query was cancelled, please try again';
    default:
      return databaseUnreachable;
  }
}
