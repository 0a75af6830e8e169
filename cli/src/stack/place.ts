import { lstat, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { usageError } from '@stark-o/core/errors';
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

/** Where a new stack keeps its data: as it is told, in the folder of a context that is named, else in the project's. */
export async function dataDirToStart(
  flags: { 'data-dir'?: string | undefined; context?: string | undefined },
  workdir: string,
): Promise<string> {
  const named = flags['data-dir'] ?? process.env.STARK_DATA_DIR;
  if (named !== undefined) return resolve(named);
  if (flags.context === undefined) return resolve(join(workdir, '.stark'));
  return ofThisMachine(flags.context, await new Contexts(configDirectory()).get(flags.context));
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
  if (name === undefined || context === undefined) return dataDirToStart({}, await findWorkdir());
  return ofThisMachine(name, context);
}

/** The data of a context's stack. One that runs elsewhere has no stack here, and another stack would be taken for it. */
function ofThisMachine(name: string, { url, dataDir }: Context): string {
  if (dataDir !== undefined) return dataDir;
  throw usageError(
    `context ${name} is ${url}, no cluster that runs on this machine`,
    `stark doctor --context ${name} looks at it; --data-dir, or another --context, names one of this machine`,
  );
}

/** The context of a stack that has just started, and whether it is the one in force. */
export interface LocalContext {
  name: string;
  current: string;
}

/**
 * Gives the stack that just started a context: `local`, or `local-<port>` when that name belongs to another stack which is still
 * running. It comes in force unless one is that leads elsewhere, to a stack that runs or to another machine.
 */
export async function addLocalContext(
  stack: Context & { dataDir: string },
  isRunning: (dataDir: string) => Promise<boolean>,
): Promise<LocalContext> {
  const contexts = new Contexts(configDirectory());
  const isOther = async ({ dataDir }: Context) => dataDir !== stack.dataDir && (await leadsSomewhere(dataDir));
  const leadsSomewhere = async (dataDir: string | undefined) => dataDir === undefined || (await isRunning(dataDir));
  const taken = await contexts.find('local');
  const own = (await contexts.list()).find(({ dataDir }) => dataDir === stack.dataDir)?.name;
  const name = taken !== undefined && (await isOther(taken)) ? (own ?? `local-${new URL(stack.url).port}`) : 'local';
  const before = await contexts.find(name);
  await contexts.save(name, { ...(before?.namespace === undefined ? {} : { namespace: before.namespace }), ...stack });
  const current = await contexts.current();
  const inForce = current === undefined ? undefined : await contexts.find(current);
  if (current !== undefined && inForce !== undefined && (await isOther(inForce))) return { name, current };
  await contexts.use(name);
  return { name, current: name };
}
