import type { PodLogLine } from '@stark-o/core';
import { storable } from './describe-value.js';
import { LOG_LEVELS, type LogRecord } from './protocol.js';

/** A captured line before it has its number. */
export type CapturedLine = Omit<PodLogLine, 'pod_id' | 'seq' | 'time' | 'run'>;

const LONGEST_MESSAGE = 12_000;
const LONGEST_RECORD = 16_000;

/** The record as text that fits into one log line. */
export function recordText(record: LogRecord): string {
  const { level } = record;
  const message =
    record.message.length > LONGEST_MESSAGE ? `${record.message.slice(0, LONGEST_MESSAGE)}…` : record.message;
  let text = JSON.stringify({ level, message, fields: storable(record.fields) });
  if (text.length > LONGEST_RECORD) text = JSON.stringify({ level, message, fields: { omitted: true } });
  return text;
}

/** The line that a record becomes; undefined for text that is none, since the pack could have made it itself. */
export function lineOf(text: string): CapturedLine | undefined {
  if (text.length > LONGEST_RECORD * 8) return undefined; // Escaped, it may be longer than it is.
  try {
    const { level, message, fields } = JSON.parse(text) as LogRecord;
    if (typeof message !== 'string' || !LOG_LEVELS.includes(level)) return undefined;
    // Lines have no column of their own for fields.
    return {
      stream: 'stdout',
      level,
      message: fields === undefined ? message : `${message} ${JSON.stringify(fields)}`,
    };
  } catch {
    return undefined;
  }
}
