import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeCluster } from './support/fake-cluster.js';
import { deploymentRow, podRow, versionRow } from './support/rows.js';
import { ended, Machine, packageRoot, temporaryFolder } from './support/run.js';

const cluster = new FakeCluster();
const machine = new Machine();
let folder: string;
let calls: { fn: string; args: Record<string, unknown> }[];

beforeAll(async () => {
  await cluster.start();
  await machine.signIn(cluster);
});
afterAll(() => cluster.stop());

beforeEach(() => {
  folder = temporaryFolder();
  calls = [];
  cluster.tables.deployments = [];
  cluster.tables.pods = [];
  const answer = (fn: string, body: (args: Record<string, unknown>) => unknown) => {
    cluster.functions[fn] = (args) => {
      calls.push({ fn, args });
      return { body: body(args) };
    };
  };
  const running = (version: unknown) => {
    const deployment = deploymentRow('shop-dev', { pack_name: 'shop', labels: { 'stark/dev': 'true' } });
    cluster.tables.deployments = [deployment];
    cluster.tables.pods = [
      podRow('shop-dev-1', { deployment_id: deployment.id, version, status: 'running', ready: true }),
    ];
    return deployment;
  };
  answer('register_pack_version', () => ({ pack_id: 'p', version_id: 'v', bucket: 'packs', path: 'x.js' }));
  answer('finish_pack_version', () => versionRow('shop', '1.0.0'));
  answer('create_deployment', ({ p_deployment }) => running((p_deployment as Record<string, unknown>).version));
  answer('update_deployment', ({ p_changes }) => running((p_changes as Record<string, unknown>).version));
  answer('withdraw_pack_version', () => ({}));
  answer('delete_deployment', () => {
    cluster.tables.deployments = [];
    return {};
  });
});

const put = (path: string, text: string) => {
  mkdirSync(join(folder, 'src'), { recursive: true });
  // As editors save: another file takes the place of the one that was there.
  writeFileSync(join(folder, `${path}.new`), text);
  renameSync(join(folder, `${path}.new`), join(folder, path));
};
const pack = (greeting: string) => `export default async function shop(ctx) { ctx.log.info('${greeting}'); }`;
const asked = (fn: string) => calls.filter((call) => call.fn === fn).map(({ args }) => args);

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds() && Date.now() < deadline) await new Promise((done) => setTimeout(done, 30));
  if (!holds()) throw new Error(`waited in vain for ${what}: ${JSON.stringify(calls)}`);
}

describe('stark dev', () => {
  it('runs each change as a version of its own, tells one that cannot be bundled, and tidies up', async () => {
    put(
      'package.json',
      JSON.stringify({ name: 'shop', version: '1.0.0', stark: { entry: 'src/index.js', runtime: 'node' } }),
    );
    put('src/index.js', pack('hello'));
    put(
      'stark.yaml',
      'packs: [{ source: . }]\ndeployments: [{ name: web, pack: shop, template: { spec: { config: { title: mine } } } }]\n',
    );
    const child = machine.start(['dev', '--output', 'json'], { cwd: folder });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk) => (stdout += chunk));
    child.stderr?.on('data', (chunk) => (stderr += chunk));
    const end = ended(child);
    await until('the first version', () => stdout.includes('\n'));
    expect(asked('create_deployment')).toMatchObject([
      {
        p_deployment: {
          name: 'shop-dev',
          pack: 'shop',
          replicas: 1,
          template: { spec: { config: { title: 'mine' } } },
        },
      },
    ]);
    expect(asked('register_pack_version')).toMatchObject([{ p_version: expect.stringMatching(/^1\.0\.0-dev\.\d+$/) }]);

    put('src/index.js', 'export default async function (');
    await until('the complaint', () => stderr.includes('index.js'));
    expect(asked('register_pack_version')).toHaveLength(1);
    put('src/index.js', pack('again'));
    await until('the change', () => stdout.trim().split('\n').length === 2);
    put('src/index.js', pack('once more'));
    await until('the next change', () => stdout.trim().split('\n').length === 3);

    const { required } = JSON.parse(readFileSync(join(packageRoot, 'schemas', 'dev.json'), 'utf8'));
    expect(Object.keys(JSON.parse(stdout.split('\n')[0] ?? ''))).toEqual(required);

    child.kill('SIGINT');
    expect((await end).code).toBe(0);
    const versions = asked('register_pack_version').map(({ p_version }) => p_version);
    expect(new Set(versions).size).toBe(3);
    expect(asked('withdraw_pack_version').map(({ p_version }) => p_version)).toEqual(versions);
    expect(asked('delete_deployment')).toMatchObject([{ p_name: 'shop-dev' }]);
  });

  it('neither changes nor deletes a deployment of that name that somebody else made', async () => {
    put(
      'package.json',
      JSON.stringify({ name: 'shop', version: '1.0.0', stark: { entry: 'src/index.js', runtime: 'node' } }),
    );
    put('src/index.js', pack('hello'));
    cluster.tables.deployments = [deploymentRow('shop-dev', { pack_name: 'shop' })];
    expect(await machine.run(['dev'], { cwd: folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('deployment shop-dev was not made by stark dev'),
    });
    expect([...asked('update_deployment'), ...asked('delete_deployment')]).toEqual([]);
    expect(asked('withdraw_pack_version')).toHaveLength(1);
  });

  it('says what is wrong before there is anything to work on', async () => {
    put('src/index.js', 'export default async function (');
    expect(await machine.run(['dev'], { cwd: folder })).toMatchObject({ code: 2, stdout: '' });
    expect(await machine.run(['dev', './nowhere'], { cwd: folder })).toMatchObject({ code: 6, stdout: '' });
    put('stark.yaml', 'packs: [{ source: ./a }, { source: ./b }]\n');
    expect(await machine.run(['dev'], { cwd: folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--pack'),
    });
    expect(calls).toEqual([]);
  });
});
