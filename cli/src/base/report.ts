import type { StarkError } from '@stark-o/core/errors';
import type { OutputFormat } from './format.js';
import { toJson, toYaml } from './output.js';
import { withProgramName } from './program.js';
import { paint, printable, say } from './terminal.js';

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
  const code = showsCode ? paint(process.stderr, 'dim', ` (${error.code})`) : '';
  say(`${paint(process.stderr, 'red', 'error:')} ${words(error.message)}${code}`);
  for (const line of detailLines(error.details)) say(`  ${printable(line)}`);
  if (error.hint !== undefined) say(`${paint(process.stderr, 'cyan', 'hint:')}  ${words(error.hint)}`);
  if (error.code === 'USAGE' && options.command !== undefined) {
    say(`${paint(process.stderr, 'cyan', 'help:')}  ${words(`stark ${options.command} --help`)}`);
  }
}

const linesOf = (text: string) => text.split('\n').map(printable).join('\n');

function detailLines(details: unknown): string[] {
  if (details === undefined || details === null || details === '') return [];
  if (typeof details === 'string') return details.split('\n');
  if (Array.isArray(details)) return details.map(detailText);
  return Object.entries(details).flatMap(([key, value]) => {
    if (key !== 'log' || !Array.isArray(value)) return [`${key}: ${detailText(value)}`];
    return ['last lines of its log:', ...value.map((line) => `  ${line}`)];
  });
}

// A person reads some of a long list; machines get all of it.
const mostShown = 20;

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
