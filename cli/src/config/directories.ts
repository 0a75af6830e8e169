import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Where settings and sessions are kept: STARK_CONFIG_DIR, else XDG_CONFIG_HOME/stark, else ~/.config/stark. */
export function configDirectory(env: NodeJS.ProcessEnv = process.env, home: string = homedir()): string {
  if (env.STARK_CONFIG_DIR) return resolve(env.STARK_CONFIG_DIR);
  return env.XDG_CONFIG_HOME ? join(env.XDG_CONFIG_HOME, 'stark') : join(home, '.config', 'stark');
}

/** The folder of earlier versions: read when it is there, never written. */
export function legacyDirectory(home: string = homedir()): string {
  return join(home, '.stark');
}

/** The folder itself and every one above it, nearest first. */
export function* upwards(from: string): Generator<string> {
  let folder = resolve(from);
  while (true) {
    yield folder;
    const parent = dirname(folder);
    if (parent === folder) return;
    folder = parent;
  }
}
