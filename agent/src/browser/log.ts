import type { AgentLog } from '../ports/agent-log.js';
import type { BrowserLogLine } from './protocol.js';

/** The agent's own log, handed to the page line by line. */
export function createAgentLog(write: (line: BrowserLogLine) => void, base: Record<string, unknown> = {}): AgentLog {
  const at = (level: BrowserLogLine['level']) => (fields: object, message: string) =>
    write({ level, message, fields: { ...base, ...fields } });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => createAgentLog(write, { ...base, ...fields }),
  };
}
