import { statfs } from 'node:fs/promises';
import { arch, availableParallelism, platform, totalmem } from 'node:os';
import type { Wall } from './walls/wall.js';

/**
 * Whose pods a node takes, beside its owner's and those of admins: nobody's, those of these namespaces, or everybody's. Where it says
 * nothing the cluster decides by what holds the pods.
 */
export interface Acceptance {
  accepts?: 'owner' | 'namespaces' | 'anyone' | undefined;
  acceptedNamespaces?: readonly string[] | undefined;
}

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

/** What is true of this machine and may matter to a pack: what holds its pods, too, and whose it takes. */
export function describeMachine({ tier, by }: Wall, acceptance: Acceptance): Record<string, unknown> {
  return {
    os: platform(),
    arch: arch(),
    nodeVersion: process.versions.node,
    isolation: { tier, by },
    ...(acceptance.accepts !== undefined && { accepts: acceptance.accepts }),
    ...(acceptance.acceptedNamespaces !== undefined && { acceptedNamespaces: acceptance.acceptedNamespaces }),
  };
}
