const CUT = ' … (cut at 16 KiB)';

/** The longest line kept; what is beyond is cut off and said so. */
export const LONGEST_LINE = 16 * 1024 - CUT.length;

/**
 * Joins pieces of text to whole lines and bounds their length, however they arrive. What a carriage return starts again stands in
 * place of what was before it, as on a terminal: of a progress bar the last state is kept.
 */
export class LineSplitter {
  #open = '';
  #cutting = false;
  #returned = false;
  #handedOn = false;

  constructor(
    private readonly onLine: (line: string) => void,
    private readonly longest = LONGEST_LINE,
  ) {}

  /** Whether there is text that no line end has come for. */
  get isOpen(): boolean {
    return this.#open !== '' || this.#cutting;
  }

  push(text: string): void {
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      this.#extend(text.slice(from, end));
      // Nothing has come since the line was handed on but its end.
      if (this.isOpen || !this.#handedOn) this.#close();
      this.#handedOn = false;
      from = end + 1;
    }
    if (from < text.length) this.#extend(text.slice(from));
  }

  /** Hands on what stands without a line end; what follows is a line of its own. */
  flush(): void {
    if (!this.isOpen) return;
    this.#close();
    this.#handedOn = true;
  }

  /** The stream is over: what stands without a line end is a line too. */
  end(): void {
    if (this.isOpen) this.#close();
  }

  #extend(piece: string): void {
    for (const [at, part] of piece.split('\r').entries()) {
      if (at > 0) this.#returned = true;
      this.#append(part);
    }
  }

  #append(part: string): void {
    if (part === '') return;
    if (this.#returned) {
      this.#open = '';
      this.#cutting = false;
      this.#returned = false;
    }
    if (this.#cutting) return;
    const room = this.longest - this.#open.length;
    if (part.length > room) this.#cutting = true;
    this.#open += part.slice(0, room);
  }

  #close(): void {
    const text = this.#cutting ? this.#open + CUT : this.#open;
    this.#open = '';
    this.#cutting = false;
    this.#returned = false;
    this.onLine(text);
  }
}
