import { join } from 'node:path';
import type { PackRuntime } from '@stark-o/core/model';
import type { Progress } from '../base/progress.js';
import { warn } from '../base/terminal.js';
import { type Bundle, bundlePack } from './bundle.js';
import { type PackAbout, readProject } from './project.js';

/** A pack made of a folder or source file. */
export interface MadePack {
  bundle: Bundle;
  runtime: PackRuntime;
  about: PackAbout;
  /** Where it is written when nobody says otherwise. */
  out: string;
  isSite: boolean;
}

/** Makes a pack of a project: its entry bundled, or for a website the static files that its own tool makes. */
export async function makePack(
  path: string,
  options: { runtime: PackRuntime | undefined; minify: boolean; external?: string[] | undefined; progress: Progress },
): Promise<MadePack> {
  const { directory, source, about } = await readProject(path);
  const runtime = options.runtime ?? about.runtime ?? 'node';
  if ('entry' in source) {
    const bundle = await bundlePack(source.entry, runtime, { ...options, root: directory, assets: about.assets });
    for (const warning of bundle.warnings) warn(warning);
    return { bundle, runtime, about, out: join(directory, 'dist', 'pack.js'), isSite: false };
  }
  const { site } = source;
  const { makeWebPack } = await import('../web/web-pack.js');
  if (site.kind !== 'static') options.progress.now(`building the ${site.kind} site in ${site.directory}`);
  try {
    const bundle = await makeWebPack(site, runtime);
    // Not into dist, where the tools keep the site itself.
    return { bundle, runtime, about, out: join(directory, 'pack.js'), isSite: true };
  } finally {
    options.progress.clear();
  }
}
