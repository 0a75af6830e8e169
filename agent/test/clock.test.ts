import { afterEach, describe, expect, it, vi } from 'vitest';
import { ClusterClock } from '../src/ports/cluster-clock.js';

const HOUR = 3_600_000;

afterEach(() => {
  vi.useRealTimers();
});

function at(now: number): ClusterClock {
  vi.useFakeTimers({ now, toFake: ['Date', 'performance'] });
  return new ClusterClock();
}

describe('the clock of an agent', () => {
  it('goes on evenly while somebody sets the clock of the machine', () => {
    const clock = at(1_000_000);
    expect(clock.now()).toBe(1_000_000);
    vi.advanceTimersByTime(500);
    vi.setSystemTime(1_000_000 + HOUR);
    expect(clock.now()).toBe(1_000_500);
    vi.setSystemTime(0);
    expect(clock.now()).toBe(1_000_500);
  });

  it.each([
    ['ahead', HOUR],
    ['behind', -HOUR],
  ])('that is an hour %s is put right by what the cluster says', (_, wrong) => {
    const clock = at(2 * HOUR + wrong);
    const askedAt = clock.now();
    vi.advanceTimersByTime(200);
    clock.heard(2 * HOUR + 100, askedAt);
    expect(Math.abs(clock.now() - (2 * HOUR + 200))).toBeLessThanOrEqual(100);
  });

  it('is left alone by an answer that agrees with it, however long that took', () => {
    const clock = at(HOUR);
    const askedAt = clock.now();
    vi.advanceTimersByTime(10_000);
    clock.heard(HOUR + 1, askedAt);
    expect(clock.now()).toBe(HOUR + 10_000);
    clock.heard(HOUR + 9_999, askedAt);
    expect(clock.now()).toBe(HOUR + 10_000);
    clock.heard(Number.NaN, askedAt);
    expect(clock.now()).toBe(HOUR + 10_000);
  });
});
