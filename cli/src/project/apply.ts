import { StarkError, usageError } from '@stark-o/core/errors';
import type { AppliedObjects } from '@stark-o/core/model';
import { deployments } from '@stark-o/core/resources';
import { Progress } from '../base/progress.js';
import { waitForRunning } from '../data/pod-wait.js';
import { findObjects } from '../data/query.js';
import { waitForRollout } from '../data/rollouts.js';
import type { Connection } from '../session/connection.js';
import type { LoadedObject, LoadedProject } from './load.js';
import { type BundledPack, bundleStated, uploadBundle } from './packs.js';

/** What is sent: the objects of files, with the bundles of their packs. */
export interface PreparedProject {
  name: string | undefined;
  objects: Record<string, unknown>[];
  places: string[];
  packs: BundledPack[];
}

/** Makes of files what is sent: packs are bundled, and deployments of such a pack get its version unless they state one. */
export async function prepareProject(loaded: LoadedProject): Promise<PreparedProject> {
  const progress = new Progress();
  try {
    const packs = new Map<LoadedObject, BundledPack>();
    for (const object of loaded.objects) {
      if (object.kind === 'pack' && object.fields.source !== undefined)
        packs.set(object, await bundleStated(object, progress));
    }
    const versions = new Map([...packs.values()].map(({ name, version }) => [name, version]));
    const objects = loaded.objects.map((object) => packs.get(object)?.object ?? toObject(object, versions));
    const places = loaded.objects.map(({ place }) => place);
    return { name: loaded.name, objects, places, packs: [...packs.values()] };
  } finally {
    progress.clear();
  }
}

function toObject(
  { kind, fields, place }: LoadedObject,
  versions: ReadonlyMap<string, string>,
): Record<string, unknown> {
  if (kind === 'pack') {
    const { name, visibility, description, ...rest } = fields;
    const [extra] = Object.keys(rest);
    if (name === undefined) throw usageError(`${place}: a pack needs a source, or the name of one that is there`);
    if (extra !== undefined) throw usageError(`${place}: ${extra} goes with the source of a pack`);
    return {
      kind,
      name,
      ...(visibility !== undefined && { visibility }),
      ...(description !== undefined && { description }),
    };
  }
  const bundled = kind === 'deployment' ? versions.get(String(fields.pack)) : undefined;
  const states = fields.version !== undefined || (fields.followLatest !== undefined && fields.followLatest !== false);
  return { kind, ...fields, ...(bundled !== undefined && !states && { version: bundled }) };
}

export interface ApplyOptions {
  prune?: boolean;
  dryRun?: boolean;
  takeOver?: boolean;
  digest?: string | undefined;
}

/** Calls `apply_objects`; an error names the place in the file that it is about. */
export async function applyObjects(
  connection: Connection,
  { name, objects, places }: PreparedProject,
  { prune = false, dryRun = false, takeOver = false, digest }: ApplyOptions,
): Promise<AppliedObjects> {
  return withPlaces(places, () =>
    connection.call('apply_objects', {
      ...{ p_objects: objects as never, p_prune: prune, p_dry_run: dryRun, p_take_over: takeOver },
      ...(name !== undefined && { p_project: name }),
      ...(digest !== undefined && { p_if_digest: digest }),
    }),
  );
}

/** Has errors of a call that speak of an object by its number say where it stands. */
export async function withPlaces<T>(places: readonly string[], call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    const [, number, rest] = (cause instanceof StarkError && /^object (\d+) (.*)$/s.exec(cause.message)) || [];
    const place = places[Number(number) - 1];
    if (!(cause instanceof StarkError) || place === undefined) throw cause;
    throw cause.reworded(`${place}: ${rest}`);
  }
}

/** Uploads the bundles that the cluster does not have, as a dry run has told. */
export async function uploadBundles(
  connection: Connection,
  { packs }: PreparedProject,
  { changes }: AppliedObjects,
): Promise<void> {
  const progress = new Progress();
  try {
    for (const pack of packs) {
      const change = changes.find(({ kind, name }) => kind === 'pack' && name === pack.name);
      const isNew = change?.action === 'created' || change?.fields.some(({ path }) => path[0] === 'version');
      if (isNew) await uploadBundle(connection, pack, progress);
    }
  } finally {
    progress.clear();
  }
}

/** Waits until deployments that were changed are as wanted, and new pods run. */
export async function waitForApplied(
  connection: Connection,
  { changes }: AppliedObjects,
  timeoutMs: number,
): Promise<void> {
  const written = changes.filter(({ action }) => action === 'created' || action === 'changed');
  for (const { kind, namespace, name } of written) {
    if (kind !== 'deployment' || namespace === null) continue;
    const [row] = await findObjects(connection, deployments, { namespace, names: [name] });
    if (row !== undefined && !row.paused) await waitForRollout(connection, row, timeoutMs);
  }
  const pods = written.flatMap(({ kind, namespace, name, action }) =>
    kind === 'pod' && namespace !== null && action === 'created' ? [{ namespace, name }] : [],
  );
  if (pods.length > 0) await waitForRunning(connection, pods, timeoutMs);
}
