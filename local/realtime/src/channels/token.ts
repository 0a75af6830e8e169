import { type Policies, PolicyError, unknownPolicies } from '../authorization/policies.js';
import type { Probes } from '../authorization/probes.js';
import { TokenRefused, type TokenVerifier } from '../authorization/token.js';
import type { Clock } from '../clock.js';
import type { Inbound } from '../wire/message.js';
import type { Channel } from './channel.js';
import { cannotRead, databaseUnreachable } from './refusal.js';

/** However long a token is good for, it is verified again after this time. */
const CONFIRM_MS = 5 * 60_000;

/** What tokens of channels need of the server. */
interface Services {
  readonly tokens: TokenVerifier;
  readonly probes: Probes;
  readonly clock: Clock;
  /** Waits for the database; false when there is none. */
  connected(): Promise<boolean>;
  readonly changes: { claimsChanged(channel: Channel): void };
}

/** Verifies the channel's token, and again before it ends. Throws TokenRefused. */
export async function verifyToken(services: Services, channel: Channel): Promise<void> {
  const claims = await services.tokens.verify(channel.token);
  channel.identify(claims);
  const secondsLeft = claims.exp - Math.floor(services.clock.now() / 1_000);
  channel.later('token', Math.min(CONFIRM_MS, secondsLeft * 1_000), () => confirmToken(services, channel));
}

/** Asks the policies whether the channel may read. Public channels have none to ask. */
export async function readPolicies({ probes }: { probes: Probes }, channel: Channel): Promise<void> {
  if (!channel.isPrivate) return;
  const extensions = channel.presenceEnabled ? (['broadcast', 'presence'] as const) : (['broadcast'] as const);
  channel.allow(await probes.read(unknownPolicies(), channel.authorization, extensions));
}

/** Whether a policy lets the channel read anything at all. */
export function mayReadSomething(channel: Channel): boolean {
  return !channel.isPrivate || channel.policies.broadcast.read === true || channel.policies.presence.read === true;
}

/** The timer's check of the token: its end is the channel's end. */
async function confirmToken(services: Services, channel: Channel): Promise<void> {
  try {
    await verifyToken(services, channel);
  } catch (error) {
    if (!(error instanceof TokenRefused)) throw error;
    channel.shutdown(error.message);
  }
}

/** A client hands in a new token. */
export async function refreshToken(services: Services, channel: Channel, message: Inbound): Promise<void> {
  const before = channel.policies;
  if (!channel.takeToken((message.payload as { access_token?: unknown } | null)?.access_token)) return;
  try {
    await verifyToken(services, channel);
    if (!(await services.connected())) return channel.shutdown(databaseUnreachable);
    await readPolicies(services, channel);
  } catch (error) {
    return channel.shutdown(shutdownReason(error, channel.topicName));
  }
  if (channel.ended) return;
  if (!mayReadSomething(channel)) return channel.shutdown(cannotRead(channel.topicName));
  if (channel.isPrivate && isRevoked(before, channel.policies)) {
    return channel.shutdown(`You no longer have permission to read from this Channel topic: ${channel.topicName}`);
  }
  services.changes.claimsChanged(channel);
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
