import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

/** The module every function's process runs first. */
export const mainModule = fileURLToPath(new URL('../../deno/main.ts', import.meta.url));

/** The Deno binary of the npm package, or its launcher where the package keeps the binary elsewhere. */
export function denoCommand(): { command: string; args: string[] } {
  const folder = dirname(require.resolve('deno/package.json'));
  const binary = join(folder, process.platform === 'win32' ? 'deno.exe' : 'deno');
  return existsSync(binary)
    ? { command: binary, args: [] }
    : { command: process.execPath, args: [join(folder, 'bin.cjs')] };
}

/**
 * Where Linux can promise it, the kernel ends the child with its parent, even a child too busy to read its stdin;
 * elsewhere the closed pipe has to do.
 */
export function boundToParent({ command, args }: { command: string; args: string[] }): {
  command: string;
  args: string[];
} {
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => process.platform === 'linux' && existsSync(path));
  return setpriv ? { command: setpriv, args: ['--pdeathsig', 'KILL', command, ...args] } : { command, args };
}
