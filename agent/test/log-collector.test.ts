import { beforeEach, describe, expect, it } from 'vitest';
import { LogCollector } from '../src/logs/log-collector.js';
import type { LogLine } from '../src/logs/log-line.js';
import { FakeClock } from './support/fake-clock.js';

let clock: FakeClock;
let batches: LogLine[][];
let logs: LogCollector;

beforeEach(() => {
  clock = new FakeClock();
  batches = [];
  logs = new LogCollector(clock, (lines) => batches.push(lines));
});

function add(podId: string, message: string): void {
  logs.add(podId, { stream: 'stdout', message });
}

describe('the log collector', () => {
  it('hands lines on every half second, or as soon as there are 500', async () => {
    add('a', 'one');
    add('a', 'two');
    await clock.advance(499);
    expect(batches).toEqual([]);
    await clock.advance(1);
    expect(batches.map((batch) => batch.map(({ message }) => message))).toEqual([['one', 'two']]);
    for (let n = 0; n < 500; n++) add('a', String(n));
    await clock.advance(0);
    expect(batches[1]).toHaveLength(500);
  });

  it('numbers the lines of each pod upwards, above all earlier incarnations', () => {
    logs.startAt(3);
    add('a', '1');
    add('b', '1');
    add('a', '2');
    logs.startAt(4);
    add('a', '3');
    logs.startAt(2);
    add('a', '4');
    logs.flush();
    const numbers = batches
      .flat()
      .filter((line) => line.pod_id === 'a')
      .map(({ seq }) => seq);
    expect(numbers).toEqual([3_000_000_001, 3_000_000_002, 4_000_000_001, 4_000_000_002]);
  });

  it('drops what one pod logs too much, says how much, and spares the others', async () => {
    for (let n = 0; n < 5_000; n++) add('loud', String(n));
    add('quiet', 'heard');
    await clock.advance(500);
    const loud = batches.flat().filter((line) => line.pod_id === 'loud');
    expect(loud).toHaveLength(2_001);
    expect(loud.at(-1)).toMatchObject({
      stream: 'platform',
      level: 'warn',
      message: expect.stringMatching(/^dropped 3000 lines: /),
    });
    expect(batches.flat().some((line) => line.pod_id === 'quiet')).toBe(true);
    add('loud', 'again');
    await clock.advance(500);
    expect(batches.flat().at(-1)).toMatchObject({ message: 'again' });
  });

  it('drops by size too', async () => {
    for (let n = 0; n < 100; n++) add('wide', 'x'.repeat(16_000));
    await clock.advance(500);
    expect(batches.flat().length).toBeLessThan(40);
  });

  it('hands the lines of a followed pod on sooner, and says in which run they were printed', async () => {
    logs.startRun('a', 3);
    add('a', 'slow');
    logs.follow('a', 1_000);
    expect(logs.isFollowed('a')).toBe(true);
    add('a', 'quick');
    await clock.advance(100);
    expect(batches.flat().map(({ message, run }) => [message, run])).toEqual([
      ['slow', 3],
      ['quick', 3],
    ]);
    await clock.advance(900);
    expect(logs.isFollowed('a')).toBe(false);
    add('a', 'slow again');
    await clock.advance(100);
    expect(batches).toHaveLength(1);
  });

  it('makes text storable', () => {
    add('a', 'nul \u0000, half \ud83d, whole \u{1f600}');
    logs.flush();
    expect(batches[0]?.[0]?.message).toBe('nul \ufffd, half \ufffd, whole \u{1f600}');
  });
});
