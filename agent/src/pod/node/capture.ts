import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { LineSplitter, LONGEST_LINE } from '../shared/line-splitter.js';

const WINDOW_MS = 250;

export interface Pace {
  /** More than this in a quarter of a second is left in the pipe, so that a flood slows the one who floods. */
  bytesPerWindow: number;
  /** What a line counts beside its bytes, since it costs us work though it be empty. */
  bytesPerLine?: number;
  longestLine?: number;
  /** Text without a line end is handed on after so long a silence, and after `longestWaitMs` without one. */
  silenceMs?: number;
  longestWaitMs?: number;
}

/** What a pod prints. */
export const OUTPUT_PACE: Pace = {
  bytesPerWindow: 1024 * 1024,
  bytesPerLine: 256,
  silenceMs: 1_000,
  longestWaitMs: 5_000,
};

/** Reads a stream by lines, no faster than its share. */
export function capture(
  stream: Readable,
  {
    bytesPerWindow,
    bytesPerLine = 0,
    longestLine = LONGEST_LINE,
    silenceMs,
    longestWaitMs = Number.POSITIVE_INFINITY,
  }: Pace,
  onLine: (line: string) => void,
): void {
  const decoder = new StringDecoder('utf8');
  let windowStart = 0;
  let inWindow = 0;
  const lines = new LineSplitter((line) => {
    inWindow += bytesPerLine;
    onLine(line);
  }, longestLine);
  let silence: NodeJS.Timeout | undefined;
  let openSince: number | undefined;
  const handOn = () => {
    openSince = undefined;
    lines.flush();
  };
  /** After a busy moment of this process there may be text that it has not read yet. */
  const fallSilent = () => {
    const heard = chunks;
    setImmediate(() => chunks === heard && handOn());
  };
  let chunks = 0;
  const awaitEnd = (now: number) => {
    clearTimeout(silence);
    if (silenceMs === undefined) return;
    openSince = lines.isOpen ? (openSince ?? now) : undefined;
    if (openSince === undefined) return;
    if (now - openSince >= longestWaitMs) handOn();
    else silence = setTimeout(fallSilent, silenceMs).unref();
  };
  stream.on('data', (chunk: Buffer) => {
    const now = performance.now();
    if (now - windowStart > WINDOW_MS) {
      windowStart = now;
      inWindow = 0;
    }
    inWindow += chunk.length;
    chunks += 1;
    lines.push(decoder.write(chunk));
    awaitEnd(now);
    if (inWindow < bytesPerWindow) return;
    stream.pause();
    // One chunk may have more lines than fit into many windows.
    setTimeout(() => stream.resume(), WINDOW_MS * Math.ceil(inWindow / bytesPerWindow)).unref();
  });
  stream.once('end', () => {
    clearTimeout(silence);
    lines.push(decoder.end());
    lines.end();
  });
  stream.on('error', () => {}); // The end of the process tells more.
}
