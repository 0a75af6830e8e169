import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of processor time in a second; every Linux has said 100 for as long as there is a Node.js. */
const TICKS_PER_SECOND = 100;

/** Seconds of processor time a process or one of its threads has used so far; undefined when it is gone, or without /proc. */
export function cpuSeconds(pid: number, thread?: number): number | undefined {
  const fields = statOf(thread === undefined ? `/proc/${pid}/stat` : `/proc/${pid}/task/${thread}/stat`);
  return fields === undefined ? undefined : (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory of a process in MB; undefined when it is gone, or without /proc. */
export function residentMb(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}

/**
 * When a process started: which boot of the machine, and ticks since then. No other process ever has the same number and the
 * same start. Undefined where there is no /proc or no such process.
 */
export function startOf(pid: number): string | undefined {
  const ticks = statOf(`/proc/${pid}/stat`)?.[19];
  return ticks === undefined ? undefined : `${bootId()} ${ticks}`;
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

// The name in parentheses may hold spaces; what follows it is the third field on.
function statOf(path: string): string[] | undefined {
  try {
    const stat = readFileSync(path, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** A measure of several processes together; undefined when it is known of none. */
export function sumOf(pids: readonly number[], measure: (pid: number) => number | undefined): number | undefined {
  const known = pids.map((pid) => measure(pid)).filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}

/** The processes that a process has started, and those that these have; empty without /proc. */
export function descendants(pid: number): number[] {
  const found: number[] = [];
  for (let at = pid as number | undefined, next = 0; at !== undefined; at = found[next++]) {
    for (const thread of tasksOf(at)) found.push(...childrenOf(at, thread).filter((child) => !found.includes(child)));
  }
  return found;
}

/** Whether no thread of a process runs: it was stopped, or has ended; true without /proc. */
export function standsStill(pid: number): boolean {
  return tasksOf(pid).every((thread) => 'TtXZ'.includes(statOf(`/proc/${pid}/task/${thread}/stat`)?.[0] ?? 'X'));
}

/** Whether a process is one that another has started, and not another one with its number. */
export function isChild(pid: number, parent: number): boolean {
  return tasksOf(parent).some((thread) => childrenOf(parent, thread).includes(pid));
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function childrenOf(pid: number, thread: string): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
