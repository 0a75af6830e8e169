import { accessSync, constants } from 'node:fs';
import { homedir, userInfo } from 'node:os';

/**
 * Lets the rest of the program ask for its account's home and shell. Both may be missing: a container can run under a number
 * that nobody has named (OpenShift gives each one another), and then Node.js throws, as early as oclif is loaded. Or the home
 * is that of the account before, which this one may not enter. Then `/` is the home, as container runtimes have it; what is
 * there was put there by root.
 */
export function completeAccount(env: NodeJS.ProcessEnv = process.env): void {
  // An empty one would make the folder of the moment the home.
  if (env.HOME === '') delete env.HOME;
  if (!succeeds(() => accessSync(homedir(), constants.X_OK), 'ENOENT')) env.HOME = '/';
  if (env.SHELL === undefined && !succeeds(userInfo)) env.SHELL = '/bin/sh';
}

function succeeds(ask: () => unknown, pardoned?: string): boolean {
  try {
    ask();
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === pardoned;
  }
}

completeAccount();
