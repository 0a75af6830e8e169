import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { createAgentLog } from '../../agent/src/node/log.js';
import {
  describe as describeObject,
  printList,
  printObject,
  renderList,
  toJson,
  toYaml,
} from '../../cli/src/base/output.js';
import { Progress } from '../../cli/src/base/progress.js';
import { reportError } from '../../cli/src/base/report.js';
import { say } from '../../cli/src/base/terminal.js';
import { eventLines } from '../../cli/src/data/events.js';
import { forStream } from '../../cli/src/data/logs.js';
import { debugFetch } from '../../cli/src/session/debug-fetch.js';
import { StarkError } from '../../core/src/errors/index.js';
import { createLogger } from '../../local/src/log.js';

// A window title, the clipboard, a cleared screen, a line overwritten, a C1 introducer, text turned around.
// And marks of direction that are none of those, line ends of other alphabets, tags that nobody sees, DEL and NUL.
const marks = '\u061c\u200e\u200f\u2066\u2028\u2029\ufff9\u{e0041}\u007f\u0000\u0085';
const hostile = `\u001b]0;owned\u0007\u001b]52;c;cm0gLXJm\u0007\u001b[2J\rStatus: running\u009b2J\u202egnp${marks}`;
const dangerous =
  /[^\P{Cc}\t\n]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;
const colours = new RegExp(`${'\u001b'}\\[[\\d;]*m`, 'g');

const restore: (() => void)[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const undo of restore.splice(0)) undo();
});

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
    expect(written.join('').replaceAll(colours, '')).not.toMatch(dangerous);
  });

  /** What a stream gets that calls itself a terminal. */
  function terminal(stream: 'stdout' | 'stderr'): () => string {
    const written: string[] = [];
    const before = process[stream].isTTY;
    process[stream].isTTY = true;
    restore.push(() => {
      process[stream].isTTY = before;
    });
    vi.spyOn(process[stream], 'write').mockImplementation((text) => written.push(String(text)) > 0);
    return () => written.join('').replaceAll(colours, '');
  }

  const row = { name: hostile, [hostile]: [hostile, { deep: hostile }], lines: 'one\ntwo', empty: '' };
  const view = { kind: 'pod', name: () => hostile, columns: [{ header: 'NAME', value: () => hostile }] };

  it.each(['table', 'wide', 'json', 'yaml', 'name'] as const)('do not reach a terminal with -o %s', async (format) => {
    const written = terminal('stdout');
    await printList(view, [row], format);
    await printObject(row, format, { name: `pod/${hostile}`, lines: [hostile] });
    await printObject(row, format, { name: `pod/${hostile}`, lines: [hostile] }, { stays: true });
    expect(written()).toContain('owned');
    expect(written()).not.toMatch(dangerous);
  });

  it('are the same values to who reads JSON or YAML back from a terminal', async () => {
    const stream = { isTTY: true };
    for (const text of [toJson(row, { stream }), toJson(row, { stream, indent: 2 })]) {
      expect(text).not.toMatch(dangerous);
      expect(JSON.parse(text)).toEqual(row);
    }
    const yaml = await toYaml([row, hostile], stream);
    expect(yaml).not.toMatch(dangerous);
    expect(parse(yaml)).toEqual([row, hostile]);
    // Nothing is changed for a pipe.
    expect(toJson(row, { stream: {} })).toBe(JSON.stringify(row));
    expect(await toYaml(row, {})).toBe(stringify(row));
  });

  it.each(['json', 'yaml', 'name', undefined] as const)(
    'do not reach a terminal in an error with -o %s',
    async (format) => {
      const written = terminal('stderr');
      const error = new StarkError(hostile, {
        code: hostile,
        hint: hostile,
        details: row,
        cause: new Error(hostile),
      } as never);
      await reportError(error, { format, command: hostile, debug: true });
      await reportError(new StarkError(hostile, { details: [hostile, row] } as never), { format });
      expect(written()).toContain('owned');
      expect(written()).not.toMatch(dangerous);
    },
  );

  it('do not reach a terminal by what is said beside, as warnings, progress and requests', async () => {
    const written = terminal('stderr');
    say(hostile);
    for (const env of [undefined, '1']) {
      vi.stubEnv('CI', env);
      const progress = new Progress(process.stderr);
      progress.now(hostile);
      progress.done(hostile);
      progress.failed(hostile);
    }
    const answer = async () => new Response('', { headers: { 'x-request-id': 'r\u009b2J' } });
    await debugFetch(answer)('http://127.0.0.1/rest/v1/pods');
    expect(written().replaceAll('\r\u001b[2K', '')).not.toMatch(dangerous);
    vi.unstubAllEnvs();
  });

  it('do not reach a terminal by the log of an agent or a stack', async () => {
    const written: string[] = [];
    const write = (text: string) => written.push(text) > 0;
    const terminal = Object.assign(new EventEmitter(), { isTTY: true, write }) as never;
    createAgentLog('info', terminal).warn({ pod: hostile }, hostile);
    createLogger({ destination: terminal }).warn({ pod: hostile, service: hostile }, hostile);
    await vi.waitFor(() => expect(written.join('').match(/owned/g)?.length).toBeGreaterThan(3));
    expect(written.join('').replaceAll(colours, '')).not.toMatch(dangerous);
  });

  it('do not reach a terminal in a log line, but colours do, and end with it', () => {
    expect(forStream(hostile, { isTTY: true })).not.toMatch(dangerous);
    expect(forStream('\u001b[31mred\u001b[2J', { isTTY: true })).toBe('\u001b[31mred\\x1b[2J\u001b[0m');
    expect(forStream('\u001b[31mred', { isTTY: false })).toBe('\u001b[31mred');
  });
});
