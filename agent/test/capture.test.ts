import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { capture, OUTPUT_PACE } from '../src/pod/node/capture.js';

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

describe('output in pieces', () => {
  it.each<[string, (string | number[])[], string[]]>([
    ['letters that are cut', [[0xc3], [0xbc, 0xe2, 0x82], [0xac, 0x0a]], ['ü€']],
    ['letters that are never whole', [[0x61, 0xe2, 0x82, 0x0a], 'b\n'], ['a\ufffd', 'b']],
    ['line ends of Windows that are cut', ['one\r', '\ntwo\r\n'], ['one', 'two']],
    ['colours', ['\u001b[32mgre', 'en\u001b[39m\n'], ['\u001b[32mgreen\u001b[39m']],
    ['no line end at all', ['the ', 'last'], ['the last']],
  ])('is joined: %s', async (_what, pieces, expected) => {
    capture(stream, OUTPUT_PACE, (line) => lines.push(line));
    for (const piece of pieces) {
      stream.write(Buffer.from(piece as string));
      await new Promise((resolve) => setImmediate(resolve));
    }
    stream.end();
    await new Promise((resolve) => stream.once('end', resolve));
    expect(lines).toEqual(expected);
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
