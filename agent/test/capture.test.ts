import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { capture, OUTPUT_PACE } from '../src/node/capture.js';

let lines: string[];
let stream: PassThrough;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  lines = [];
  stream = new PassThrough();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Writes, and lets so much time go by. */
async function say(text: string, ms = 0): Promise<void> {
  stream.write(text);
  await new Promise((resolve) => setImmediate(resolve));
  vi.advanceTimersByTime(ms);
  await new Promise((resolve) => setImmediate(resolve));
}

describe('output without a line end', () => {
  it('is a line after a second of silence, in its last state', async () => {
    capture(stream, OUTPUT_PACE, (line) => lines.push(line));
    for (const percent of [10, 20, 30]) await say(`\rloading ${percent}%`, 500);
    expect(lines).toEqual([]);
    vi.advanceTimersByTime(500);
    await say('');
    expect(lines).toEqual(['loading 30%']);
    await say('\rloading 40%', 1_000);
    await say('\n', 1_000);
    expect(lines).toEqual(['loading 30%', 'loading 40%']);
  });

  it('is a line from time to time where there is no silence', async () => {
    capture(stream, OUTPUT_PACE, (line) => lines.push(line));
    for (let step = 1; step <= 100; step++) await say(`\r${step}`, 100);
    expect(lines).toEqual(['51']);
  });

  it('is never one in a channel, where half a message is none', async () => {
    capture(stream, { bytesPerWindow: 1_000 }, (line) => lines.push(line));
    await say('{"half":', 60_000);
    await say('1}\n');
    expect(lines).toEqual(['{"half":1}']);
  });
});

describe('a flood of empty lines', () => {
  it('is read no faster than lines of some length', async () => {
    let count = 0;
    capture(stream, OUTPUT_PACE, () => (count += 1));
    // 64 kB of line ends count for 16 windows of a quarter of a second.
    await say('\n'.repeat(64 * 1024));
    expect(count).toBe(64 * 1024);
    expect(stream.isPaused()).toBe(true);
    await say('', 3_900);
    expect(stream.isPaused()).toBe(true);
    await say('', 500);
    expect(stream.isPaused()).toBe(false);
  });
});
