import { readFile, stat } from 'node:fs/promises';
import * as Flags from '@oclif/core/flags';
import { StarkError, toStarkError, usageError } from '@stark-o/core/errors';
import { PACK_VISIBILITIES, type PackRuntime, type PackUpload } from '@stark-o/core/model';
import { sizeOf } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { argument } from '../../base/flags.js';
import { externalFlag, runtimeFlag, toRuntime } from '../../base/pack-flags.js';
import { Progress } from '../../base/progress.js';
import { assetsPath, checkBundle, requireSize, sha256 } from '../../bundle/bundle.js';
import { makePack } from '../../bundle/make-pack.js';
import { aboutBundle, type PackAbout } from '../../bundle/project.js';
import { findVersions, type VersionRow, versionObject } from '../../data/packs.js';
import type { Connection } from '../../session/connection.js';

export default class PackRegister extends StarkCommand<typeof PackRegister> {
  static override summary = 'Register a bundle as a version of a pack.';
  static override description =
    'Given a folder, it is bundled first, as pack bundle does. Name, version and runtime come from the package.json next to the bundle unless flags say otherwise. A version never changes once it is registered; registering the same bytes again is no error.';
  static override examples = [
    '<%= config.bin %> pack register alpha.js --name alpha --ver 1.0.0 --runtime node',
    '<%= config.bin %> pack register ./my-nuxt-site --visibility public',
  ];
  static override args = { bundle: argument('The file that pack bundle wrote, or the folder to bundle.') };
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
    entry: Flags.string({ summary: 'Export that is the pack.', default: 'default' }),
  };

  async run(): Promise<void> {
    const { flags } = this;
    const progress = new Progress();
    const { bytes, assets, about, ...found } = await this.#bundle(progress);
    const name = flags.name ?? about.name;
    const version = flags.ver ?? about.version;
    if (name === undefined) throw usageError('--name is needed: there is no package.json with a name near the bundle');
    if (version === undefined) throw usageError('--ver is needed: there is no package.json with a version near it');
    const { runtime } = found;
    const sum = sha256(bytes);
    const connection = await this.connection();
    try {
      progress.now(`announcing ${name}@${version}`);
      const upload = await connection.call('register_pack_version', {
        p_name: name,
        p_version: version,
        p_runtime: runtime,
        p_entry: flags.entry,
        p_visibility: flags.visibility ?? about.visibility ?? null,
        p_description: flags.description ?? about.description ?? null,
        p_size_bytes: bytes.byteLength,
        p_sha256: sum,
        ...(assets !== undefined && { p_assets_size_bytes: assets.byteLength, p_assets_sha256: sha256(assets) }),
      });
      progress.now(`uploading ${sizeOf(bytes.byteLength + (assets?.byteLength ?? 0))}`);
      await store(connection, upload, upload.path, bytes, 'text/javascript');
      if (assets !== undefined && upload.assets_path !== undefined) {
        await store(connection, upload, upload.assets_path, assets, 'application/zip');
      }
      progress.now(`finishing ${name}@${version}`);
      const row = await connection.call('finish_pack_version', { p_version_id: upload.version_id });
      progress.clear();
      await this.#print(row, 'registered');
    } catch (error) {
      progress.clear();
      const same = await sameVersion(connection, error, name, version, [sum, assets && sha256(assets)]);
      if (same === undefined) throw error;
      await this.#print(same, 'already registered');
    }
    this.next(`stark pod create --pack ${name}${found.isSite ? ' --port http' : ''}`, `stark pack versions ${name}`);
  }

  async #bundle(progress: Progress): Promise<{
    bytes: Uint8Array;
    assets?: Uint8Array | undefined;
    about: PackAbout;
    runtime: PackRuntime;
    isSite: boolean;
  }> {
    const path = this.args.bundle;
    const runtime = toRuntime(this.flags.runtime);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) throw new StarkError(`${path} does not exist`, { code: 'FILE_NOT_FOUND', status: 404 });
    if (found.isDirectory()) {
      const { bundle, ...made } = await makePack(path, {
        runtime,
        minify: false,
        external: this.flags.external,
        progress,
      });
      return { ...made, bytes: bundle.code, assets: bundle.assets };
    }
    const [bytes, assets, about] = await Promise.all([readFile(path), assetsBeside(path), aboutBundle(path)]);
    requireSize(bytes.byteLength, path, assets?.byteLength);
    const checked = runtime ?? about.runtime ?? 'node';
    const exported = await checkBundle(path, bytes, checked);
    return { bytes, assets, about, runtime: checked, isSite: exported.includes('web') };
  }

  async #print(row: VersionRow, what: string): Promise<void> {
    const line = `${row.pack_name}@${row.version} ${what}, ${sizeOf(row.size_bytes)}, sha256 ${row.sha256}`;
    await this.printObject(versionObject(row), `pack/${row.pack_name}@${row.version}`, [line]);
  }
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

// Nothing is half-done when this fails: the version stays `uploading`, no pod can get it, and the same command goes on.
async function store(
  connection: Connection,
  { bucket }: PackUpload,
  path: string,
  bytes: Uint8Array,
  contentType: string,
): Promise<void> {
  const client = await connection.client();
  const { error } = await client.storage.from(bucket).upload(path, bytes, { contentType, upsert: true });
  if (error === null) return;
  const failure = toStarkError(error, { url: connection.url });
  throw new StarkError(`the bundle was not uploaded: ${failure.message}`, {
    code: failure.code,
    status: failure.status,
    exitCode: failure.exitCode,
    hint: failure.hint ?? 'run the same command again: it goes on where it stopped',
    cause: error,
  });
}

async function sameVersion(
  connection: Connection,
  error: unknown,
  name: string,
  version: string,
  [sum, assets]: [string, string | undefined],
): Promise<VersionRow | undefined> {
  if (!(error instanceof StarkError) || error.code !== 'VERSION_EXISTS') return undefined;
  const versions = await findVersions(connection, [name]);
  return versions.find(
    (row) =>
      row.version === version &&
      row.sha256 === sum &&
      (row.assets_sha256 ?? undefined) === assets &&
      row.state === 'ready',
  );
}
