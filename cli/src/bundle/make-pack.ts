import { join } from 'node:path';
import type { PackRuntime } from '@stark-o/core/model';
import type { Progress } from '../base/progress.js';
import { warn } from '../base/terminal.js';
import { type Bundle, bundlePack } from './bundle.js';
import { manifestLine } from './manifest.js';
import { type PackAbout, readProject } from './project.js';

/** A pack made of a folder or source file. */
export interface MadePack {
  bundle: Bundle;
  /** What stands in the bundle: what its package.json says, and the runtime that was asked for. */
  about: PackAbout;
  /** The package.json that said so, if there is one. */
  source: string | undefined;
  /** Where it is written when nobody says otherwise. */
  out: string;
}

/** Makes a pack of a project: its entry bundled, or for a website the static files that its own tool makes. */
export async function makePack(
  path: string,
  options: { runtime: PackRuntime | undefined; minify: boolean; external?: string[] | undefined; progress: Progress },
): Promise<MadePack> {
  const { directory, source, about: said, packageJson } = await readProject(path);
  const asked = options.runtime ?? said.runtime;
  const about = { ...said, ...(asked !== undefined && { runtime: asked }) };
  // Bundled as for Node.js where nobody says, and registered only when somebody does.
  const runtime = asked ?? 'node';
  const made = { source: packageJson, about };
  if ('entry' in source) {
    const { assets } = about;
    const footer = manifestLine(about);
    const bundle = await bundlePack(source.entry, runtime, { ...options, root: directory, assets, footer });
    for (const warning of bundle.warnings) warn(warning);
    return { ...made, bundle, out: join(directory, 'dist', 'pack.js') };
  }
  const { site } = source;
  const { makeWebPack } = await import('../web/web-pack.js');
  if (site.kind !== 'static') options.progress.now(`building the ${site.kind} site in ${site.directory}`);
  try {
    const served = { ...about, ports: about.ports ?? [{ name: 'http' }] };
    const bundle = await makeWebPack(site, runtime, manifestLine(served));
    // Not into dist, where the tools keep the site itself.
    return { ...made, about: served, bundle, out: join(directory, 'pack.js') };
  } finally {
    options.progress.clear();
  }
}
