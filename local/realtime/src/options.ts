import type { JSONWebKeySet } from 'jose';
import { type Clock, systemClock } from './clock.js';
import { type Limits, limitsOf, type Plan } from './limits/plans.js';

/** The part of a pino logger that the server uses. */
export interface RealtimeLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface RealtimeOptions {
  /** A role that owns or bypasses everything and may replicate: `supabase_admin` on the local stack. */
  databaseUrl: string;
  /** The project's secret for HS256, HS384 and HS512 tokens. */
  jwtSecret: string;
  /** Public keys for tokens that are signed asymmetrically, or `oct` keys by `kid`. */
  jwks?: JSONWebKeySet;
  /** Which column of the limits table applies; default `self-hosted`. */
  plan?: Plan;
  /** Limits that differ from the plan's. */
  limits?: Partial<Limits>;
  /** How long a refused upgrade waits for its answer; default 2,000 ms, as in production. */
  connectErrorBackoffMs?: number;
  /** How long a refused join waits for its answer; default 5,000 ms, as in production. */
  channelErrorBackoffMs?: number;
  /** Refuse public channels, as the project setting of that name does. */
  privateOnly?: boolean;
  /** Connections for authorization, replay and schema work; default 5. */
  poolSize?: number;
  /** Bytes a slow client may leave unread before it is cut off; default 50 MB. */
  maxBufferedBytes?: number;
  log?: RealtimeLog;
  clock?: Clock;
}

/** Options with every default filled in. */
export interface Settings {
  databaseUrl: string;
  jwtSecret: string;
  jwks: JSONWebKeySet | null;
  limits: Limits;
  connectErrorBackoffMs: number;
  channelErrorBackoffMs: number;
  privateOnly: boolean;
  poolSize: number;
  maxBufferedBytes: number;
  log: RealtimeLog;
  clock: Clock;
}

const silent: RealtimeLog = { debug() {}, info() {}, warn() {}, error() {} };

/** Fills in the defaults. */
export function settingsOf(options: RealtimeOptions): Settings {
  return {
    databaseUrl: options.databaseUrl,
    jwtSecret: options.jwtSecret,
    jwks: options.jwks ?? null,
    limits: limitsOf(options.plan ?? 'self-hosted', options.limits),
    connectErrorBackoffMs: options.connectErrorBackoffMs ?? 2_000,
    channelErrorBackoffMs: options.channelErrorBackoffMs ?? 5_000,
    privateOnly: options.privateOnly ?? false,
    poolSize: options.poolSize ?? 5,
    maxBufferedBytes: options.maxBufferedBytes ?? 50_000_000,
    log: options.log ?? silent,
    clock: options.clock ?? systemClock,
  };
}
