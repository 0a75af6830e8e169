import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, Cluster, type Person, type Version } from './cluster.js';

let cluster: Cluster;
let owner: Person;
let attacker: Person;
let others: [name: string, person: Person | undefined][];
let bundle: Version;
let unfinished: Version;

beforeAll(async () => {
  cluster = await Cluster.start();
  owner = await cluster.person('owner', ['user']);
  attacker = await cluster.person('attacker', ['user']);
  others = [
    ['nobody', undefined],
    ['a user', attacker],
    ['a stranger', await cluster.person('stranger')],
    ['a viewer', await cluster.person('viewer', ['viewer'])],
    ['a developer', await cluster.person('developer', ['developer'])],
    ['an agent', await cluster.person('agent', ['node'])],
  ];
});
afterAll(() => cluster.stop());

const ask = (
  as: Person | undefined,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) => cluster.request(`/storage/v1/${path}`, { method, ...(as && { as }), body, headers });

describe('the bucket of bundles', () => {
  it('is removed, emptied and made public by nobody, even while it is empty', async () => {
    for (const [name, who] of others) {
      for (const answer of [
        await ask(who, 'DELETE', 'bucket/packs'),
        await ask(who, 'POST', 'bucket/packs/empty', {}),
        await ask(who, 'PUT', 'bucket/packs', { id: 'packs', name: 'packs', public: true }),
        await ask(who, 'POST', 'bucket', { id: 'mine', name: 'mine', public: true }),
      ]) {
        expect(answer.status, `${name}: ${answer.text}`).toBeGreaterThanOrEqual(400);
      }
    }
    const { rows } = await cluster.database.query('select id, public from storage.buckets');
    expect(rows).toEqual([{ id: 'packs', public: false }]);
  });
});

describe('another’s bundle', () => {
  beforeAll(async () => {
    bundle = await cluster.pack(owner, 'private-one');
    unfinished = await cluster.pack(attacker, 'mine', { finish: false });
  });

  it('is read by no path', async () => {
    const name = bundle.path;
    const [folder] = name.split('/');
    for (const [who, person] of others) {
      for (const path of [
        `object/packs/${name}`,
        `object/authenticated/packs/${name}`,
        `object/public/packs/${name}`,
        `object/info/packs/${name}`,
        `object/info/authenticated/packs/${name}`,
        `object/packs/x/../${name}`,
        `object/packs/x%2f..%2f${name}`,
        `object/packs//${name}`,
        `object/packs/${name.toUpperCase()}`,
        `object/packs/..%2f..%2fkeys.json`,
        'object/packs/%2e%2e/%2e%2e/keys.json',
        `object/authenticated/packs/..%2fpacks%2f${encodeURIComponent(name)}`,
        `render/image/authenticated/packs/${name}`,
      ]) {
        const { status, text } = await ask(person, 'GET', path);
        expect(status, `${who} ${path}`).toBeGreaterThanOrEqual(400);
        expect(text).not.toContain('export default');
      }
      const signed = await ask(person, 'POST', `object/sign/packs/${name}`, { expiresIn: 60 });
      expect(signed.status, who).toBeGreaterThanOrEqual(400);
      const { json: many } = await ask(person, 'POST', 'object/sign/packs', { expiresIn: 60, paths: [name] });
      expect(many, who).toMatchObject([{ signedURL: null }]);
      expect((await ask(person, 'POST', 'object/list/packs', { prefix: folder })).json, who).toEqual([]);
      expect((await ask(person, 'POST', 'object/list/packs', { prefix: '' })).text, who).not.toContain(folder);
    }
  });

  it('is written, moved and removed by nobody', async () => {
    for (const [who, person] of others) {
      const upsert = { 'x-upsert': 'true' };
      const copy = (from: string, to: string) => ({ bucketId: 'packs', sourceKey: from, destinationKey: to });
      const answers: Answer[] = [
        await ask(person, 'POST', `object/packs/${bundle.path}`, 'evil', upsert),
        await ask(person, 'PUT', `object/packs/${bundle.path}`, 'evil'),
        await ask(person, 'POST', `object/packs/anywhere.js`, 'evil'),
        await ask(person, 'POST', `object/upload/sign/packs/${bundle.path}`, {}, upsert),
        await ask(person, 'POST', 'object/move', copy(bundle.path, unfinished.path)),
        await ask(person, 'POST', 'object/copy', copy(bundle.path, unfinished.path), upsert),
        await ask(person, 'POST', 'object/move', copy(unfinished.path, bundle.path)),
        await ask(person, 'POST', 'object/copy', copy(unfinished.path, bundle.path), upsert),
      ];
      for (const { status, text } of answers) expect(status, `${who}: ${text}`).toBeGreaterThanOrEqual(400);
      expect((await ask(person, 'DELETE', 'object/packs', { prefixes: [bundle.path] })).text, who).not.toContain(
        bundle.path,
      );
      await ask(person, 'DELETE', `object/packs/${bundle.path}`);
    }
    expect((await ask(owner, 'GET', `object/packs/${bundle.path}`)).text).toContain('private-one');
  });

  it('is finished by nobody else', async () => {
    const theirs = await cluster.pack(owner, 'not-yet', { finish: false });
    for (const [who, person] of others) {
      const answer = await cluster.rpc(
        'finish_pack_version',
        { p_version_id: theirs.version_id },
        person ? { as: person } : {},
      );
      expect([401, 403], who).toContain(answer.status);
    }
  });
});

describe('a finished version', () => {
  it('keeps its bundle, also from its owner', async () => {
    const version = await cluster.pack(owner, 'final');
    const upsert = { 'x-upsert': 'true' };
    expect((await cluster.upload(owner, version.path, 'evil', upsert)).status).toBeGreaterThanOrEqual(400);
    expect((await ask(owner, 'PUT', `object/packs/${version.path}`, 'evil')).status).toBeGreaterThanOrEqual(400);
    expect(
      (await ask(owner, 'POST', `object/upload/sign/packs/${version.path}`, {}, upsert)).status,
    ).toBeGreaterThanOrEqual(400);
    await ask(owner, 'DELETE', 'object/packs', { prefixes: [version.path] });
    expect((await ask(owner, 'GET', `object/packs/${version.path}`)).text).toContain('final');
  });

  it('keeps its bundle from a place to upload that was signed while it was unfinished', async () => {
    const version = await cluster.pack(owner, 'signed', { finish: false });
    const signed = await cluster.must(
      ask(owner, 'POST', `object/upload/sign/packs/${version.path}`, {}, { 'x-upsert': 'true' }),
    );
    await cluster.must(cluster.rpc('finish_pack_version', { p_version_id: version.version_id }, { as: owner }));
    await cluster.request(`/storage/v1${signed.url}`, {
      method: 'PUT',
      key: null,
      body: 'evil',
      headers: { 'x-upsert': 'true' },
    });
    expect((await ask(owner, 'GET', `object/packs/${version.path}`)).text).toContain('signed');
  });

  it('has the size that was announced', async () => {
    const args = { p_name: 'liar', p_version: '1.0.0', p_runtime: 'node', p_size_bytes: 4, p_sha256: 'a'.repeat(64) };
    const { version_id: id, path } = await cluster.must(cluster.rpc('register_pack_version', args, { as: owner }));
    const metadata = Buffer.from('{"size": 4}').toString('base64');
    await cluster.must(cluster.upload(owner, path, 'much longer', { 'x-metadata': metadata }));
    const finished = await cluster.rpc('finish_pack_version', { p_version_id: id }, { as: owner });
    expect(finished.json).toMatchObject({ code: 'BUNDLE_SIZE_MISMATCH' });
  });
});
