import type { StarkError } from '@stark-o/core/errors';
import type { OutputFormat } from './format.js';
import { toJson, toYaml } from './output.js';
import { withProgramName } from './program.js';
import { wrap } from './table.js';
import { fittingWidth, paint, printable, say } from './terminal.js';

export interface ReportOptions {
  format: OutputFormat | undefined;
  /** The command that failed, for `--help`; absent when there was none. */
  command?: string | undefined;
  debug?: boolean;
}

/** Says on stderr what went wrong: the envelope for machines, a line and a hint for people. stdout stays empty. */
export async function reportError(error: StarkError, options: ReportOptions): Promise<void> {
  const { stderr } = process;
  if (options.format === 'json') say(toJson(error.toEnvelope(), { stream: stderr }));
  else if (options.format === 'yaml') stderr.write(await toYaml(error.toEnvelope(), stderr));
  else sayError(error, options);
  if (options.debug) say(paint(process.stderr, 'dim', stackOf(error)));
}

function sayError(error: StarkError, options: ReportOptions): void {
  const words = (text: string) => linesOf(withProgramName(text));
  const showsCode = error.code !== 'USAGE' && error.code !== 'INTERRUPTED' && error.code !== 'UNKNOWN';
  const code = showsCode ? ` (${error.code})` : '';
  const message = words(`${error.message}${code}`);
  const told = message.endsWith(code) ? message.slice(0, message.length - code.length) : message;
  const shown = told === message ? message : `${told}${paint(process.stderr, 'dim', code)}`;
  say(`${paint(process.stderr, 'red', 'error:')} ${shown}`);
  for (const line of detailLines(error.details)) say(`  ${printable(line)}`);
  if (error.hint !== undefined) say(`${paint(process.stderr, 'cyan', 'hint:')}  ${words(error.hint)}`);
  if (error.code === 'USAGE' && options.command !== undefined) {
    say(`${paint(process.stderr, 'cyan', 'help:')}  ${words(`stark ${options.command} --help`)}`);
  }
}

// What stands in front of each is as wide as `error: `, and what follows begins below its text.
const besideLabel = 7;

function linesOf(text: string): string {
  const width = fittingWidth(process.stderr);
  const lines = text.split('\n').map(printable);
  if (width === undefined) return lines.join('\n');
  return lines.flatMap((line) => wrap(line, width - besideLabel)).join(`\n${' '.repeat(besideLabel)}`);
}

function detailLines(details: unknown): string[] {
  if (details === undefined || details === null || details === '') return [];
  if (typeof details === 'string') return details.split('\n');
  if (Array.isArray(details)) return details.map(detailText);
  return Object.entries(details).flatMap(([key, value]) => {
    if (key !== 'log' || !Array.isArray(value)) return [`${key}: ${detailText(value)}`];
    const lines = value.flatMap((line) => String(line).split('\n'));
    return ['last lines of its log:', ...lines.slice(-mostLines).map((line) => `  ${line}`)];
  });
}

// A person reads some of a long list; machines get all of it.
const mostShown = 20;
const mostLines = 20;

function detailText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || value.length <= mostShown) return JSON.stringify(value);
  const shown = value.slice(0, mostShown).map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
  return `${shown.join(', ')} and ${value.length - mostShown} more`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const cause = error.cause === undefined ? '' : `\ncaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
