import { styleText } from 'node:util';

type Colour = 'red' | 'yellow' | 'green' | 'cyan' | 'dim' | 'bold';

/** A stream that may or may not be a terminal. */
export interface TerminalStream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** Whether a stream gets colours. Decided per stream: `stark pod list | less` must not colour the pipe. */
export function wantsColour(
  stream: { isTTY?: boolean },
  env: NodeJS.ProcessEnv = process.env,
  argv: readonly string[] = process.argv,
): boolean {
  const flags = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  if (flags.includes('--no-color')) return false;
  // The same order as Node.js itself: an explicit FORCE_COLOR stands above NO_COLOR.
  const forced = env.FORCE_COLOR;
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.TERM === 'dumb') return false;
  return stream.isTTY === true;
}

/** Colours text when the stream it is meant for wants colours; the meaning must stand in the words alone. */
export function paint(stream: { isTTY?: boolean }, colour: Colour, text: string): string {
  if (!wantsColour(stream)) return text;
  // styleText looks at the environment by itself in newer versions of Node.js; the decision was made above.
  return styleText(colour, text, { validateStream: false });
}

// Escape, bell, carriage return, C1 controls, what turns the direction of text around or ends a line, and what is never shown;
// not the tab.
const hidden = '\\p{Bidi_Control}\\p{Zl}\\p{Zp}\\u{fff9}-\\u{fffb}\\u{e0000}-\\u{e007f}';
const controls = new RegExp(`[^\\P{Cc}\\t]|[${hidden}]`, 'gu');
const colour = '\\u{1b}\\[[\\d;]*m';
const uncoloured = new RegExp(`${colour}|[^\\P{Cc}\\t\\n]|[${hidden}]`, 'gu');

/**
 * Text that came from elsewhere, for a terminal: what could move the cursor, rename the window or fill the clipboard of
 * the reader is shown as `\x1b`. Pods, agents and packs are other people's.
 */
export function printable(text: string): string {
  return text.replace(controls, shown);
}

/**
 * The last look at everything that is written to a stream: a terminal gets lines, tabs and colours, and sees all other controls
 * written out. What comes here is whole lines of ours, in which what came from elsewhere should be printable already.
 */
export function fitFor(text: string, stream: { isTTY?: boolean }): string {
  if (stream.isTTY !== true) return text;
  return text.replace(uncoloured, (found) => (found.length > 1 && found.startsWith('\u001b') ? found : shown(found)));
}

/** JSON or YAML for a terminal: `as` writes a control so that a program that reads the text back gets the same value. */
export function escapeControls(text: string, as: (control: string) => string): string {
  return text.replace(new RegExp(`[^\\P{Cc}\\n]|[${hidden}]`, 'gu'), as);
}

function shown(control: string): string {
  const code = (control.codePointAt(0) ?? 0).toString(16);
  if (code.length <= 2) return `\\x${code.padStart(2, '0')}`;
  return code.length <= 4 ? `\\u${code}` : `\\u{${code}}`;
}

/** Whether a spinner may move on this stream. */
export function mayAnimate(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && env.TERM !== 'dumb' && !env.CI;
}

/** Width of a terminal; 80 for everything that is none. */
export function widthOf(stream: TerminalStream): number {
  return stream.isTTY === true && stream.columns !== undefined && stream.columns >= 40 ? stream.columns : 80;
}

/** The width to fit lines to; nothing where no person reads them. */
export function fittingWidth(stream: TerminalStream = process.stdout): number | undefined {
  return stream.isTTY === true ? widthOf(stream) : undefined;
}

/** Says what may go wrong. */
export function warn(text: string): void {
  say(`${paint(process.stderr, 'yellow', 'warning:')} ${printable(text)}`);
}

/** Writes a line to stderr, where everything goes that is not data. */
export function say(text: string): void {
  process.stderr.write(fitFor(`${text}\n`, process.stderr));
}
