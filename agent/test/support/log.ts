import type { AgentLog } from '../../src/ports/agent-log.js';

export interface LoggedLine {
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

/** A log that remembers. */
export function memoryLog(lines: LoggedLine[] = []): AgentLog & { lines: LoggedLine[] } {
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, fields: fields as Record<string, unknown> });
  };
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => memoryLog(lines),
  };
}
