import { afterEach, describe, expect, it, vi } from 'vitest';
import { describe as describeObject, renderList } from '../../cli/src/base/output.js';
import { reportError } from '../../cli/src/base/report.js';
import { eventLines } from '../../cli/src/data/events.js';
import { forStream } from '../../cli/src/data/logs.js';
import { StarkError } from '../../core/src/errors.js';

// A window title, the clipboard, a cleared screen, a line overwritten, a C1 introducer, text turned around.
const hostile = '\u001b]0;owned\u0007\u001b]52;c;cm0gLXJm\u0007\u001b[2J\rStatus: running\u009b2J\u202egnp';
const dangerous = /[^\P{Cc}\t\n]|[\u202a-\u202e\u2066-\u2069]/u;

afterEach(() => vi.restoreAllMocks());

describe('escapes in what other people wrote', () => {
  it('do not reach a terminal in a table', async () => {
    const view = { kind: 'pod', name: () => 'x', columns: [{ header: 'NAME', value: (row: unknown) => row }] };
    const text = await renderList(view, [hostile, { [hostile]: hostile }, [hostile]], 'table', {
      write: () => true,
      isTTY: true,
    });
    expect(text).toContain('owned');
    expect(text).not.toMatch(dangerous);
  });

  it('do not reach a terminal in a description, and add no line to it', () => {
    const lines = describeObject([
      ['Reason', `${hostile}\nStatus:   running`],
      ['Labels', { [hostile]: hostile }],
    ]);
    expect(lines.join('')).not.toMatch(dangerous);
    expect(lines.join('')).not.toContain('\n');
  });

  it('do not reach a terminal in an event', () => {
    const event = {
      seq: 1,
      type: 'pod.updated',
      time: new Date().toISOString(),
      status: 'failed',
      reason: 'Error',
      message: `${hostile}\nx`,
    };
    expect(eventLines([event]).join('')).not.toMatch(dangerous);
    expect(eventLines([event])).toHaveLength(2);
    expect(eventLines([event])[1]).not.toContain('\n');
  });

  it('do not reach a terminal in an error', async () => {
    const written: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    await reportError(new StarkError(hostile, { code: 'X', hint: hostile, details: hostile } as never), {
      format: undefined,
    });
    expect(written.join('')).toContain('owned');
    const colours = new RegExp(`${'\u001b'}\\[\\d+m`, 'g');
    expect(written.join('').replaceAll(colours, '')).not.toMatch(dangerous);
  });

  it('do not reach a terminal in a log line, but colours do, and end with it', () => {
    expect(forStream(hostile, { isTTY: true })).not.toMatch(dangerous);
    expect(forStream('\u001b[31mred\u001b[2J', { isTTY: true })).toBe('\u001b[31mred\\x1b[2J\u001b[0m');
    expect(forStream('\u001b[31mred', { isTTY: false })).toBe('\u001b[31mred');
  });
});
