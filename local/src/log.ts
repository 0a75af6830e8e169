import type { Writable } from 'node:stream';
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

/** The stack's logger. Every line carries timestamp, level, service and message, and a correlation_id where one is known. */
export function createLogger(options: LogOptions = {}): Logger {
  const destination = options.destination ?? process.stderr;
  const isTerminal = 'isTTY' in destination && destination.isTTY === true;
  const stream: DestinationStream =
    (options.pretty ?? isTerminal) ? pretty({ ...prettyOptions, destination, colorize: isTerminal }) : destination;
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
