import { describe, expect, it } from 'vitest';
import { readEventBatch, readLogMessage } from '../src/stores/messages.js';

const line = { seq: 2, time: '2026-11-30T10:00:00.123Z', stream: 'stdout', level: 'info', message: 'hello', run: 0 };
const event = { seq: 2, kind: 'pod', type: 'pod.updated', object_id: 'x', object: { name: 'x' } };

/** Values that no field of ours has. */
const strange: unknown[] = [null, true, 'x', 1.5, -7, Number.NaN, 1e300, [], {}, { toString: 1 }, [null]];

describe('a message about lines', () => {
  it('is taken as agents send it', () => {
    const { level: _, run: __, ...bare } = line;
    expect(readLogMessage({ previous_seq: 1, lines: [bare] })?.lines).toEqual([{ ...line, level: null }]);
    expect(readLogMessage({ previous_seq: -1, lines: [], ending: true })).toMatchObject({ lines: [], ending: true });
    expect(readLogMessage({ previous_seq: 1, lines: [{ ...line, level: 'trace' }] })?.lines[0]?.level).toBeNull();
    for (const time of ['2026-11-30T10:00:00+00:00', '2026-11-30 10:00:00.1234+01', line.time]) {
      expect(readLogMessage({ previous_seq: 1, lines: [{ ...line, time }] }), time).toBeDefined();
    }
  });

  it('is dropped whole when any part of it is something else', () => {
    for (const payload of [undefined, ...strange]) expect(readLogMessage(payload)).toBeUndefined();
    for (const value of strange) {
      for (const field of ['previous_seq', 'lines', 'ending'].filter((name) => !(name === 'lines' && isEmpty(value)))) {
        if (field === 'ending' && value === true) continue;
        expect(
          readLogMessage({ previous_seq: 1, lines: [line], [field]: value }),
          `${field} ${JSON.stringify(value)}`,
        ).toBeUndefined();
      }
      for (const field of Object.keys(line)) {
        const free = field === 'message' || field === 'level' ? ['x'] : [];
        if (free.includes(value as string) || (field === 'level' && value === null)) continue;
        const lines = [line, { ...line, seq: 3, [field]: value }];
        expect(readLogMessage({ previous_seq: 1, lines }), `${field} ${String(typeof value)}`).toBeUndefined();
      }
    }
  });

  it('is dropped when its numbers do not rise, or its times carry more than a time', () => {
    expect(readLogMessage({ previous_seq: 2, lines: [line] })).toBeUndefined();
    expect(readLogMessage({ previous_seq: 1, lines: [line, line] })).toBeUndefined();
    expect(readLogMessage({ previous_seq: 1, lines: Array(10_001).fill(line) })).toBeUndefined();
    for (const time of ['2026-11-30T10:00:00Z\u001b[2J', '2026-99-99T10:00:00Z', '10:00', '']) {
      expect(readLogMessage({ previous_seq: 1, lines: [{ ...line, time }] }), time).toBeUndefined();
    }
  });
});

describe('a message about events', () => {
  it('is taken as the database sends it', () => {
    expect(readEventBatch({ previous_seq: 1, events: [event] })).toEqual({ previous_seq: 1, events: [event] });
    expect(
      readEventBatch({ previous_seq: 1, events: [{ ...event, type: 'pod.deleted', object: null }] }),
    ).toBeDefined();
  });

  it('is dropped whole when any part of it is something else', () => {
    for (const payload of [undefined, ...strange]) expect(readEventBatch(payload)).toBeUndefined();
    for (const value of strange) {
      if (!isEmpty(value)) expect(readEventBatch({ previous_seq: 1, events: value })).toBeUndefined();
      expect(readEventBatch({ previous_seq: value, events: [event] })).toBeUndefined();
      for (const field of Object.keys(event)) {
        if (value === 'x' && field !== 'seq' && field !== 'object') continue;
        if (field === 'object' && typeof value === 'object' && value !== null && !Array.isArray(value)) continue;
        const events = [event, { ...event, seq: 3, [field]: value }];
        expect(readEventBatch({ previous_seq: 1, events }), `${field} ${typeof value}`).toBeUndefined();
      }
    }
  });
});

const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0;
