import type { PodLimits } from '../../executor/pod-limits.js';

/**
 * What is promised of a pod that has left the runtime's own wall. `strict`: it sees no process, file, socket file or namespace but
 * its own. `standard`: it cannot touch them, but sees that they are there. `none`: it is the user that the agent runs as.
 */
export type IsolationTier = 'strict' | 'standard' | 'none';

/** What a process may touch of its machine. */
export interface Place {
  /** Its own folder, where it works and may write. */
  folder: string;
  /** Files and folders that it may read beside those of the system that Node.js itself needs. */
  readable: readonly string[];
  limits: PodLimits;
}

/** A command line around a program. */
export interface Enclosure {
  /** The program comes after it. */
  command: readonly string[];
  /** Its file descriptors from 4 on. Those that are numbers are closed when it has started. */
  files?: readonly (number | 'pipe')[];
  /** Where among its descriptors it says which process of the system the first one inside is. */
  informs?: number;
}

/** What the kernel puts between a pod and its machine. */
export interface Wall {
  readonly tier: IsolationTier;
  /** What it is made of. */
  readonly by: readonly string[];
  /** Whether a signal that ends the pod is told as an exit code above 128. */
  readonly hidesSignals: boolean;
  enclose(place: Place): Enclosure;
}
