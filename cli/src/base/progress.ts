import { mayAnimate, paint, printable, widthOf } from './terminal.js';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/**
 * What is going on, on stderr: one moving line on a terminal, and on anything else one line for each change, so that a
 * log file reads as a story.
 */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  /** Whether there is one moving line, and not a line for each change. */
  readonly animated: boolean;
  #text = '';
  /** What was said already where every line stays: of two states that change places each is said once. */
  readonly #said = new Set<string>();
  #frame = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
    this.animated = mayAnimate(stream);
  }

  /** Says what is being done now. The same text again says nothing new. */
  now(said: string): void {
    const text = printable(said);
    if (text === this.#text) return;
    this.#text = text;
    if (!this.animated) {
      if (this.#said.has(text)) return;
      this.#said.add(text);
      this.#stream.write(`${text}\n`);
      return;
    }
    this.#timer ??= setInterval(() => this.#draw(), 90).unref();
    this.#draw();
  }

  /** Leaves a line standing: something was done. */
  done(text: string): void {
    this.#leave(paint(this.#stream, 'green', '✓'), text);
  }

  /** Leaves a line standing: something went wrong. */
  failed(text: string): void {
    this.#leave(paint(this.#stream, 'red', '✗'), text);
  }

  /** Takes the moving line away. */
  clear(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.animated && this.#text !== '') this.#stream.write('\r\u001b[2K');
    this.#text = '';
  }

  #leave(mark: string, text: string): void {
    this.clear();
    this.#stream.write(`${mark} ${printable(text)}\n`);
  }

  #draw(): void {
    const frame = frames[this.#frame++ % frames.length] ?? '';
    const room = widthOf(this.#stream) - 3;
    const text = this.#text.length > room ? `${this.#text.slice(0, room - 1)}…` : this.#text;
    this.#stream.write(`\r\u001b[2K${paint(this.#stream, 'cyan', frame)} ${text}`);
  }
}
