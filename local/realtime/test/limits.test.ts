import { describe, expect, it } from 'vitest';
import { bytesTermSize, PayloadLimit, termSize, userBroadcastTermSize } from '../src/limits/payload-size.js';
import { limitsOf } from '../src/limits/plans.js';
import { RateWindow } from '../src/limits/rate-window.js';
import { FakeClock } from './support/clock.js';

describe('the rate window', () => {
  function windowOf(limit: number) {
    const clock = new FakeClock();
    const warnings: number[] = [];
    const window = new RateWindow({ limit, clock, onTrigger: (average) => warnings.push(average) });
    return { clock, window, warnings };
  }

  it('lets a burst pass until its bucket closes', () => {
    const { clock, window, warnings } = windowOf(10);
    window.add(1_000);
    clock.advance(4_999);
    expect(window.triggered).toBe(false);
    clock.advance(1);
    expect(window.average).toBe(1_000 / 2 / 5);
    expect(window.triggered).toBe(true);
    expect(warnings).toEqual([100]);
  });

  it('averages over a minute and holds until the average is below the limit', () => {
    const { clock, window, warnings } = windowOf(10);
    window.add(0);
    clock.advance(60_000);
    window.add(660);
    clock.advance(5_000);
    expect(window.average).toBe(11);
    clock.advance(54_999);
    expect(window.triggered).toBe(true);
    clock.advance(5_001);
    expect(window.triggered).toBe(false);
    expect(window.average).toBe(0);
    expect(warnings).toHaveLength(1);
  });

  it('triggers at the limit, not only above it', () => {
    const { clock, window } = windowOf(1);
    window.add(10);
    clock.advance(5_000);
    expect(window.average).toBe(1);
    expect(window.triggered).toBe(true);
  });

  it('warns once for each breach', () => {
    const { clock, window, warnings } = windowOf(1);
    for (let second = 0; second < 300; second++) {
      if (second < 60 || (second >= 150 && second < 200)) window.add(5);
      clock.advance(1_000);
      window.triggered;
    }
    expect(warnings).toHaveLength(2);
  });

  it('begins anew after five quiet minutes', () => {
    const { clock, window } = windowOf(10);
    window.add(100);
    clock.advance(6 * 60_000);
    expect(window.average).toBe(0);
    window.add(100);
    clock.advance(5_000);
    expect(window.average).toBe(10);
  });
});

describe('payload sizes', () => {
  // Right side: byte_size(:erlang.term_to_binary(term)) by the external term format, where they agree for these.
  it.each([
    [{}, 6],
    [{ a: 1 }, 1 + 5 + 6 + 2],
    ['abc', 1 + 8],
    [255, 3],
    [256, 6],
    [-1, 6],
    [2 ** 40, 1 + 3 + 6],
    [1.5, 10],
    [true, 7],
    [false, 8],
    [null, 6],
    [[], 2],
    [[1, 'ä'], 1 + 6 + 2 + 7],
  ])('%j is a term of %i bytes', (value, size) => {
    expect(termSize(value)).toBe(size);
  });

  it('the limit is kilobytes of 1,000 bytes and 500 more', () => {
    const limit = new PayloadLimit(3);
    const body = (length: number) => ({ a: 'x'.repeat(length - 1 - 5 - 6 - 5) });
    for (const [length, fits] of [
      [3_500, true],
      [3_501, false],
    ] as const) {
      const payload = body(length);
      expect(termSize(payload)).toBe(length);
      expect(limit.fitsJson(payload, JSON.stringify(payload).length)).toBe(fits);
    }
    expect(limit.fits(bytesTermSize(3_494))).toBe(true);
    expect(limit.fits(bytesTermSize(3_495))).toBe(false);
    expect(userBroadcastTermSize(1, 10)).toBe(3 + 6 + 8 + 15 + 5);
  });

  it('many small values weigh more than their JSON', () => {
    const payload = { list: Array.from({ length: 1_000 }, () => ({})) };
    const json = JSON.stringify(payload);
    expect(json.length).toBeLessThan(3_500);
    expect(new PayloadLimit(3).fitsJson(payload, json.length)).toBe(false);
  });
});

it('a plan gives the limits of its column, overrides come on top', () => {
  expect(limitsOf('self-hosted')).toMatchObject({
    connections: 200,
    messagesPerSecond: 100,
    broadcastPayloadKb: 3_000,
  });
  expect(limitsOf('free')).toMatchObject({ presenceMessagesPerSecond: 20, broadcastPayloadKb: 256 });
  expect(limitsOf('pro')).toMatchObject({ connections: 500, joinsPerSecond: 500, presenceMessagesPerSecond: 50 });
  expect(limitsOf('team', { connections: 1 })).toMatchObject({ connections: 1, messagesPerSecond: 2_500 });
});
