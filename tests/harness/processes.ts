import { readdirSync, readFileSync } from 'node:fs';
import { waitFor } from './wait.js';

/** All processes below `pid`, with their command lines; Linux only, as CI is. */
export function descendants(pid: number): { pid: number; command: string }[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const parent = parentOf(Number(entry));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const below = (one: number): number[] => (children.get(one) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid).map((child) => ({ pid: child, command: commandOf(child) }));
}

/** Whether the process lives; a zombie does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits until none of the processes lives. */
export async function waitForEnd(processes: { pid: number; command: string }[], deadlineMs = 20_000): Promise<void> {
  await waitFor(
    `these processes to end: ${processes.map(({ pid, command }) => `${pid} ${command.slice(0, 60)}`).join('; ')}`,
    () => processes.every(({ pid }) => !isAlive(pid)),
    { deadlineMs },
  );
}

function parentOf(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
