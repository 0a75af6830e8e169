import { LONGEST_LINE } from '../shared/line-splitter.js';
import type { PodLine } from './protocol.js';

const FLUSH_MS = 50;
const FLUSH_AT = 200;
const WINDOW_MS = 250;
/** What one window may bring, as much as Node.js is read from a pod. */
const MAX_CHARACTERS = 512 * 1024;
const MAX_LINES = 2_000;

/** Gathers what a pod writes, so that a flood costs messages by the hundred lines and loses only its own. */
export class Lines {
  #waiting: PodLine[] = [];
  #dropped = 0;
  #windowStart = 0;
  #taken = 0;
  #characters = 0;
  #scheduled = false;
  readonly #later = setTimeout.bind(globalThis);

  constructor(private readonly send: (lines: PodLine[], dropped: number) => void) {}

  print(stream: 'stdout' | 'stderr', text: string): void {
    this.add({ stream, text: text.slice(0, LONGEST_LINE) }, text.length);
  }

  add(line: PodLine, characters: number): void {
    const now = performance.now();
    if (now - this.#windowStart > WINDOW_MS) {
      this.#windowStart = now;
      this.#taken = 0;
      this.#characters = 0;
    }
    this.#taken += 1;
    this.#characters += characters;
    if (this.#taken > MAX_LINES || this.#characters > MAX_CHARACTERS) this.#dropped += 1;
    else this.#waiting.push(line);
    if (this.#waiting.length >= FLUSH_AT) this.flush();
    else this.#schedule();
  }

  flush(): void {
    if (this.#waiting.length === 0 && this.#dropped === 0) return;
    this.send(this.#waiting, this.#dropped);
    this.#waiting = [];
    this.#dropped = 0;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#later(() => {
      this.#scheduled = false;
      this.flush();
    }, FLUSH_MS);
  }
}
