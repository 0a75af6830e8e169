import { StarkError, toStarkError } from '@stark-o/core/errors';
import type { PackUpload } from '@stark-o/core/model';
import { sizeOf } from '@stark-o/core/resources';
import type { Progress } from '../base/progress.js';
import { sha256 } from '../bundle/bundle.js';
import type { PackAbout } from '../bundle/project.js';
import type { Connection } from '../session/connection.js';
import { findVersions, type VersionRow } from './packs.js';

/** A bundle with what is known of it. */
export interface NewVersion {
  about: PackAbout & Required<Pick<PackAbout, 'name' | 'version' | 'runtime'>> & { entry?: string };
  bytes: Uint8Array;
  assets?: Uint8Array | undefined;
}

/** Announces a version and uploads its bundle; it is nobody's until it is finished. */
export async function announceVersion(
  connection: Connection,
  { about, bytes, assets }: NewVersion,
  progress: Progress,
): Promise<PackUpload> {
  const { name, version, runtime, ports = [] } = about;
  progress.now(`announcing ${name}@${version}`);
  const upload = await connection.call('register_pack_version', {
    p_name: name,
    p_version: version,
    p_runtime: runtime,
    p_entry: about.entry ?? 'default',
    p_visibility: about.visibility ?? null,
    p_description: about.description ?? null,
    p_size_bytes: bytes.byteLength,
    p_sha256: sha256(bytes),
    ...(assets !== undefined && { p_assets_size_bytes: assets.byteLength, p_assets_sha256: sha256(assets) }),
    ...(ports.length > 0 && { p_ports: ports }),
  });
  progress.now(`uploading ${sizeOf(bytes.byteLength + (assets?.byteLength ?? 0))}`);
  await store(connection, upload, upload.path, bytes, 'text/javascript');
  if (assets !== undefined && upload.assets_path !== undefined) {
    await store(connection, upload, upload.assets_path, assets, 'application/zip');
  }
  return upload;
}

/** Announces a version, uploads its bundle, and finishes it. The same bytes under the same version are no error. */
export async function registerVersion(
  connection: Connection,
  bundle: NewVersion,
  progress: Progress,
): Promise<{ row: VersionRow; isNew: boolean }> {
  const { about, bytes, assets } = bundle;
  const { name, version } = about;
  try {
    const upload = await announceVersion(connection, bundle, progress);
    progress.now(`finishing ${name}@${version}`);
    return { row: await connection.call('finish_pack_version', { p_version_id: upload.version_id }), isNew: true };
  } catch (error) {
    progress.clear();
    const same = await sameVersion(connection, error, name, version, [sha256(bytes), assets && sha256(assets)]);
    if (same === undefined) throw error;
    return { row: same, isNew: false };
  } finally {
    progress.clear();
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
  const client = await connection.starkClient();
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
