import type { ChangeMessage } from '../database/feed.js';
import type { Breaches } from '../limits/breaches.js';
import { bytesTermSize, type PayloadLimit } from '../limits/payload-size.js';
import type { RateWindow } from '../limits/rate-window.js';
import { UserBroadcast } from '../wire/fanned.js';
import type { UserPush } from '../wire/message.js';
import { fanOut } from './fan-out.js';
import type { Topics } from './topics.js';

/** What broadcasts of the database need of the server. */
interface Services {
  readonly topics: Topics;
  readonly payloads: PayloadLimit;
  readonly messages: RateWindow;
  readonly breaches: Breaches;
}

/** A row of realtime.messages as the feed shows it: every value as text. */
interface MessageRow {
  id: string;
  topic: string;
  event: string | null;
  private: string | null;
  payload: string | null;
  binary_payload: string | null;
}

/** Broadcasts a row that was inserted into realtime.messages. */
export function broadcastFromDatabase(services: Services, change: ChangeMessage): void {
  const { topics, payloads, messages, breaches } = services;
  if (change.tag !== 'insert' || change.relation.schema !== 'realtime') return;
  const row = change.new as MessageRow;
  if (row.event === null || row.private === null) return;
  const push = pushOf(row, row.event);
  if (push === null) return;

  if (!payloads.fits(bytesTermSize(push.body.length))) {
    breaches.warn(row.topic, 'payload_size_exceeded by a database broadcast', { id: row.id });
    return;
  }
  if (messages.triggered) {
    breaches.warn(row.topic, 'MessagePerSecondRateLimitReached: dropped a database broadcast', { id: row.id });
    return;
  }
  messages.add();
  const topic = topics.find(row.topic, row.private === 't');
  fanOut(messages, topic, new UserBroadcast(`realtime:${row.topic}`, push, row.id));
}

/** Bytes from the text form of a bytea. */
export function parseBytea(text: string): Buffer {
  return Buffer.from(text.slice(2), 'hex');
}

function pushOf(row: MessageRow, event: string): UserPush | null {
  if (row.binary_payload !== null) return { event, encoding: 'binary', body: parseBytea(row.binary_payload) };
  if (row.payload !== null) return { event, encoding: 'json', body: Buffer.from(row.payload) };
  return null;
}
