import { resolve } from 'node:path';
import { askStack } from './control.js';
import type { StackStatus } from './status.js';

// What a program asks of a stack in another process. It stands apart from the stack itself, which takes a second to load.

/** What the stack that owns a data directory says of itself; undefined when none is running there. */
export async function readStackState(dataDir: string): Promise<StackStatus | undefined> {
  return (await askStack(resolve(dataDir), 'status')) as StackStatus | undefined;
}

/** Stops the stack that owns a data directory and waits for its end; false when none was running. */
export async function stopStack(dataDir: string): Promise<boolean> {
  return (await askStack(resolve(dataDir), 'stop', 60_000)) !== undefined;
}
