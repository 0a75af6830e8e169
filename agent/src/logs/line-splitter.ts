const CUT = ' … (cut at 16 KiB)';

/** The longest line kept; what is beyond is cut off and said so. */
export const LONGEST_LINE = 16 * 1024 - CUT.length;

/** Joins pieces of text to whole lines and bounds their length, however they arrive. */
export class LineSplitter {
  #open = '';
  #cutting = false;

  constructor(
    private readonly onLine: (line: string) => void,
    private readonly longest = LONGEST_LINE,
  ) {}

  push(text: string): void {
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      this.#extend(text.slice(from, end));
      this.#close();
      from = end + 1;
    }
    if (from < text.length) this.#extend(text.slice(from));
  }

  /** The stream is over: what stands without a line end is a line too. */
  end(): void {
    if (this.#open !== '' || this.#cutting) this.#close();
  }

  #extend(piece: string): void {
    if (this.#cutting) return;
    const room = this.longest - this.#open.length;
    if (piece.length > room) this.#cutting = true;
    this.#open += piece.slice(0, room);
  }

  #close(): void {
    const line = this.#open.endsWith('\r') ? this.#open.slice(0, -1) : this.#open;
    const text = this.#cutting ? line + CUT : line;
    this.#open = '';
    this.#cutting = false;
    this.onLine(text);
  }
}
