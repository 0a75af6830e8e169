import { PolicyError } from '../authorization/policies.js';
import { TokenRefused } from '../authorization/token.js';

/** A join that is not granted; `reason` is what the client reads. */
export class Refusal extends Error {
  override name = 'Refusal';

  constructor(
    readonly reason: string,
    /** The whole socket is closed after the answer. */
    readonly disconnects = false,
  ) {
    super(reason);
  }
}

/** Puts whatever stopped a join into the words of the real server. */
export function refusalOf(error: unknown, topic: string): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof TokenRefused) return new Refusal(tokenReason(error));
  if (error instanceof PolicyError) return new Refusal(policyReason(error, topic));
  return new Refusal(`UnknownErrorOnChannel: ${error instanceof Error ? error.message : String(error)}`);
}

/** The text for a channel that no policy lets its client read. */
export function cannotRead(topic: string): string {
  return `You do not have permissions to read from this Channel topic: ${topic}`;
}

export const databaseUnreachable = 'Realtime was unable to connect to the project database';
export const partitionMissing = 'Realtime was unable to find the expected messages partition';

function tokenReason(error: TokenRefused): string {
  switch (error.fault) {
    case 'expired':
    case 'missing-claims':
      return `InvalidJWTToken: ${error.message}`;
    case 'malformed':
      return `MalformedJWT: ${error.message}`;
    case 'signature':
      return `JwtSignatureError: ${error.message}`;
    case 'signer':
      return `JwtSignerError: ${error.message}`;
    case 'invalid':
      return 'Unknown Error on Channel';
  }
}

function policyReason(error: PolicyError, topic: string): string {
  switch (error.fault) {
    case 'policy':
      return `Unauthorized: ${cannotRead(topic)}`;
    case 'partition':
      return `MissingPartition: ${partitionMissing}`;
    case 'cancelled':
      return `QueryCanceled: ${error.message}`;
    case 'pool':
      return 'IncreaseConnectionPool: Please increase your connection pool size';
    case 'unavailable':
      return `UnableToConnectToProject: ${databaseUnreachable}`;
  }
}
