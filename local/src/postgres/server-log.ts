import type { Logger } from 'pino';

const LINE = /^\S+ \S+ \S+ \[\d+\] (?:(?<who>\S+@\S+) )?(?<severity>[A-Z]+\d?): {2}(?<message>.*)$/;

const LEVELS: Record<string, 'debug' | 'info' | 'warn' | 'error'> = {
  LOG: 'debug',
  INFO: 'debug',
  NOTICE: 'debug',
  // An ERROR is the answer to somebody's statement, and that somebody has it.
  ERROR: 'debug',
  WARNING: 'warn',
  FATAL: 'warn',
  PANIC: 'error',
};

/** Turns what the server writes into log lines, and keeps the last ones for the message of a failed start. */
export class ServerLog {
  readonly #log: Logger;
  #rest = '';
  #recent: string[] = [];
  #waiting: { text: string; resolve: () => void }[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Takes a piece of the server's error stream. */
  write(chunk: string): void {
    const lines = (this.#rest + chunk).split(/\r?\n/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  /** Settles when the server has said a line with this text. */
  seen(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ text, resolve });
    });
  }

  /** The last lines, newest last. */
  recent(): string {
    return this.#recent.join('\n');
  }

  #line(line: string): void {
    if (line.trim() === '') return;
    this.#recent.push(line);
    if (this.#recent.length > 12) this.#recent.shift();
    const { severity = 'LOG', message = line, who } = LINE.exec(line)?.groups ?? {};
    // Said once for every session that a shutdown ends.
    const expected = message.startsWith('terminating connection due to administrator command');
    this.#log[expected ? 'debug' : (LEVELS[severity] ?? 'debug')]({ severity, ...(who ? { who } : {}) }, message);
    this.#waiting = this.#waiting.filter((entry) => {
      if (!line.includes(entry.text)) return true;
      entry.resolve();
      return false;
    });
  }
}
