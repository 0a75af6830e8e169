import { v1 as timeUuid } from 'uuid';

/** What a client asks for when it joins; missing and invalid parts have their defaults. */
export interface JoinRequest {
  ack: boolean;
  self: boolean;
  /** As sent, to be judged after the policies; undefined when not asked for. */
  replay: unknown;
  replicationReady: boolean;
  presenceKey: string;
  presenceEnabled: boolean;
  isPrivate: boolean;
  /** As sent, since the answer echoes them; null for a join without `config`. */
  postgresChanges: Record<string, unknown>[] | null;
  /** Null: the socket's own key holds for this channel. */
  token: string | null;
}

/** Reads the payload of `phx_join`. Never refuses: what is not valid is left out. */
export function readJoin(payload: unknown): JoinRequest {
  const join = asMap(payload);
  const config = asMap(join.config);
  const broadcast = asMap(config.broadcast);
  const presence = asMap(config.presence);
  return {
    ack: flag(broadcast.ack),
    self: flag(broadcast.self),
    replay: broadcast.replay,
    replicationReady: flag(broadcast.replication_ready),
    presenceKey: keyOf(presence.key),
    presenceEnabled: flag(presence.enabled),
    isPrivate: flag(config.private),
    postgresChanges: 'config' in join ? changesOf(config.postgres_changes) : null,
    token: tokenOf(join),
  };
}

/** Tokens of the gateway's own kind say "use the socket's". */
export function isGatewayKey(token: string): boolean {
  return token.startsWith('sb_');
}

function tokenOf(join: Record<string, unknown>): string | null {
  const first = join.access_token ?? join.user_token;
  if (typeof first === 'string' && isGatewayKey(first)) return null;
  if (typeof join.user_token === 'string') return join.user_token;
  return typeof join.access_token === 'string' ? join.access_token : null;
}

function changesOf(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item) => typeof item === 'object' && item !== null && !Array.isArray(item));
}

function keyOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return timeUuid();
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function flag(value: unknown): boolean {
  return typeof value === 'string' ? value.toLowerCase() === 'true' : value === true;
}

function asMap(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
