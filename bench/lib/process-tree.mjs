import { readdirSync, readFileSync } from 'node:fs';

/**
 * Memory of a process and all its descendants, in MB (Linux). RSS counts a page once for every process that maps it;
 * PSS shares it out among them, so the sum of PSS is what the tree really takes.
 */
export function memoryOfTree(rootPid) {
  const children = new Map();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = parentOf(entry);
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const pids = [rootPid];
  for (const pid of pids) pids.push(...(children.get(pid) ?? []));
  const processes = pids.map(memoryOf).filter((found) => found !== null);
  const sum = (key) => processes.reduce((total, found) => total + found[key], 0);
  return { processes, rssMb: sum('rssMb'), pssMb: sum('pssMb') };
}

function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name may hold spaces and brackets; what follows its last bracket does not.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null; // it ended while we looked
  }
}

function memoryOf(pid) {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    const mb = (key) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) / 1_024;
    const name = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim().slice(0, 80);
    return { pid, name, rssMb: mb('Rss'), pssMb: mb('Pss') };
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return null;
    throw new Error(`Memory of process ${pid} cannot be read: ${error.message}`, { cause: error });
  }
}
