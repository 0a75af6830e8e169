import { Writable } from 'node:stream';
import { usageError } from '@stark-o/core';
import pino from 'pino';
import pretty from 'pino-pretty';
import type { AgentLog } from '../ports/agent-log.js';

/** Colours stay; what else could move the cursor or turn text around, and came with somebody's words, is written out. */
const CONTROLS = new RegExp(
  `${'\u001b'}\\[[\\d;]*m|[^\\P{Cc}\\t\\n]|[\\p{Bidi_Control}\\p{Zl}\\p{Zp}\\u{fff9}-\\u{fffb}\\u{e0000}-\\u{e007f}]`,
  'gu',
);

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** How much is logged: what STARK_LOG_LEVEL says, else LOG_LEVEL, which may be meant for another program and say what we do not know. */
export function logLevel(env: NodeJS.ProcessEnv = process.env): string {
  const own = env.STARK_LOG_LEVEL?.toLowerCase();
  if (own && !LEVELS.includes(own))
    throw usageError(`STARK_LOG_LEVEL is "${own}"`, `set it to one of ${LEVELS.join(', ')}`);
  const shared = env.LOG_LEVEL?.toLowerCase() ?? '';
  return own || (LEVELS.includes(shared) ? shared : 'info');
}

/** The agent's own log: JSON lines, or readable ones when a person watches. */
export function createAgentLog(level = logLevel(), out = process.stderr): AgentLog {
  const options: pino.LoggerOptions = {
    level,
    base: { service: 'agent' },
    messageKey: 'message',
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  };
  // The reader of the log may end, and a disk may be full: neither must end the pods.
  if (out.listenerCount('error') === 0) out.on('error', () => {});
  if (!out.isTTY) return pino(options, out);
  const stream = pretty({
    destination: forTerminal(out),
    messageKey: 'message',
    timestampKey: 'timestamp',
    // The line says it in words.
    ignore: 'service,node,node_id,pod_id,pod,status,reason',
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
  });
  return pino(options, stream);
}

function forTerminal(terminal: NodeJS.WritableStream): Writable {
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
