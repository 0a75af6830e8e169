import { lstat, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Context, Contexts } from '../config/contexts.js';
import { configDirectory, upwards } from '../config/directories.js';
import { refuseForeign } from '../config/owner.js';
import { resolveSettings } from '../config/settings.js';

/** The folder whose supabase/ comes with this program. */
export const bundledProject = fileURLToPath(new URL('../../../', import.meta.url));

/** The folder whose supabase/ a stack runs: the nearest one above us, else the one that comes with this program. */
export async function findWorkdir(from: string = process.cwd()): Promise<string> {
  for (const folder of upwards(from)) {
    const path = join(folder, 'supabase', 'config.toml');
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) continue;
    // Its functions and migrations run on the stack that is started.
    for (const part of [folder, join(folder, 'supabase'), path]) refuseForeign(part, await lstat(part));
    refuseForeign(path, found);
    return folder;
  }
  return resolve(bundledProject);
}

/** Where a new stack keeps its data. */
export async function dataDirToStart(flag: string | undefined, workdir: string): Promise<string> {
  return resolve(flag ?? process.env.STARK_DATA_DIR ?? join(workdir, '.stark'));
}

/** The stack that is meant by `down` and `status`: the one named, else that of the context in force, else that of this folder. */
export async function dataDirInForce(flags: {
  'data-dir'?: string | undefined;
  context?: string | undefined;
}): Promise<string> {
  const named = flags['data-dir'] ?? process.env.STARK_DATA_DIR;
  if (named !== undefined) return resolve(named);
  const settings = await resolveSettings({ flags: { context: flags.context } });
  const name = settings.all.context.value;
  const context = name === undefined ? undefined : await new Contexts(settings.configDirectory).find(name);
  return context?.dataDir ?? dataDirToStart(undefined, await findWorkdir());
}

/**
 * Makes the stack that just started the cluster in force: context `local`, or `local-<port>` when that name belongs to
 * another stack which is still running.
 */
export async function useLocalContext(
  stack: Context & { dataDir: string },
  isRunning: (dataDir: string) => Promise<boolean>,
): Promise<string> {
  const contexts = new Contexts(configDirectory());
  const taken = await contexts.find('local');
  const byOther = taken?.dataDir !== undefined && taken.dataDir !== stack.dataDir && (await isRunning(taken.dataDir));
  const name = byOther ? `local-${new URL(stack.url).port}` : 'local';
  const before = await contexts.find(name);
  await contexts.save(name, { ...(before?.namespace === undefined ? {} : { namespace: before.namespace }), ...stack });
  await contexts.use(name);
  return name;
}
