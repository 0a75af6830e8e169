import { createHash } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { type NodeAgent, startNodeAgent } from '@stark-o/agent/node';
import { call } from '@stark-o/core';
import { strToU8, zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestBrowser } from '../harness/chromium.js';
import { sharedStark } from '../harness/command.js';
import { startTestStack, type TestStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';
import { ADMIN, Cluster } from './cluster.js';
import { becomeNode, serveNodePage } from './node-page.js';

/** Reads what travels with it, at the paths of its code and in ctx.assets, and tries to change it. */
const READER = {
  'package.json': JSON.stringify({
    name: 'reader',
    version: '1.0.0',
    dependencies: { lib: '1' },
    stark: { entry: 'src/pack.mjs', runtime: 'node', assets: ['views'] },
  }),
  'src/pack.mjs': `import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'; import { join } from 'node:path'; import font from 'lib';
    export default (ctx) => {
      const own = new URL('./own.tmpl', import.meta.url);
      const texts = [readFileSync(own, 'utf8'), readFileSync(join(ctx.assets, 'views/a.html'), 'utf8'), font(), readdirSync(join(ctx.assets, 'views')).length];
      const changes = [() => writeFileSync(own, ''), () => writeFileSync(join(ctx.assets, 'new'), ''), () => rmSync(own), () => readdirSync(join(ctx.assets, '..'))];
      const refused = changes.map((change) => { try { change(); return 'done'; } catch (error) { return error.code; } });
      console.log(JSON.stringify([texts, refused, ctx.node.name === process.env.STARK_NODE_NAME]));
    };`,
  'src/own.tmpl': 'own',
  'views/a.html': 'A',
  'views/b.html': 'B',
  'node_modules/lib/package.json': '{"name":"lib","version":"1.0.0","main":"index.js"}',
  'node_modules/lib/index.js':
    'const fs = require("fs"); module.exports = () => fs.readFileSync(require("path").join(__dirname, "font.afm"), "utf8");',
  'node_modules/lib/font.afm': 'font',
};
const PAGE = {
  'package.json': JSON.stringify({
    name: 'picture',
    version: '1.0.0',
    stark: { entry: 'pack.mjs', runtime: 'browser', assets: ['words'] },
  }),
  'pack.mjs': `export default async (ctx) => {
      const logo = await fetch(new URL('./logo.svg', import.meta.url));
      const words = await fetch(ctx.assets['words/a.txt']);
      console.log([logo.headers.get('content-type'), await logo.text(), await words.text(), Object.keys(ctx.assets).sort()].join(' '));
    };`,
  'logo.svg': '<svg/>',
  'words/a.txt': 'hello',
};

let test: TestStack;
let cluster: Cluster;
let site: Awaited<ReturnType<typeof serveNodePage>>;
let browser: TestBrowser;
const agents: NodeAgent[] = [];
beforeAll(async () => {
  [test, site, browser] = await Promise.all([startTestStack(), serveNodePage(), TestBrowser.start()]);
  // Pods of an agent that is root are users of their own, who have to come by.
  await chmod(test.folder, 0o711);
  cluster = await Cluster.setUp(test);
  await stark(['auth', 'login', '--email', ADMIN.email, '--password-stdin'], ADMIN.password);
  for (const files of [READER, PAGE]) await stark(['pack', 'register', await project(files)]);
});
afterAll(async () => {
  for (const agent of agents) await agent.stop();
  await browser?.stop();
  await site?.close();
  await test?.stop();
});

async function project(files: Record<string, string>): Promise<string> {
  const folder = join(test.folder, JSON.parse(files['package.json'] ?? '{}').name);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

async function stark(args: string[], input?: string): Promise<void> {
  const { url, keys } = test.stack;
  const env = { STARK_CONFIG_DIR: join(test.folder, 'config'), STARK_URL: url, STARK_KEY: keys.publishable };
  const { code, stderr } = await sharedStark(args, { env, input });
  expect(code, `stark ${args.join(' ')}: ${stderr}`).toBe(0);
}

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** An agent behind that wall; nothing where this machine has none. */
async function agentBehind(isolation: 'none' | 'standard' | 'strict'): Promise<NodeAgent | undefined> {
  const { PATH, STARK_TEST_PROGRAMS: programs } = process.env;
  // Landlock is known by a newer setpriv than some systems have.
  if (isolation === 'standard' && programs !== undefined) process.env.PATH = [programs, PATH].join(delimiter);
  try {
    const agent = await startNodeAgent({
      supabaseUrl: test.stack.url,
      key: test.stack.keys.publishable,
      credentials: ADMIN,
      name: `behind-${isolation}`,
      dataDir: join(test.folder, `agent-${isolation}`),
      isolation,
      log: silent,
    });
    agents.push(agent);
    return agent;
  } catch (error) {
    expect(error).toMatchObject({ code: 'ISOLATION_UNAVAILABLE' });
    console.warn(`SKIPPED: no assets behind the wall "${isolation}": ${(error as Error).message}`);
    return undefined;
  } finally {
    process.env.PATH = PATH;
  }
}

/** What became of a pod, and what it printed. */
async function ended(pack: string, nodeName: string): Promise<[string, string, string[]]> {
  const id = await cluster.createPod(pack, { nodeName, restartPolicy: 'Never' });
  const pod = await cluster.podThat('at its end', id, ({ status }) => ['succeeded', 'failed'].includes(status), 60_000);
  const lines = () => cluster.logs(id);
  if (pod.status === 'succeeded') await waitFor('its log', async () => (await lines()).length > 0);
  return [pod.status_reason ?? '', pod.status_message ?? '', await lines()];
}

/** Registers a pack with an archive of anybody's making; what is uploaded may be another. */
async function register(name: string, runtime: string, archive: Uint8Array, uploaded = archive): Promise<void> {
  const code = Buffer.from('export default () => {};');
  const sum = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  const place = await call(cluster.client, 'register_pack_version', {
    p_name: name,
    p_version: '1.0.0',
    p_runtime: runtime,
    p_size_bytes: code.length,
    p_sha256: sum(code),
    p_assets_size_bytes: archive.length,
    p_assets_sha256: sum(archive),
  });
  const bucket = cluster.client.storage.from(place.bucket);
  for (const [path, bytes] of [
    [place.path, code],
    [place.assets_path, uploaded],
  ] as const) {
    const { error } = await bucket.upload(String(path), Buffer.from(bytes), { contentType: 'application/zip' });
    if (error) throw error;
  }
  await call(cluster.client, 'finish_pack_version', { p_version_id: place.version_id });
}

describe('files that travel with a bundle', () => {
  it.for(['none', 'standard', 'strict'] as const)(
    'are where the code asks for them, and cannot be changed, behind the wall %s',
    { timeout: 90_000 },
    async (isolation, { skip }) => {
      const agent = await agentBehind(isolation);
      if (agent === undefined) return skip();
      const [reason, message, lines] = await ended('reader', `behind-${isolation}`);
      expect(reason, `${message} ${lines.join('\n')}`).toBe('Completed');
      expect(JSON.parse(lines[0] ?? '')).toEqual([['own', 'A', 'font', 2], Array(4).fill('ERR_ACCESS_DENIED'), true]);
    },
  );

  it('are addresses in a browser tab', async () => {
    const { url, keys } = test.stack;
    const { name } = await becomeNode(await browser.open(site.url), { url, key: keys.publishable, credentials: ADMIN });
    const [reason, message, lines] = await ended('picture', name);
    expect(reason, `${message} ${lines.join('\n')}`).toBe('Completed');
    expect(lines).toEqual(['image/svg+xml <svg/> hello logo.svg,words/a.txt']);
    await register('escaping-tab', 'browser', zipSync({ '../escaped': strToU8('x') }));
    const [refusal, why] = await ended('escaping-tab', name);
    expect([refusal, why]).toEqual(['StartFailed', expect.stringContaining('it has a file "../escaped"')]);
  }, 90_000);

  it.each<[string, Uint8Array, RegExp, Uint8Array?]>([
    [
      'another',
      zipSync({ a: strToU8('one') }, { level: 0 }),
      /its SHA-256 is/,
      zipSync({ a: strToU8('two') }, { level: 0 }),
    ],
    ['escaping', zipSync({ '../escaped': strToU8('x') }), /it has a file "\.\.\/escaped"/],
    ['absolute', zipSync({ '/etc/cron.d/x': strToU8('x') }), /it has a file/],
    ['linking', zipSync({ a: [strToU8('/etc'), { os: 3, attrs: 0o120777 << 16 }] }), /it has a link/],
    ['swelling', zipSync({ a: new Uint8Array(51 * 1024 * 1024) }, { level: 1 }), /it unpacks to too much/],
  ])('are refused by an agent where their archive is %s', async (name, archive, message, uploaded = archive) => {
    if (agents.length === 0) await agentBehind('none');
    await register(name, 'node', archive, uploaded);
    const [reason, why] = await ended(name, 'behind-none');
    expect([reason, why]).toEqual(['BundleCorrupt', expect.stringMatching(message)]);
  });
});
