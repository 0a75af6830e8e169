import { describe, expect, it } from 'vitest';
import { LineSplitter, LONGEST_LINE } from '../src/logs/line-splitter.js';

function split(...pieces: string[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const piece of pieces) splitter.push(piece);
  splitter.end();
  return lines;
}

describe('lines', () => {
  it.each([
    ['whole', ['a\nb\n'], ['a', 'b']],
    ['in pieces', ['a', 'b\nc', '', 'd', '\n'], ['ab', 'cd']],
    ['without a last end', ['a\nb'], ['a', 'b']],
    ['empty', ['\n\n'], ['', '']],
    ['of Windows', ['a\r\nb\r', '\nc'], ['a', 'b', 'c']],
    ['none', [''], []],
  ])('%s', (_what, pieces, lines) => {
    expect(split(...pieces)).toEqual(lines);
  });

  it('too long are cut once, however they arrive', () => {
    const long = 'x'.repeat(LONGEST_LINE + 1);
    for (const pieces of [[`${long}\nnext`], [...long, '\nnext'], [long, long, long, '\nnext']]) {
      const [first, second, ...rest] = split(...pieces);
      expect(first).toBe(`${'x'.repeat(LONGEST_LINE)} … (cut at 16 KiB)`);
      expect([second, rest]).toEqual(['next', []]);
    }
  });

  it('of exactly the longest length are whole', () => {
    const exact = 'x'.repeat(LONGEST_LINE);
    expect(split(`${exact}\n`)).toEqual([exact]);
  });
});
