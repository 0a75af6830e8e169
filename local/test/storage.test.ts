import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import type { SupabaseClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileStorage } from '../src/rest/storage-adapter.js';
import { keys, startTestGateway, type TestStack } from './gateway-support.js';
import { temporaryDirectory, waitFor } from './postgres-support.js';

const limit = 1024 * 1024;
let stack: TestStack;
let owner: SupabaseClient;
let other: SupabaseClient;
let ownerToken = '';

beforeAll(async () => {
  stack = await startTestGateway({
    lite: { fileSizeLimitBytes: limit },
    sql: `
      insert into storage.buckets (id, name, public, file_size_limit) values
        ('packs', 'packs', false, null), ('small', 'small', false, 1000), ('open', 'open', true, null);
      create policy write on storage.objects for insert to authenticated with check (owner_id = (select auth.uid()::text));
      create policy own on storage.objects for select to authenticated using (owner_id = (select auth.uid()::text));
      create policy change on storage.objects for update to authenticated using (owner_id = (select auth.uid()::text));
      create policy remove on storage.objects for delete to authenticated using (owner_id = (select auth.uid()::text));
    `,
  });
  owner = stack.client();
  other = stack.client();
  const { data } = await owner.auth.signUp({ email: 'owner@example.com', password: 'password-o' });
  ownerToken = data.session?.access_token ?? '';
  await other.auth.signUp({ email: 'other@example.com', password: 'password-x' });
}, 120_000);
afterAll(() => stack?.stop());

const bytes = (size: number) => randomBytes(size);
const text = async (blob: Blob | null) => blob && (await blob.text());

/** The files that hold bytes of objects or of uploads under way. */
async function filesOnDisk(): Promise<string[]> {
  const entries = await readdir(stack.storageDir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && entry.name !== 'manifest.json').map(({ name }) => name);
}

describe('an object', () => {
  it('comes back as it was put, to those who may read it', async () => {
    const body = bytes(300_000);
    const up = await owner.storage
      .from('packs')
      .upload('a/b/pack.mjs', body, { contentType: 'text/javascript', cacheControl: '60' });
    expect(up.error).toBeNull();
    expect(up.data).toMatchObject({ path: 'a/b/pack.mjs', fullPath: 'packs/a/b/pack.mjs' });
    const down = await owner.storage.from('packs').download('a/b/pack.mjs');
    expect(Buffer.from((await down.data?.arrayBuffer()) ?? new ArrayBuffer()).equals(body)).toBe(true);
    expect(down.data?.type).toBe('text/javascript');
    expect((await other.storage.from('packs').download('a/b/pack.mjs')).error).not.toBeNull();
    expect((await stack.client().storage.from('packs').download('a/b/pack.mjs')).error).not.toBeNull();
    const [row] = await stack.test.as('postgres')`
      select metadata ->> 'size' as size, metadata ->> 'mimetype' as type, jsonb_typeof(metadata) as kind, owner_id is not null as owned
      from storage.objects where name = 'a/b/pack.mjs'`;
    expect(row).toEqual({ size: '300000', type: 'text/javascript', kind: 'object', owned: true });
  });

  it('may be a Blob, whose form storage-js leaves without a field name', async () => {
    const bucket = owner.storage.from('packs');
    const blob = new Blob(['export default 1'], { type: 'text/javascript' });
    const up = await bucket.upload('blob.mjs', blob, { cacheControl: '77' });
    expect(up.error).toBeNull();
    const down = await bucket.download('blob.mjs');
    expect(await down.data?.text()).toBe('export default 1');
    expect(down.data?.type).toBe('text/javascript');
    expect((await bucket.info('blob.mjs')).data).toMatchObject({ cacheControl: 'max-age=77' });
    expect((await bucket.upload('blob.mjs', blob)).error).toMatchObject({ statusCode: '409' });
  });

  it('is not replaced unless asked, and only by who may', async () => {
    const bucket = owner.storage.from('packs');
    await bucket.upload('twice.txt', 'one');
    expect((await bucket.upload('twice.txt', 'two')).error).toMatchObject({ statusCode: '409' });
    expect((await bucket.upload('twice.txt', 'two', { upsert: true })).error).toBeNull();
    expect(await text((await bucket.download('twice.txt')).data)).toBe('two');
    expect((await bucket.update('twice.txt', 'three!')).error).toBeNull();
    expect(await text((await bucket.download('twice.txt')).data)).toBe('three!');
    expect((await other.storage.from('packs').upload('twice.txt', 'mine', { upsert: true })).error).not.toBeNull();
    expect(await text((await bucket.download('twice.txt')).data)).toBe('three!');
    const [row] = await stack.test.as(
      'postgres',
    )`select metadata ->> 'size' as size from storage.objects where name = 'twice.txt'`;
    expect(row?.size).toBe('6');
  });

  it('is one of the writers whole, when many write at once', async () => {
    const bodies = Array.from({ length: 8 }, (_, i) => Buffer.alloc(50_000, String(i)));
    const bucket = owner.storage.from('packs');
    await bucket.upload('race.bin', 'first');
    await Promise.all(bodies.map((body) => bucket.upload('race.bin', body, { upsert: true })));
    const found = Buffer.from((await (await bucket.download('race.bin')).data?.arrayBuffer()) ?? new ArrayBuffer());
    expect(bodies.some((body) => body.equals(found))).toBe(true);
  });

  it('may be empty, have a name of a folder, and any sensible characters', async () => {
    const bucket = owner.storage.from('packs');
    for (const [name, body] of [
      ['empty', ''],
      ['dir', 'file'],
      ['dir/inner', 'inner'],
      ['sp ace/ü+&.txt', 'odd'],
      ['x'.repeat(500), 'long'],
    ] as const) {
      expect([name, (await bucket.upload(name, body)).error]).toEqual([name, null]);
      expect([name, await text((await bucket.download(name)).data)]).toEqual([name, body]);
    }
  });

  it('is listed by folder, described, copied, moved and removed', async () => {
    const bucket = owner.storage.from('packs');
    for (const name of ['l/one.txt', 'l/two.txt', 'l/deep/three.txt', 'l_not/four.txt'])
      await bucket.upload(name, name);
    const { data: listed } = await bucket.list('l', { sortBy: { column: 'name', order: 'asc' } });
    expect(listed?.map(({ name, id, metadata }) => [name, id !== null, metadata?.size])).toEqual([
      ['deep', false, undefined],
      ['one.txt', true, 9],
      ['two.txt', true, 9],
    ]);
    expect((await bucket.list('l', { limit: 1, offset: 1 })).data?.map(({ name }) => name)).toEqual(['one.txt']);
    expect((await bucket.list('l', { search: 'two' })).data?.map(({ name }) => name)).toEqual(['two.txt']);
    expect((await other.storage.from('packs').list('l')).data).toEqual([]);
    expect((await bucket.info('l/one.txt')).data).toMatchObject({ name: 'l/one.txt', size: 9 });
    expect((await bucket.exists('l/one.txt')).data).toBe(true);
    expect((await bucket.exists('l/none.txt')).data).toBe(false);
    expect((await bucket.copy('l/one.txt', 'l/copy.txt')).data).toEqual({ path: 'packs/l/copy.txt' });
    expect((await bucket.move('l/copy.txt', 'l/moved.txt')).error).toBeNull();
    expect(await text((await bucket.download('l/moved.txt')).data)).toBe('l/one.txt');
    expect((await bucket.download('l/copy.txt')).error).not.toBeNull();
    const files = (await filesOnDisk()).length;
    expect((await other.storage.from('packs').remove(['l/moved.txt'])).data).toEqual([]);
    expect((await bucket.remove(['l/moved.txt', 'l/none.txt'])).data).toHaveLength(1);
    expect((await filesOnDisk()).length).toBe(files - 1);
  });
});

describe('signed and public URLs', () => {
  it('open one object', async () => {
    const bucket = owner.storage.from('packs');
    await bucket.upload('signed.txt', 'signed');
    const { data, error } = await bucket.createSignedUrl('signed.txt', 60);
    expect(error).toBeNull();
    expect(await (await fetch(data?.signedUrl ?? '')).text()).toBe('signed');
    expect((await fetch((data?.signedUrl ?? '').replace('signed.txt', 'twice.txt'))).status).toBeGreaterThanOrEqual(
      400,
    );
    const tampered = await fetch(`${(data?.signedUrl ?? '').slice(0, -3)}abc`);
    expect([tampered.status, (await tampered.json()).error]).toEqual([400, 'InvalidJWT']);
    const named = await bucket.createSignedUrl('signed.txt', 60, { download: 'new name.txt' });
    expect((await fetch(named.data?.signedUrl ?? '')).headers.get('content-disposition')).toContain('new%20name.txt');
    const many = await bucket.createSignedUrls(['signed.txt', 'none.txt'], 60);
    expect(many.data?.map(({ error: why, signedUrl }) => [why === null, typeof signedUrl])).toEqual([
      [true, 'string'],
      [false, 'object'],
    ]);
  });

  it('take one upload', async () => {
    const bucket = owner.storage.from('packs');
    const { data, error } = await bucket.createSignedUploadUrl('by-url.txt');
    expect(error).toBeNull();
    expect(
      (
        await stack
          .client()
          .storage.from('packs')
          .uploadToSignedUrl('by-url.txt', data?.token ?? '', 'from outside')
      ).error,
    ).toBeNull();
    expect(await text((await bucket.download('by-url.txt')).data)).toBe('from outside');
  });

  it('of a public bucket need no key', async () => {
    const bucket = owner.storage.from('open');
    await bucket.upload('page.html', 'hello', { contentType: 'text/html' });
    const { publicUrl } = bucket.getPublicUrl('page.html').data;
    const response = await fetch(publicUrl);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'text/html',
      'hello',
    ]);
    expect((await fetch(publicUrl.replace('/open/', '/packs/').replace('page.html', 'twice.txt'))).status).toBe(400);
  });

  it('give ranges and know an ETag', async () => {
    await owner.storage.from('open').upload('digits', '0123456789');
    const url = owner.storage.from('open').getPublicUrl('digits').data.publicUrl;
    const get = async (headers: Record<string, string>) => {
      const response = await fetch(url, { headers });
      return [response.status, await response.text(), response.headers.get('content-range')];
    };
    expect(await get({ range: 'bytes=2-4' })).toEqual([206, '234', 'bytes 2-4/10']);
    expect(await get({ range: 'bytes=7-' })).toEqual([206, '789', 'bytes 7-9/10']);
    expect(await get({ range: 'bytes=-3' })).toEqual([206, '789', 'bytes 7-9/10']);
    expect(await get({ range: 'bytes=20-' })).toEqual([416, expect.stringContaining('InvalidRange'), 'bytes */10']);
    expect(await get({ range: 'bytes=1-2,4-5' })).toEqual([200, '0123456789', null]);
    const eTag = (await fetch(url)).headers.get('etag') ?? '';
    expect(eTag).toBe(`"${createHash('md5').update('0123456789').digest('hex')}"`);
    expect(await get({ 'if-none-match': eTag })).toEqual([304, '', null]);
  });
});

describe('limits', () => {
  it('refuse an object that says it is too large', async () => {
    const { error } = await owner.storage.from('packs').upload('large.bin', bytes(limit + 200_000));
    expect(error).toMatchObject({ statusCode: '413' });
    expect((await owner.storage.from('packs').upload('fits.bin', bytes(limit - 1000))).error).toBeNull();
  });

  it('cut off a stream that grows too large, and leave nothing', async () => {
    const before = await filesOnDisk();
    for (const [bucket, size, tooMuch] of [
      ['packs', 64 * 1024, 40],
      ['small', 512, 3],
    ] as const) {
      let sent = 0;
      const body = new ReadableStream({
        pull(controller) {
          if (sent++ === tooMuch) controller.close();
          else controller.enqueue(bytes(size));
        },
      });
      const response = await fetch(`${stack.url}/storage/v1/object/${bucket}/stream.bin`, {
        method: 'POST',
        headers: {
          apikey: keys.publishable,
          authorization: `Bearer ${ownerToken}`,
          'content-type': 'application/octet-stream',
        },
        body,
        duplex: 'half',
      } as RequestInit);
      expect([bucket, response.status, (await response.json()).statusCode]).toEqual([bucket, 413, '413']);
    }
    expect(await filesOnDisk()).toEqual(before);
    const rows = await stack.test.as('postgres')`select from storage.objects where name = 'stream.bin'`;
    expect(rows).toHaveLength(0);
  });

  it('keep nothing of an upload that breaks off', async () => {
    await owner.storage.from('packs').upload('kept.bin', 'whole');
    const before = await filesOnDisk();
    for (const [name, upsert] of [
      ['broken.bin', 'false'],
      ['kept.bin', 'true'],
    ] as const) {
      const upload = request(`${stack.url}/storage/v1/object/packs/${name}`, {
        method: 'POST',
        headers: {
          apikey: keys.publishable,
          authorization: `Bearer ${ownerToken}`,
          'x-upsert': upsert,
          'content-length': 500_000,
        },
      });
      upload.on('error', () => undefined);
      upload.write(bytes(200_000));
      await waitFor('the upload to reach the disk', async () => (await filesOnDisk()).length > before.length);
      upload.destroy();
      await waitFor('the half file to go', async () => (await filesOnDisk()).length === before.length);
    }
    expect(await text((await owner.storage.from('packs').download('kept.bin')).data)).toBe('whole');
    const rows = await stack.test.as('postgres')`select from storage.objects where name = 'broken.bin'`;
    expect(rows).toHaveLength(0);
  });

  it('let no name leave the folder', async () => {
    const send = (name: string) =>
      new Promise<number>((resolve, reject) => {
        const url = new URL(stack.url);
        request(
          {
            host: url.hostname,
            port: url.port,
            method: 'POST',
            path: `/storage/v1/object/packs/${name}`,
            headers: { apikey: keys.secret },
          },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        )
          .on('error', reject)
          .end('evil');
      });
    for (const name of [
      '../../evil',
      '%2e%2e/%2e%2e/evil',
      '..%2f..%2fevil',
      '..%5c..%5cevil',
      '%2fetc%2fevil',
      'a/%00evil',
      '....//evil',
    ]) {
      await send(name);
    }
    const entries = await readdir(path.join(stack.storageDir, '..'), { recursive: true });
    expect(entries.filter((entry) => entry.includes('evil'))).toEqual([]);
    const names = await readdir(path.join(stack.storageDir, 'objects'), { recursive: true });
    expect(names.every((name) => /^[0-9a-f]{2}(\/[0-9a-f]{64}(\/([0-9a-f-]{36}|manifest\.json))?)?$/.test(name))).toBe(
      true,
    );
  });
});

describe('buckets', () => {
  it('are made and emptied by the service only', async () => {
    expect((await owner.storage.createBucket('mine')).error).not.toBeNull();
    expect((await stack.client().storage.createBucket('mine')).error).not.toBeNull();
    const service = stack.admin().storage;
    expect(
      (await service.createBucket('fresh', { public: false, fileSizeLimit: 5000, allowedMimeTypes: ['text/plain'] }))
        .error,
    ).toBeNull();
    expect((await service.from('fresh').upload('a.txt', 'a', { contentType: 'text/plain' })).error).toBeNull();
    expect((await service.from('fresh').upload('a.png', 'a', { contentType: 'image/png' })).error).toMatchObject({
      statusCode: '415',
    });
    expect((await service.deleteBucket('fresh')).error).not.toBeNull();
    expect((await service.emptyBucket('fresh')).error).toBeNull();
    expect((await service.deleteBucket('fresh')).error).toBeNull();
    expect((await service.listBuckets()).data?.map(({ id }) => id).sort()).toEqual(['open', 'packs', 'small']);
  });
});

describe('the file adapter', () => {
  it('forgets at its start what an earlier process left unfinished', async () => {
    const { directory, remove } = await temporaryDirectory();
    const storage = new FileStorage({
      directory,
      fileSizeLimitBytes: limit,
      bucketLimit: async () => null,
      mayReplace: async () => {},
    });
    await storage.prepare();
    let feed: ReadableStreamDefaultController<Uint8Array> | undefined;
    const endless = new ReadableStream<Uint8Array>({
      start(controller) {
        feed = controller;
        controller.enqueue(bytes(10));
      },
    });
    const upload = storage.uploadObject('b', 'k', undefined, endless, 'text/plain', 'no-cache');
    await waitFor('a half file', async () => (await readdir(path.join(directory, 'incoming'))).length === 1);
    const next = new FileStorage({
      directory,
      fileSizeLimitBytes: limit,
      bucketLimit: async () => null,
      mayReplace: async () => {},
    });
    await next.prepare();
    expect(await readdir(path.join(directory, 'incoming'))).toEqual([]);
    await expect(next.getObject('b', 'k')).rejects.toThrow('Object not found');
    feed?.error(new Error('gone'));
    await expect(upload).rejects.toThrow('gone');
    await remove();
  });
});
