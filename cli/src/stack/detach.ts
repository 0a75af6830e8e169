import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ErrorEnvelope, type ExitCode, StarkError } from '@stark-o/core/errors';
import type { StepEvent } from '@stark-o/local';
import { interrupted } from '../base/errors.js';
import { interruptSignal } from '../base/interrupt.js';
import type { StackObject } from './describe.js';

/** What the stack in the background tells the command that started it. */
export type FromBackground =
  | { step: StepEvent }
  | { ready: StackObject; current: string }
  | { failed: ErrorEnvelope['error']; exitCode: ExitCode };

/** A stack that runs in the background, and the context in force. */
export interface StartedInBackground {
  stack: StackObject;
  current: string;
}

/** Set for the process in the background, which then reports through its channel. */
export const backgroundVariable = 'STARK_IN_BACKGROUND';

/** Whether this process is the one in the background. */
export const isInBackground = (): boolean => process.env[backgroundVariable] !== undefined;

/** Tells the command that waits for us, if there is one. */
export function tellForeground(message: FromBackground): void {
  if (isInBackground() && process.connected) process.send?.(message);
}

/** Lets go of the command that waited for us. */
export function leaveForeground(): void {
  if (isInBackground() && process.connected) process.disconnect();
}

/** Starts this program again in the background and waits until it says that it is ready, or why it is not. */
export async function startInBackground(
  argv: readonly string[],
  dataDir: string,
  onStep: (event: StepEvent) => void,
): Promise<StartedInBackground> {
  const log = new StartLog(dataDir);
  const output = await log.open();
  const child = spawn(process.execPath, [...noDebugger(), process.argv[1] ?? '', ...argv], {
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
    env: { ...process.env, [backgroundVariable]: '1', NO_COLOR: '1' },
  });
  closeSync(output);
  const { signal, dispose } = interruptSignal();
  try {
    const started = await new Promise<StartedInBackground>((resolve, reject) => {
      signal.addEventListener('abort', () => {
        child.kill('SIGTERM');
        reject(interrupted());
      });
      child.on('error', reject);
      child.on('exit', (code, by) => {
        const end = by === null ? `ended with ${code}` : `was killed by ${by}`;
        reject(
          new StarkError(`the stack ${end} before it was ready`, { code: 'STACK_ENDED', hint: `less ${log.path}` }),
        );
      });
      child.on('message', (message: FromBackground) => {
        if ('step' in message) onStep(message.step);
        else if ('ready' in message) resolve({ stack: message.ready, current: message.current });
        else reject(toStarkError(message, log.path));
      });
    });
    log.keep();
    return started;
  } catch (error) {
    // Another stack is at home there: the log in place is the other's.
    if ((error as StarkError).code === 'DATA_DIR_IN_USE') log.discard();
    else log.keep();
    throw error;
  } finally {
    dispose();
    child.removeAllListeners();
    if (child.connected) child.disconnect();
    child.unref();
  }
}

// Where Node.js knows it: then not even the moment before our own listener stands is left.
const noDebugger = () => ['--disable-sigusr1'].filter((flag) => process.allowedNodeEnvironmentFlags.has(flag));

function toStarkError({ failed, exitCode }: Extract<FromBackground, { failed: unknown }>, log: string): StarkError {
  const { code, message, hint, details } = failed;
  return new StarkError(message, { code, hint: hint ?? `less ${log}`, details: details ?? undefined, exitCode });
}

/**
 * The log of a stack in the background. It is written under a name of its own until it is known whether the stack may
 * have the data directory at all; the log of the run before is kept, since that is the one to read after a crash.
 */
class StartLog {
  readonly path: string;
  readonly #dataDir: string;
  readonly #temporary: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.path = join(dataDir, 'stack.log');
    this.#temporary = `${this.path}.${process.pid}`;
  }

  async open(): Promise<number> {
    try {
      await mkdir(this.#dataDir, { recursive: true, mode: 0o700 });
      return openSync(this.#temporary, 'a', 0o600);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new StarkError(`cannot write to data directory ${this.#dataDir}: ${code}`, {
        code: 'DATA_DIR_UNWRITABLE',
        hint: 'choose another one with --data-dir',
        cause: error,
      });
    }
  }

  keep(): void {
    if (existsSync(this.path)) renameSync(this.path, `${this.path}.1`);
    renameSync(this.#temporary, this.path);
  }

  discard(): void {
    rmSync(this.#temporary, { force: true });
  }
}
