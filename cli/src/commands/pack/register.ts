import { readFile, stat } from 'node:fs/promises';
import * as Flags from '@oclif/core/flags';
import { StarkError, usageError } from '@stark-o/core/errors';
import { PACK_VISIBILITIES, type PodPort } from '@stark-o/core/model';
import { sizeOf } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { argument, repeated } from '../../base/flags.js';
import { externalFlag, runtimeFlag, toRuntime } from '../../base/pack-flags.js';
import { Progress } from '../../base/progress.js';
import { say } from '../../base/terminal.js';
import { assetsPath, checkBundle, requireSize } from '../../bundle/bundle.js';
import { makePack } from '../../bundle/make-pack.js';
import { manifestIn, requireRuntime } from '../../bundle/manifest.js';
import { aboutBundle, type PackAbout } from '../../bundle/project.js';
import { type VersionRow, versionObject } from '../../data/packs.js';
import { parsePort } from '../../data/pod-flags.js';
import { registerVersion } from '../../data/register-version.js';

export default class PackRegister extends StarkCommand<typeof PackRegister> {
  static override summary = 'Register a bundle as a version of a pack.';
  static override description =
    'Given a folder or TypeScript, it is bundled first, as pack bundle does. Name, version, description, runtime and ports are those that the bundle says of itself, unless flags say otherwise; of one that another tool made, those of the nearest package.json that has a member "stark". A version never changes once it is registered; registering the same bytes again is no error.';
  static override examples = [
    '<%= config.bin %> pack register alpha.js --visibility public',
    '<%= config.bin %> pack register ./my-nuxt-site --name site --ver 1.0.0 --runtime isomorphic',
  ];
  static override args = { bundle: argument('The file that pack bundle wrote, or what is to be bundled.') };
  static override flags = {
    name: Flags.string({ summary: 'Name of the pack.' }),
    ver: Flags.string({ char: 'V', summary: 'Version, as semver.org has it.', helpValue: '<version>' }),
    ...runtimeFlag,
    ...externalFlag,
    visibility: Flags.option({
      options: PACK_VISIBILITIES,
      summary: 'private (the default for a new pack): your nodes and admins’ only; public: everybody’s.',
    })(),
    description: Flags.string({ summary: 'What it is, in a line.' }),
    port: repeated({
      summary: 'Port that its pods have where they name none, random or fixed; may be repeated.',
      helpValue: '<name[=port]>',
    }),
    entry: Flags.string({ summary: 'Export that is the pack. Default: default.' }),
  };

  async run(): Promise<void> {
    const progress = new Progress();
    const { bytes, assets, found, isMade } = await this.#bundle(progress);
    const about: PackAbout & { entry?: string } = { ...found.about, ...this.#said() };
    const { name, version, runtime } = about;
    if (name === undefined) throw usageError('--name is needed: neither the bundle nor a package.json of it has one');
    if (version === undefined) throw usageError('--ver is needed: neither the bundle nor a package.json of it has one');
    const checked = requireRuntime(runtime, this.args.bundle);
    if (!isMade) await checkBundle(this.args.bundle, bytes, checked);
    for (const line of originsOf(found, this.#said())) say(line);
    const bundle = { about: { ...about, name, version, runtime: checked }, bytes, assets };
    const { row, isNew } = await registerVersion(await this.connection(), bundle, progress);
    await this.#print(row, isNew ? 'registered' : 'already registered');
    this.next(`stark pod create --pack ${name}`, `stark pack versions ${name}`);
  }

  /** What flags say. */
  #said(): PackAbout & { entry?: string } {
    const { name, ver, visibility, description, port, entry } = this.flags;
    const runtime = toRuntime(this.flags.runtime);
    return {
      ...(name !== undefined && { name }),
      ...(ver !== undefined && { version: ver }),
      ...(runtime !== undefined && { runtime }),
      ...(visibility !== undefined && { visibility }),
      ...(description !== undefined && { description }),
      ...(port !== undefined && { ports: port.map(parsePort) }),
      ...(entry !== undefined && { entry }),
    };
  }

  async #bundle(
    progress: Progress,
  ): Promise<{ bytes: Uint8Array; assets?: Uint8Array | undefined; found: Found; isMade: boolean }> {
    const path = this.args.bundle;
    const runtime = toRuntime(this.flags.runtime);
    const there = await stat(path).catch(() => undefined);
    if (there === undefined) throw new StarkError(`${path} does not exist`, { code: 'FILE_NOT_FOUND', status: 404 });
    if (there.isDirectory() || /\.([cm]?ts|tsx|jsx)$/.test(path)) {
      const { external } = this.flags;
      const { bundle, about, source } = await makePack(path, { runtime, minify: false, external, progress });
      return { bytes: bundle.code, assets: bundle.assets, found: { about, where: source }, isMade: true };
    }
    const [bytes, assets] = await Promise.all([readFile(path), assetsBeside(path)]);
    requireSize(bytes.byteLength, path, assets?.byteLength);
    const about = await manifestIn(path, bytes);
    if (Object.keys(about).length > 0)
      return { bytes, assets, found: { about, where: `${path} itself` }, isMade: false };
    const beside = await aboutBundle(path);
    return { bytes, assets, found: { about: beside.about, where: beside.packageJson }, isMade: false };
  }

  async #print(row: VersionRow, what: string): Promise<void> {
    const line = `${row.pack_name}@${row.version} ${what}, ${sizeOf(row.size_bytes)}, sha256 ${row.sha256}`;
    await this.printObject(versionObject(row), `pack/${row.pack_name}@${row.version}`, [line]);
  }
}

/** What is known of a pack, and who says so. */
interface Found {
  about: PackAbout & { entry?: string };
  where: string | undefined;
}

const told = ['name', 'version', 'runtime', 'ports', 'visibility', 'description'] as const;

/** Which of it came from where, since nobody typed it. */
function originsOf({ about, where }: Found, said: PackAbout): string[] {
  const taken = told.filter((field) => about[field] !== undefined && said[field] === undefined);
  if (where === undefined || taken.length === 0) return [];
  const shown = taken.filter((field) => field !== 'description').map((field) => `${field} ${textOf(about[field])}`);
  return [`from ${where}: ${[...shown, ...(taken.includes('description') ? ['the description'] : [])].join(', ')}`];
}

function textOf(value: string | PodPort[] | undefined): string {
  return Array.isArray(value) ? value.map(({ name }) => name).join(' and ') || 'none' : String(value);
}

/** The archive that was written beside a bundle, if there is one. */
async function assetsBeside(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(assetsPath(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
