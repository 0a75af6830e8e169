import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { App } from '@supabase/lite';
import { ResponseError } from './errors.js';
import { KeyedMutex } from './keyed-mutex.js';
import { parseRange } from './range.js';
import { requestContext } from './request-context.js';

type StorageAdapter = NonNullable<App['_storageAdapter']>;
type ObjectMetadata = Awaited<ReturnType<StorageAdapter['headObject']>>;
type UploadBody = Parameters<StorageAdapter['uploadObject']>[3];
type ObjectResponse = Awaited<ReturnType<StorageAdapter['getObject']>>;

/** What is kept beside the bytes of an object; `blob` names the file that has them. */
interface Manifest {
  bucket: string;
  key: string;
  blob: string;
  size: number;
  eTag: string;
  mimetype: string;
  cacheControl: string;
  lastModified: string;
}

export interface FileStorageOptions {
  directory: string;
  /** The limit of the project; a bucket may have a lower one. */
  fileSizeLimitBytes: number;
  /** The limit of a bucket, if it has one. */
  bucketLimit: (bucket: string) => Promise<number | null>;
  /** Throws when the database would refuse that the object's row changes: its bytes must not change before that is known. */
  mayReplace: (bucket: string, key: string) => Promise<void>;
}

/**
 * Objects as files. A key never becomes a path: its hash does, so no key can leave the folder and `a` and `a/b` may
 * both exist. An upload goes to a temporary file and appears by one rename of its manifest, so a reader sees the old
 * object or the new one, and an upload that breaks off leaves nothing.
 */
export class FileStorage implements StorageAdapter {
  readonly driver = 'file';
  readonly #options: FileStorageOptions;
  readonly #commits = new KeyedMutex();

  constructor(options: FileStorageOptions) {
    this.#options = options;
  }

  /** Makes the folders and removes what uploads of an earlier process left unfinished. */
  async prepare(): Promise<void> {
    await rm(this.#temporaryFolder, { recursive: true, force: true });
    await mkdir(this.#temporaryFolder, { recursive: true, mode: 0o700 });
  }

  async uploadObject(
    bucket: string,
    key: string,
    _version: string | undefined,
    body: UploadBody,
    contentType: string,
    cacheControl: string,
  ): Promise<ObjectMetadata> {
    const limit = Math.min(this.#options.fileSizeLimitBytes, (await this.#options.bucketLimit(bucket)) ?? Infinity);
    const temporary = join(this.#temporaryFolder, randomUUID());
    try {
      const written = await writeLimited(temporary, body, limit);
      await this.#options.mayReplace(bucket, key);
      return metadataOf(
        await this.#commit(bucket, key, temporary, { ...written, mimetype: contentType, cacheControl }),
      );
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async getObject(bucket: string, key: string): Promise<ObjectResponse> {
    const manifest = await this.#manifest(bucket, key);
    const path = join(this.#folderOf(bucket, key), manifest.blob);
    const file = await open(path, 'r');
    const metadata = metadataOf(manifest);
    const range = parseRange(requestContext.getStore()?.headers.range, manifest.size);
    if (range === 'unsatisfiable') {
      await file.close();
      throw new ResponseError(
        416,
        { statusCode: '416', error: 'InvalidRange', message: 'The requested range is not satisfiable' },
        { 'content-range': `bytes */${manifest.size}` },
      );
    }
    const stream = file.createReadStream(range ?? {});
    const body = Readable.toWeb(stream) as ReadableStream;
    if (!range) return { metadata, httpStatusCode: 200, body };
    return {
      metadata: {
        ...metadata,
        contentLength: range.end - range.start + 1,
        contentRange: `bytes ${range.start}-${range.end}/${manifest.size}`,
        httpStatusCode: 206,
      },
      httpStatusCode: 206,
      body,
    };
  }

  async headObject(bucket: string, key: string): Promise<ObjectMetadata> {
    return metadataOf(await this.#manifest(bucket, key));
  }

  async copyObject(
    sourceBucket: string,
    source: string,
    _version: string | undefined,
    bucket: string,
    key: string,
  ): Promise<Pick<ObjectMetadata, 'httpStatusCode' | 'eTag' | 'lastModified'>> {
    const manifest = await this.#manifest(sourceBucket, source);
    const temporary = join(this.#temporaryFolder, randomUUID());
    try {
      const bytes = createReadStream(join(this.#folderOf(sourceBucket, source), manifest.blob));
      const written = await writeLimited(temporary, Readable.toWeb(bytes) as ReadableStream, Infinity);
      const { mimetype, cacheControl } = manifest;
      return metadataOf(await this.#commit(bucket, key, temporary, { ...written, mimetype, cacheControl }));
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async deleteObject(bucket: string, key: string): Promise<void> {
    await this.#commits.run(this.#folderOf(bucket, key), () =>
      rm(this.#folderOf(bucket, key), { recursive: true, force: true }),
    );
  }

  async deleteObjects(bucket: string, keys: string[]): Promise<void> {
    for (const key of keys) await this.deleteObject(bucket, key);
  }

  async privateAssetUrl(bucket: string, key: string): Promise<string> {
    const manifest = await this.#manifest(bucket, key);
    return join(this.#folderOf(bucket, key), manifest.blob);
  }

  async #commit(
    bucket: string,
    key: string,
    temporary: string,
    written: Pick<Manifest, 'size' | 'eTag' | 'mimetype' | 'cacheControl'>,
  ): Promise<Manifest> {
    const folder = this.#folderOf(bucket, key);
    const manifest: Manifest = { bucket, key, blob: randomUUID(), ...written, lastModified: new Date().toISOString() };
    await this.#commits.run(folder, async () => {
      const previous = await this.#readManifest(folder);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await rename(temporary, join(folder, manifest.blob));
      const draft = join(this.#temporaryFolder, randomUUID());
      await writeDurably(draft, JSON.stringify(manifest));
      await rename(draft, join(folder, 'manifest.json'));
      await syncFolder(folder);
      // A reader that has the old file open goes on reading it.
      if (previous) await rm(join(folder, previous.blob), { force: true });
    });
    return manifest;
  }

  async #manifest(bucket: string, key: string): Promise<Manifest> {
    const manifest = await this.#readManifest(this.#folderOf(bucket, key));
    if (manifest) return manifest;
    throw new ResponseError(400, { statusCode: '404', error: 'not_found', message: 'Object not found' });
  }

  async #readManifest(folder: string): Promise<Manifest | undefined> {
    try {
      return JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  get #temporaryFolder(): string {
    return join(this.#options.directory, 'incoming');
  }

  #folderOf(bucket: string, key: string): string {
    const hash = createHash('sha256').update(bucket).update('\0').update(key).digest('hex');
    return join(this.#options.directory, 'objects', hash.slice(0, 2), hash);
  }
}

/** The answer to an upload that is larger than allowed. */
export function tooLarge(): ResponseError {
  return new ResponseError(413, {
    statusCode: '413',
    error: 'Payload too large',
    message: 'The object exceeded the maximum allowed size',
  });
}

/** The answer to an upload whose row the database refuses. */
export function objectRefused(): ResponseError {
  return new ResponseError(403, {
    statusCode: '403',
    error: 'Unauthorized',
    message: 'The object may not be replaced',
  });
}

async function writeLimited(path: string, body: UploadBody, limit: number): Promise<{ size: number; eTag: string }> {
  const hash = createHash('md5');
  let size = 0;
  const file = await open(path, 'wx');
  try {
    for await (const chunk of chunksOf(body)) {
      size += chunk.byteLength;
      if (size > limit) throw tooLarge();
      hash.update(chunk);
      await writeAll(file, chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { size, eTag: `"${hash.digest('hex')}"` };
}

async function* chunksOf(body: UploadBody): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) {
    yield body;
    return;
  }
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength; ) at += (await file.write(chunk, at)).bytesWritten;
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the renames in a folder survive a power cut; Windows has no such call and needs none. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  for (const folder of [path, dirname(path)]) {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

function metadataOf(manifest: Manifest): ObjectMetadata {
  return {
    cacheControl: manifest.cacheControl,
    contentLength: manifest.size,
    size: manifest.size,
    mimetype: manifest.mimetype,
    eTag: manifest.eTag,
    lastModified: new Date(manifest.lastModified),
    httpStatusCode: 200,
  };
}
