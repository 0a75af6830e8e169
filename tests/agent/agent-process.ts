import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { NodeAgentOptions } from '@stark-o/agent/node';

const SCRIPT = fileURLToPath(new URL('agent-process.mjs', import.meta.url));

/** Stands on stderr once for each message that its machine has lost. */
export const LOST = 'a message is lost';

/** What is wrong with the agent's machine. */
export interface MachineFaults {
  /** Its clock shows so much more than the time it is. */
  clockAheadMs?: number;
  /** The part of all messages on its WebSockets that is lost, both ways. */
  loss?: number;
}

/** An agent in a process of its own, which a test can kill or freeze; resolves when the agent has started. */
export async function startAgentProcess(options: NodeAgentOptions, faults: MachineFaults = {}): Promise<ChildProcess> {
  const broken = JSON.stringify({ ...faults, lostLine: LOST });
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(options), broken], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const first = await Promise.race([once(lines, 'line'), once(child, 'exit')]);
  if (typeof first[0] !== 'string') throw new Error(`the agent ended at its start:\n${errors}`);
  return child;
}
