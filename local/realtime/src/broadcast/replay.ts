import type { Channel } from '../channels/channel.js';
import { Refusal } from '../channels/refusal.js';
import type { Clock } from '../clock.js';
import type { Database } from '../database/database.js';
import type { RealtimeLog } from '../options.js';
import { pushJsonFrame } from '../wire/encode.js';
import { UserBroadcast } from '../wire/fanned.js';
import { parseBytea } from './from-database.js';

const MAX_MESSAGES = 25;
/** The years that the real server knows, -9999 to 9999. */
const MIN_TIME_MS = -377_705_116_800_000;
const MAX_TIME_MS = 253_402_300_799_999;

/** Clocks may differ; partitions further in the future are empty and need not be opened. */
const CLOCK_DRIFT_MS = 60_000;

/** What a join asks for, as sent. */
interface ReplayRequest {
  since: unknown;
  limit: unknown;
}

/** What replays need of the server. */
interface Services {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: RealtimeLog;
}

interface StoredMessage {
  id: string;
  event: string | null;
  json: string | null;
  bytes: string | null;
}

/** The replay a join asks for, null when it asks for none that can be understood. */
export function readReplay(replay: unknown): ReplayRequest | null {
  if (typeof replay !== 'object' || replay === null || Array.isArray(replay)) return null;
  const { since, limit } = replay as Partial<ReplayRequest>;
  return { since, limit };
}

/** Fetches what the database said on the topic since then, for the channel to send after its join is answered. */
export async function replay(services: Services, channel: Channel, request: ReplayRequest): Promise<void> {
  const since = request.since as number;
  const limit = (request.limit ?? MAX_MESSAGES) as number;
  if (!Number.isInteger(since) || !Number.isInteger(limit) || since < MIN_TIME_MS || since > MAX_TIME_MS) {
    throw new Refusal('UnableToReplayMessages: Replay params are not valid');
  }
  const rows = await fetchMessages(services, channel.topicName, since, Math.max(Math.min(limit, MAX_MESSAGES), 1));
  rows.reverse();
  channel.replay(
    rows.map((row) => row.id),
    rows.flatMap((row) => frameOf(channel, row) ?? []),
  );
}

async function fetchMessages(
  { database, clock, log }: Services,
  topic: string,
  since: number,
  limit: number,
): Promise<StoredMessage[]> {
  const until = clock.now() + CLOCK_DRIFT_MS;
  try {
    return await database.query<StoredMessage & Record<string, unknown>>(
      `select id, event, payload::text as json, binary_payload::text as bytes
         from realtime.messages
        where topic = $1 and private is true and extension = 'broadcast'
          and inserted_at >= $2::timestamp and inserted_at < $3::timestamp
        order by inserted_at desc
        limit $4`,
      [topic, timestamp(since), timestamp(until), limit],
    );
  } catch (error) {
    log.error({ topic, err: error }, 'UnableToReplayMessages');
    throw new Refusal('UnableToReplayMessages: Realtime was unable to replay messages');
  }
}

/** JSON goes out as text, bytes as kind 4, which vsn 1 cannot show. */
function frameOf(channel: Channel, row: StoredMessage): Buffer | null {
  const { vsn } = channel.connection;
  const meta = { replayed: true, id: row.id };
  if (row.bytes !== null) {
    const push = { event: row.event ?? '', encoding: 'binary' as const, body: parseBytea(row.bytes) };
    return new UserBroadcast(channel.wireTopic, push, row.id, meta).frame(vsn);
  }
  const json = `{"type":"broadcast","event":${JSON.stringify(row.event)},"payload":${row.json},"meta":${JSON.stringify(meta)}}`;
  return pushJsonFrame(vsn, channel.joinRef, channel.wireTopic, 'broadcast', json);
}

function timestamp(time: number): string {
  const text = new Date(time).toISOString();
  // Postgres does not read years before Christ in this form, and nobody sent anything then.
  return text.startsWith('-') ? '-infinity' : text.slice(0, -1);
}
