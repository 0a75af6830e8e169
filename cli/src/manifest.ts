import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * oclif starts a third faster when it finds the commands described in oclif.manifest.json. The compiler knows nothing
 * of that file, so it counts as stale as soon as the compiled code is newer; an installed package has no tsbuildinfo,
 * and its manifest always counts.
 */
export async function freshenManifest(root: string): Promise<void> {
  const path = join(root, 'oclif.manifest.json');
  const [manifest, build] = await Promise.all([modified(path), modified(join(root, 'tsconfig.tsbuildinfo'))]);
  if (manifest !== undefined && (build === undefined || manifest >= build)) return;
  try {
    await writeManifest(root, path);
  } catch {
    // A folder that we may not write to: without a manifest everything works, only slower; with a stale one it would not.
    await rm(path, { force: true }).catch(() => {});
  }
}

/** The description of all commands, as oclif reads it. */
export async function buildManifest(root: string): Promise<{ commands: Record<string, unknown>; version: string }> {
  const { Plugin } = await import('@oclif/core');
  const plugin = new Plugin({ root, type: 'core', isRoot: true, ignoreManifest: true, errorOnManifestCreate: true });
  await plugin.load();
  return plugin.manifest;
}

async function writeManifest(root: string, path: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(await buildManifest(root))}\n`);
  await rename(temporary, path);
}

const modified = async (path: string) => (await stat(path).catch(() => undefined))?.mtimeMs;
