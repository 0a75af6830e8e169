import type { LiveLogLines } from '@stark-o/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BroadcastMessage } from '../src/control-plane/control-plane.js';
import { LiveLines } from '../src/logs/live-lines.js';
import type { LogLine } from '../src/logs/log-line.js';
import { FakeClock } from './support/fake-clock.js';
import { memoryLog } from './support/log.js';

let clock: FakeClock;
let sent: (readonly BroadcastMessage[])[];
let failure: Error | undefined;
let live: LiveLines;

beforeEach(() => {
  clock = new FakeClock();
  sent = [];
  failure = undefined;
  live = new LiveLines(clock, memoryLog([]), async (messages) => {
    if (failure !== undefined) throw failure;
    sent.push(messages);
  });
});

const line = (seq: number, message = String(seq), pod_id = 'a'): LogLine => ({
  pod_id,
  seq,
  time: '2026-01-01T00:00:00Z',
  stream: 'stdout',
  message,
});
const from = (first: number, count: number) => Array.from({ length: count }, (_, n) => line(first + n));
const payloads = () => sent.flat().map(({ payload }) => payload as LiveLogLines);
const seqs = () => payloads().map(({ previous_seq, lines }) => [previous_seq, ...lines.map(({ seq }) => seq)]);

describe('live lines', () => {
  it('are told at once, and then five times a second at most', async () => {
    for (let n = 1; n <= 100; n++) {
      live.tell([line(n)]);
      await clock.advance(10);
    }
    await clock.advance(1_000);
    expect(sent.length).toBeLessThanOrEqual(6);
    expect(seqs()[0]).toEqual([0, 1]);
    expect(seqs().flatMap(([, ...numbers]) => numbers)).toEqual(from(1, 100).map(({ seq }) => seq));
    expect(seqs().every(([previous, first]) => first === (previous ?? 0) + 1)).toBe(true);
  });

  it('of several pods go in one call, each on its own topic and without the name of the pod', async () => {
    live.tell([line(1), line(7, 'x', 'b')]);
    await clock.advance(0);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.map(({ topic, event }) => [topic, event])).toEqual([
      ['stark:pod:a', 'lines'],
      ['stark:pod:b', 'lines'],
    ]);
    expect(payloads()[0]?.lines[0]).not.toHaveProperty('pod_id');
  });

  it('go where the followers say that they are, until the pod ends', async () => {
    const topics = () =>
      sent
        .splice(0)
        .flat()
        .map(({ topic }) => topic);
    live.address('a', 'stark:pod:a:0123456789ab');
    for (const elsewhere of ['stark:pod:a:0123456789ab', 'stark:pod:cc:0', 'stark:cluster', 5, undefined])
      live.address('c', elsewhere);
    live.tell([line(1), line(7, 'x', 'c')]);
    await clock.advance(0);
    expect(topics()).toEqual(['stark:pod:a:0123456789ab', 'stark:pod:c']);
    await live.end([['a', 1]]);
    await live.end([['a', 1]]);
    expect(topics()).toEqual(['stark:pod:a:0123456789ab', 'stark:pod:a']);
  });

  it.each<[string, LogLine[]]>([
    ['too many', from(1, 201)],
    ['too long', [line(1, 'x'.repeat(40_000)), line(2, 'x'.repeat(40_000))]],
    ['not in a row', [line(1), line(2_000_000_001)]],
  ])('that are %s are only announced', async (_, lines) => {
    live.tell(lines);
    await clock.advance(0);
    expect(payloads()).toEqual([{ previous_seq: lines.at(-1)?.seq, lines: [] }]);
    await clock.advance(1_000);
    live.tell([line((lines.at(-1)?.seq ?? 0) + 1)]);
    await clock.advance(0);
    expect(payloads()[1]?.lines).toHaveLength(1);
  });

  it('begin with the number up to which there was nobody to tell', async () => {
    live.begin('a', 41);
    await clock.advance(0);
    expect(payloads()).toEqual([{ previous_seq: 41, lines: [] }]);
  });

  it('that are the last are told before the end is', async () => {
    live.tell([line(1)]);
    await clock.advance(0);
    live.tell([line(2)]);
    await live.end([
      ['a', 2],
      ['b', 9],
    ]);
    expect(payloads().slice(1)).toEqual([
      { previous_seq: 1, lines: [expect.objectContaining({ seq: 2 })], ending: true },
      { previous_seq: 9, lines: [], ending: true },
    ]);
    await clock.advance(1_000);
    expect(sent).toHaveLength(2);
  });

  it('that nobody could be told of hold up nothing', async () => {
    failure = new Error('no Realtime');
    live.tell([line(1)]);
    await live.end([['a', 1]]);
    failure = undefined;
    live.tell([line(2)]);
    await clock.advance(1_000);
    expect(seqs()).toEqual([[1, 2]]);
  });
});
