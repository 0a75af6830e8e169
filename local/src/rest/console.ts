import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';
import type { Logger } from 'pino';

const current = new AsyncLocalStorage<Logger>();
let installed = false;

/** Runs lite's code with what it prints (errors it already answered, notices) turned into lines of the log. */
export function quietly<T>(log: Logger, work: () => Promise<T>): Promise<T> {
  install();
  return current.run(log, work);
}

/** Only calls made inside `quietly` are taken; everybody else's console stays as it is. */
function install(): void {
  if (installed) return;
  installed = true;
  for (const method of ['log', 'info', 'warn', 'error'] as const) {
    const original = console[method].bind(console);
    console[method] = (...parts: unknown[]) => {
      const log = current.getStore();
      if (!log) return original(...parts);
      const text = parts.map((part) => (typeof part === 'string' ? part : inspect(part))).join(' ');
      log[method === 'error' ? 'warn' : 'debug']({ from: 'lite' }, text);
    };
  }
}
