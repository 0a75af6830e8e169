import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { LineSplitter, LONGEST_LINE } from '../logs/line-splitter.js';

const WINDOW_MS = 250;

export interface Pace {
  /** More than this in a quarter of a second is left in the pipe, so that a flood slows the one who floods. */
  bytesPerWindow: number;
  longestLine?: number;
}

/** What a pod prints. */
export const OUTPUT_PACE: Pace = { bytesPerWindow: 1024 * 1024 };

/** Reads a stream by lines, no faster than its share. */
export function capture(
  stream: Readable,
  { bytesPerWindow, longestLine = LONGEST_LINE }: Pace,
  onLine: (line: string) => void,
): void {
  const decoder = new StringDecoder('utf8');
  const lines = new LineSplitter(onLine, longestLine);
  let windowStart = 0;
  let inWindow = 0;
  stream.on('data', (chunk: Buffer) => {
    const now = performance.now();
    if (now - windowStart > WINDOW_MS) {
      windowStart = now;
      inWindow = 0;
    }
    inWindow += chunk.length;
    lines.push(decoder.write(chunk));
    if (inWindow < bytesPerWindow) return;
    stream.pause();
    setTimeout(() => stream.resume(), WINDOW_MS).unref();
  });
  stream.once('end', () => {
    lines.push(decoder.end());
    lines.end();
  });
  stream.on('error', () => {}); // The end of the process tells more.
}
