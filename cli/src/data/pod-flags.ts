import { usageError } from '@stark-o/core/errors';
import type { PodPort } from '@stark-o/core/model';

/** Reads `NAME=value` pairs; the value may hold anything, further equals signs included. */
export function parseEnv(pairs: readonly string[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = equals < 0 ? pair : pair.slice(0, equals);
    if (equals < 0 || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw usageError(`"${pair}" is no environment variable`, 'write it as NAME=value');
    }
    env[name] = pair.slice(equals + 1);
  }
  return env;
}

/** Reads `http` (a random port of that name) or `http=8080` (that port). */
export function parsePort(text: string): PodPort {
  const [, name, port] = /^([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)(?:=(\d{1,5}))?$/.exec(text) ?? [];
  if (name === undefined) throw usageError(`"${text}" is no port`, 'write it as http or http=8080');
  if (port === undefined) return { name, strategy: 'random' };
  const number = Number(port);
  if (number < 1 || number > 65_535) throw usageError(`port ${number} of "${name}" is not between 1 and 65535`);
  return { name, strategy: 'fixed', port: number };
}
