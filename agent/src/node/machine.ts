import { statfs } from 'node:fs/promises';
import { arch, availableParallelism, platform, totalmem } from 'node:os';
import type { Wall } from './walls/wall.js';

/**
 * Whose packs a node takes, beside its owner's and those of admins: nobody's; those of pods in namespaces where its owner may create
 * pods, too; everybody's public ones.
 */
export type Acceptance = 'owner' | 'namespaces' | 'anyone';

const MB = 1024 * 1024;
/** Kept for the system and the agent itself. */
const SPARE_MEMORY_MB = 512;
const DEFAULT_PODS = 110;

/** What this machine offers when nobody said otherwise: millicores, MB, MB, a count. */
export async function measureMachine(directory: string): Promise<Record<string, number>> {
  const memory = Math.floor(totalmem() / MB);
  const disk = await statfs(directory).catch(() => undefined);
  return {
    cpu: availableParallelism() * 1000,
    memory: Math.max(Math.floor(memory / 2), memory - SPARE_MEMORY_MB),
    storage: disk === undefined ? 0 : Math.floor((disk.bavail * disk.bsize) / MB),
    pods: DEFAULT_PODS,
  };
}

/** What is true of this machine and may matter to a pack: what holds its pods, too, and whose packs it takes. */
export function describeMachine({ tier, by }: Wall, accepts: Acceptance | undefined): Record<string, unknown> {
  return {
    os: platform(),
    arch: arch(),
    nodeVersion: process.versions.node,
    isolation: { tier, by },
    accepts: accepts ?? (tier === 'none' ? 'owner' : 'anyone'),
  };
}
