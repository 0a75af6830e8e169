import { resolve } from 'node:path';
import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import { type AnyRow, RESOURCES, type Resource } from '@stark-o/core/resources';
import { type Target, targetsOf } from '../base/argv.js';
import { StarkCommand } from '../base/command.js';
import { namespaceFlag, optionalThings, selectorFlag, waitFlags, yesFlag } from '../base/flags.js';
import { printChanged, printKinds } from '../base/output.js';
import { confirm, confirmTyped, mayAsk } from '../base/prompt.js';
import { say } from '../base/terminal.js';
import { waitFor, waitTime } from '../base/wait.js';
import { findObjects } from '../data/query.js';
import { fileFlags } from '../project/flags.js';
import type { LoadedObject } from '../project/load.js';

/** As `delete_objects` takes it: a pack by its name, which its package.json may have. */
async function withPackName({ kind, fields, directory, place }: LoadedObject): Promise<Record<string, unknown>> {
  if (kind !== 'pack') return { kind, ...fields };
  const { readProject } = await import('../bundle/project.js');
  const name = fields.name ?? (await readProject(resolve(directory, String(fields.source)))).about.name;
  if (name === undefined) throw usageError(`${place}: the pack has no name`);
  return { kind, name };
}

export default class Delete extends StarkCommand<typeof Delete> {
  static override summary = 'Delete things of any kind.';
  static override description =
    'On a terminal it asks before what does not come back by itself, and for the name of a namespace or pack; a script says --yes for those.';
  static override examples = [
    '<%= config.bin %> delete pod/alpha-x1y2z node/laptop --force --wait=1m',
    '<%= config.bin %> delete --filename stark.yaml --yes',
  ];
  static override args = { what: optionalThings() };
  static override flags = {
    ...namespaceFlag,
    ...{ filename: fileFlags.filename, recursive: fileFlags.recursive },
    ...selectorFlag,
    all: Flags.boolean({ summary: 'All of the kind, of the namespace where they have one.', exclusive: ['selector'] }),
    force: Flags.boolean({ summary: 'Also where it would be refused otherwise; pods on nodes are evicted.' }),
    ...yesFlag,
    ...waitFlags,
  };

  async run(): Promise<void> {
    if (this.flags.filename !== undefined) return this.#stated(this.flags.filename);
    const connection = await this.connection();
    const gone: { view: Resource<AnyRow>; rows: AnyRow[] }[] = [];
    const { what } = this.args;
    if (what === undefined || what.length === 0)
      throw usageError('missing argument: WHAT', 'name things, or give --filename');
    const targets = targetsOf(what);
    for (const target of targets) {
      const resource = RESOURCES[target.kind];
      const { remove } = resource;
      if (remove === undefined) throw usageError(`${resource.plural} cannot be deleted`);
      const rows = await this.#chosen(resource, target);
      if (rows.length === 0) say(`no ${resource.plural}`);
      if (rows.length === 0 || !(await this.#agreed(resource, rows, target.names !== undefined))) continue;
      for (const row of rows) await remove.run(connection.caller, row, { force: this.flags.force });
      await this.#waitUntilGone(resource, rows);
      gone.push({ view: resource, rows });
    }
    const format = await this.format();
    await printKinds(gone, format, async ({ view, rows }) => {
      const done = gone.find((one) => one.view === view)?.view.remove?.done ?? 'deleted';
      await printChanged(view, rows, done, format);
    });
  }

  /** Removes what files state, all of it or nothing. */
  async #stated(files: string[]): Promise<void> {
    const { yes, recursive, selector, all, force } = this.flags;
    if (this.args.what !== undefined && this.args.what.length > 0)
      throw usageError('things and --filename cannot be given together');
    if (selector !== undefined || all || force)
      throw usageError('--selector, --all and --force go with things, not with --filename');
    const [{ loadProject }, { withPlaces }, { listChanges, printChanges, titleOf }] = await Promise.all([
      import('../project/load.js'),
      import('../project/apply.js'),
      import('../project/show.js'),
    ]);
    const { namespace, context } = await this.settings();
    const { objects } = await loadProject(files, { namespace, recursive });
    const stated = await Promise.all(objects.map(withPackName));
    const connection = await this.connection();
    const places = objects.map(({ place }) => place);
    const remove = (more: { p_dry_run?: boolean; p_if_digest?: string }) =>
      withPlaces(places, () => connection.call('delete_objects', { p_objects: stated as never, ...more }));
    const foretold = await remove({ p_dry_run: true });
    const going = foretold.changes.filter(({ action }) => action === 'deleted');
    for (const change of going) say(`deletes ${titleOf(change)}`);
    if (going.length > 0 && !(await confirm(`Delete ${going.length} objects in context ${context}?`, yes))) return;
    const { changes } = await remove({ p_if_digest: foretold.digest });
    const format = await this.format();
    await (format === 'table' ? printChanges(changes) : listChanges(changes, format));
  }

  async #chosen(resource: Resource<AnyRow>, { names }: Target): Promise<AnyRow[]> {
    const { selector, all } = this.flags;
    if (names === undefined && selector === undefined && !all) {
      throw usageError(`name the ${resource.plural}, or give --selector or --all`);
    }
    if (names !== undefined && (selector !== undefined || all)) {
      throw usageError('names and --selector or --all cannot be given together');
    }
    const { namespace } = await this.settings();
    return findObjects(await this.connection(), resource, { namespace, names, selector });
  }

  async #agreed(resource: Resource<AnyRow>, rows: readonly AnyRow[], named: boolean): Promise<boolean> {
    const { context } = await this.settings();
    const { yes } = this.flags;
    const [first, ...others] = rows;
    const list = rows.map((row) => resource.name(row)).join(', ');
    const what = others.length === 0 ? `${resource.kind} ${list}` : `${rows.length} ${resource.plural} (${list})`;
    if (resource.remove?.confirm === 'name' && first !== undefined && others.length === 0) {
      await confirmTyped(`This deletes ${what} in context ${context}.`, resource.name(first), yes);
      return true;
    }
    if (named && resource.remove?.confirm !== 'name' && (resource.remove?.confirm === 'never' || !mayAsk()))
      return true;
    return confirm(`Delete ${what} in context ${context}?`, yes);
  }

  async #waitUntilGone(resource: Resource<AnyRow>, rows: readonly AnyRow[]): Promise<void> {
    const timeoutMs = resource.stays ? undefined : waitTime(this.flags);
    if (timeoutMs === undefined) return;
    const connection = await this.connection();
    const { namespace } = await this.settings();
    const names = rows.map((row) => resource.id(row));
    await waitFor({
      poll: () => findObjects(connection, resource, { namespace, names, allowMissing: true }),
      judge: ([left, ...others]) =>
        left === undefined
          ? { done: true }
          : { waiting: `${others.length + 1} left; ${resource.name(left)}: ${resource.why(left) || 'is there'}` },
      timeoutMs,
      resume: `stark wait ${resource.kind} ${rows.map((row) => resource.name(row)).join(' ')} --for delete`,
    });
  }
}
