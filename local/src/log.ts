import { Writable } from 'node:stream';
import { type DestinationStream, type Logger, pino } from 'pino';
import { type PrettyOptions, build as pretty } from 'pino-pretty';

export type { Logger } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Where the log goes and how it looks: JSON lines for machines, one coloured line for people. */
export interface LogOptions {
  level?: LogLevel;
  pretty?: boolean;
  destination?: Writable;
}

const prettyOptions: PrettyOptions = {
  sync: true,
  timestampKey: 'timestamp',
  messageKey: 'message',
  translateTime: 'SYS:HH:MM:ss.l',
  ignore: 'service,correlation_id',
  messageFormat: '{service} · {message}',
};

/** Colours stay; what else could move the cursor or turn text around, and came with somebody's words, is written out. */
const CONTROLS = new RegExp(
  `${'\u001b'}\\[[\\d;]*m|[^\\P{Cc}\\t\\n]|[\\p{Bidi_Control}\\p{Zl}\\p{Zp}\\u{fff9}-\\u{fffb}\\u{e0000}-\\u{e007f}]`,
  'gu',
);

/** The stack's logger. Every line carries timestamp, level, service and message, and a correlation_id where one is known. */
export function createLogger(options: LogOptions = {}): Logger {
  const destination = options.destination ?? process.stderr;
  // The reader of the log may end, and a disk may be full: neither must end the stack.
  if (destination.listenerCount('error') === 0) destination.on('error', () => {});
  const isTerminal = 'isTTY' in destination && destination.isTTY === true;
  const stream: DestinationStream =
    (options.pretty ?? isTerminal)
      ? pretty({
          ...prettyOptions,
          destination: isTerminal ? forTerminal(destination) : destination,
          colorize: isTerminal,
        })
      : destination;
  return pino(
    {
      level: options.level ?? 'info',
      // No service here: each part names its own, and pino would print both.
      base: {},
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
}

function forTerminal(terminal: Writable): Writable {
  return new Writable({
    write(text, _encoding, done) {
      terminal.write(writtenOut(String(text)));
      done();
    },
  });
}

function writtenOut(text: string): string {
  return text.replace(CONTROLS, (found) => {
    if (found.length > 1 && found.startsWith('\u001b')) return found;
    return `\\u{${found.codePointAt(0)?.toString(16)}}`;
  });
}
