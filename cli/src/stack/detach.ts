import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type ErrorEnvelope, type ExitCode, StarkError } from '@stark-o/core/errors';
import type { StepEvent } from '@stark-o/local';
import { interrupted } from '../base/errors.js';
import { interruptSignal } from '../base/interrupt.js';
import type { StackObject } from './describe.js';

/** What the stack in the background tells the command that started it. */
export type FromBackground =
  | { step: StepEvent }
  | { ready: StackObject }
  | { failed: ErrorEnvelope['error']; exitCode: ExitCode };

/** Set for the process in the background, which then reports through its channel. */
export const backgroundVariable = 'STARK_IN_BACKGROUND';

/** Tells the command that waits for us, if there is one. */
export function tellForeground(message: FromBackground): void {
  if (process.env[backgroundVariable] !== undefined && process.connected) process.send?.(message);
}

/** Lets go of the command that waited for us. */
export function leaveForeground(): void {
  if (process.env[backgroundVariable] !== undefined && process.connected) process.disconnect();
}

/** Starts this program again in the background and waits until it says that it is ready, or why it is not. */
export async function startInBackground(
  argv: readonly string[],
  dataDir: string,
  onStep: (event: StepEvent) => void,
): Promise<StackObject> {
  const log = await freshLog(dataDir);
  const output = openSync(log, 'a', 0o600);
  const child = spawn(process.execPath, [process.argv[1] ?? '', ...argv], {
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
    env: { ...process.env, [backgroundVariable]: '1', NO_COLOR: '1' },
  });
  closeSync(output);
  const { signal, dispose } = interruptSignal();
  try {
    return await new Promise<StackObject>((resolve, reject) => {
      signal.addEventListener('abort', () => {
        child.kill('SIGTERM');
        reject(interrupted());
      });
      child.on('error', reject);
      child.on('exit', (code, by) => {
        const end = by === null ? `ended with ${code}` : `was killed by ${by}`;
        reject(new StarkError(`the stack ${end} before it was ready`, { code: 'STACK_ENDED', hint: `less ${log}` }));
      });
      child.on('message', (message: FromBackground) => {
        if ('step' in message) onStep(message.step);
        else if ('ready' in message) resolve(message.ready);
        else reject(toStarkError(message, log));
      });
    });
  } finally {
    dispose();
    child.removeAllListeners();
    if (child.connected) child.disconnect();
    child.unref();
  }
}

function toStarkError({ failed, exitCode }: Extract<FromBackground, { failed: unknown }>, log: string): StarkError {
  const { code, message, hint, details } = failed;
  return new StarkError(message, { code, hint: hint ?? `less ${log}`, details: details ?? undefined, exitCode });
}

// The log of the run before is kept, since that is the one to read after a crash; older ones are not.
async function freshLog(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const log = join(dataDir, 'stack.log');
  await rename(log, `${log}.1`).catch(() => {});
  return log;
}
