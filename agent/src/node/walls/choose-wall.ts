import { StarkError } from '@stark-o/core';
import type { AgentLog } from '../../ports/agent-log.js';
import { Launcher } from '../launcher.js';
import { Bubblewrap } from './bubblewrap.js';
import { Landlock } from './landlock.js';
import { RuntimeOnly } from './runtime-only.js';
import { tryWall } from './trial.js';
import { UserPool } from './user-pool.js';
import type { IsolationTier, Wall } from './wall.js';
import { WallFiles } from './wall-files.js';

/** What an agent is asked for: a tier, or the best that holds on its machine. */
export type Isolation = IsolationTier | 'auto';

export const ISOLATIONS: readonly Isolation[] = ['auto', 'strict', 'standard', 'none'];

export interface WallOptions {
  isolation: Isolation;
  /** The agent's own folder. */
  dataDir: string;
  /** Where the folders of pods are. */
  podsDir: string;
  /** The program a pod's process runs; only tests set it. */
  runtime?: string | undefined;
  log: AgentLog;
}

/**
 * Chooses what stands between pods and this machine, by doing: the very command line that pods get runs a program that tries what no
 * pod may. Versions and settings of the system are not asked, since they say little: kernels, containers and unit files take away
 * what a package promises.
 */
export async function chooseWall({ isolation, dataDir, podsDir, runtime, log }: WallOptions): Promise<Wall> {
  if (isolation === 'none') return new RuntimeOnly();
  const problems: string[] = [];
  if (process.platform === 'linux') {
    const files = new WallFiles(dataDir, UserPool.find(podsDir));
    // An agent that is root needs another user for each pod: root would own everything behind its own wall, too.
    const isStuckRoot = process.getuid?.() === 0 && files.users === undefined;
    const found = isStuckRoot ? [] : [Bubblewrap.find(files), Landlock.find(files)];
    if (isStuckRoot) problems.push('root may not become another user here');
    for (const wall of found) {
      if (wall === undefined || (isolation !== 'auto' && wall.tier !== isolation)) continue;
      const problem = await tryWall(new Launcher(wall, runtime), { folder: dataDir, files });
      if (problem === undefined) return wall;
      problems.push(`${wall.by.join(' and ')}: ${problem}`);
      log.debug({ wall: wall.by, problem }, 'a wall does not hold');
    }
  }
  if (isolation !== 'auto') throw unavailable(isolation, problems);
  log.warn(
    { isolation: 'none', problems },
    `pods are held by Node.js alone, so this node takes its owner's and admins' packs only; for more: ${howToGetMore()}`,
  );
  return new RuntimeOnly();
}

function howToGetMore(): string {
  if (process.platform !== 'linux') return 'run the agent on Linux (or in WSL2)';
  return 'install bubblewrap (apt-get install bubblewrap), or see docs/security.md';
}

function unavailable(isolation: Isolation, problems: readonly string[]): StarkError {
  const why = problems.length === 0 ? '' : `: ${problems.join('; ')}`;
  return new StarkError(`this machine has no isolation "${isolation}"${why}`, {
    code: 'ISOLATION_UNAVAILABLE',
    hint: `${howToGetMore()}; or start the agent with --isolation auto`,
  });
}
