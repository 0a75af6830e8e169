import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { StarkError, usageError } from '@stark-o/core/errors';
import type { DeploymentTemplate } from '@stark-o/core/model';
import type { PackAbout } from '../bundle/project.js';
import { labelOf } from '../init/files.js';
import { findProjectFile, loadProject } from '../project/load.js';

/** What is worked on: a source, what a project file says of its pack, and how pods of it are wanted there. */
export interface DevProject {
  /** What is bundled. */
  source: string;
  /** What is watched. */
  directory: string;
  /** What the project file says over the package.json. */
  said: PackAbout;
  /** What pods are made from, where the project file has a deployment of the pack. */
  template(pack: string): DeploymentTemplate | undefined;
  fallbackName: string;
}

/** The project of a folder, by its stark.yaml or stark.config.ts where there is one; a source alone does as well. */
export async function devProject(
  path: string,
  options: { namespace: string; pack?: string | undefined },
): Promise<DevProject> {
  const place = resolve(path);
  const found = await stat(place).catch(() => undefined);
  if (found === undefined) throw new StarkError(`${path} does not exist`, { code: 'FILE_NOT_FOUND', status: 404 });
  const folder = found.isDirectory() ? place : dirname(place);
  const bare = {
    source: place,
    directory: folder,
    said: {},
    template: () => undefined,
    fallbackName: labelOf(basename(folder)),
  };
  const file = folder === place ? await findProjectFile(folder) : undefined;
  if (file === undefined) return bare;
  const { objects } = await loadProject([file], { namespace: options.namespace });
  const template = (pack: string) =>
    objects.find(({ kind, fields }) => kind === 'deployment' && fields.pack === pack)?.fields.template as
      | DeploymentTemplate
      | undefined;
  const packs = objects.filter(({ kind, fields }) => kind === 'pack' && fields.source !== undefined);
  const chosen = options.pack === undefined ? packs : packs.filter(({ fields }) => fields.name === options.pack);
  const [only, ...others] = chosen;
  if (only === undefined && options.pack !== undefined)
    throw usageError(`${file} has no pack "${options.pack}" with a source`);
  if (others.length > 0) {
    const names = packs.map(({ fields }) => fields.name ?? fields.source).join(', ');
    throw usageError(
      `${file} has several packs: ${names}`,
      'name the source, e.g. stark dev ./packs/web, or say --pack',
    );
  }
  if (only === undefined) return { ...bare, template };
  const {
    source,
    external: _,
    ...said
  } = only.fields as unknown as PackAbout & { source: string; external?: string[] };
  return { ...bare, source: resolve(only.directory, source), said, template };
}
