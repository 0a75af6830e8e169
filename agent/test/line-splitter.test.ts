import { describe, expect, it } from 'vitest';
import { LineSplitter, LONGEST_LINE } from '../src/pod/shared/line-splitter.js';

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
    ['that start again', ['10%\r20%', '\r', '30%\r\n', '\r\n\rend'], ['30%', '', 'end']],
    ['that start again with nothing', ['done\r\r', '\r\n'], ['done']],
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

  it('are handed on before their end where that is wanted', () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    splitter.push('10%\r20%');
    splitter.flush();
    splitter.flush();
    splitter.push('\r30%\r');
    splitter.flush();
    splitter.push('\nnext\n\n');
    splitter.push('password: ');
    splitter.flush();
    splitter.push('wrong\n');
    expect(lines).toEqual(['20%', '30%', 'next', '', 'password: ', 'wrong']);
  });

  it('that start again for ever take no room', () => {
    const long = 'x'.repeat(LONGEST_LINE);
    expect(split(`${long}${long}\r`, `${long}\r`, 'end\n')).toEqual(['end']);
  });

  it('of exactly the longest length are whole', () => {
    const exact = 'x'.repeat(LONGEST_LINE);
    expect(split(`${exact}\n`)).toEqual([exact]);
  });
});
