import pino from 'pino';
import pretty from 'pino-pretty';
import type { AgentLog } from '../reconciler/adapters.js';

/** The agent's own log: JSON lines, or readable ones when a person watches. */
export function createAgentLog(level = process.env.STARK_LOG_LEVEL ?? 'info', out = process.stderr): AgentLog {
  const options: pino.LoggerOptions = {
    level,
    base: { service: 'agent' },
    messageKey: 'message',
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  };
  if (!out.isTTY) return pino(options, out);
  const stream = pretty({
    destination: out,
    messageKey: 'message',
    timestampKey: 'timestamp',
    ignore: 'service,node_id,pod_id',
    translateTime: 'SYS:HH:MM:ss.l',
  });
  return pino(options, stream);
}
