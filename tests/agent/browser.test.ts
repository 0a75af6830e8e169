import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type NodeAgent, startNodeAgent } from '@stark-o/agent/node';
import { call } from '@stark-o/core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeBrowserAgent } from '../../agent/scripts/bundle-browser.mjs';
import { serve } from '../../examples/browser-node/server.mjs';
import { TestBrowser } from '../harness/chromium.js';
import { sharedStark } from '../harness/command.js';
import { root, startTestStack, type TestStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';
import { ADMIN, Cluster } from './cluster.js';
import { HiddenTab } from './hidden-tab.js';
import { becomeNode, type PageOptions, serveNodePage, stopNode } from './node-page.js';

const SERVICE = `export default async (ctx) => {
  const starts = ((await ctx.storage.get('starts')) ?? 0) + 1;
  await ctx.storage.set('starts', starts);
  ctx.log.info('start ' + starts);
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
  ctx.log.info('closing');
};`;

/** Tries everything by which a worker could reach what belongs to the page, the agent or another pod. */
const THIEF = `export default async (ctx) => {
  const own = 'page' in ctx.config ? ctx.config.page : '';
  const attempt = async (what, act) => {
    try { console.log(what + ': ' + JSON.stringify(await act())); } catch (error) { console.log(what + ': ' + error.name); }
  };
  await attempt('indexedDB', () => new Promise((resolve, reject) => {
    const request = indexedDB.open('stark nodes');
    request.onsuccess = () => resolve('opened');
    request.onerror = () => reject(request.error);
  }));
  await attempt('caches', () => caches.keys());
  await attempt('locks', () => navigator.locks.query());
  await attempt('files', async () => (await navigator.storage.getDirectory()).name);
  await attempt('localStorage', () => localStorage.length);
  await attempt('cookies', async () => (await cookieStore.getAll()).length);
  await attempt('page with its cookies', async () => (await fetch(own, { credentials: 'include' })).status);
  await attempt('the program of the agent', async () => (await fetch(own + 'stark-agent.js')).status);
  await attempt('origin', () => self.origin);
  await attempt('document', () => document.title);
  await attempt('parent', () => parent.document.title);
  await attempt('another pod', () => new Promise((resolve) => {
    const channel = new BroadcastChannel('pods');
    channel.onmessage = ({ data }) => resolve(data);
    channel.postMessage('anybody there?');
    setTimeout(() => resolve('nobody'), 300);
  }));
  const nested = new Worker(URL.createObjectURL(new Blob(['postMessage(self.origin)'])));
  await attempt('origin of its worker', () => new Promise((resolve) => { nested.onmessage = ({ data }) => resolve(data); }));
  postMessage({ type: 'exit', code: 0 });
  console.log('done');
};`;
const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const SPINNER = `export default () => { console.log('spinning'); for (;;); }`;
const FLOOD = `export default async (ctx) => {
  for (let at = 0; at < 20000; at++) console.log('line ' + at);
  const { get } = Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data');
  let port;
  Object.defineProperty(MessageEvent.prototype, 'data', { get() { port = this.target; return get.call(this); } });
  await ctx.storage.get('anything');
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (;;) port.postMessage({ type: 'ready' });
};`;
const WEB = `export const web = { index: 'index.html', files: {}, page:
  '<!doctype html><title>Site</title><h1>A website of a pod</h1><script>try { document.cookie; } catch (error) { document.body.append(window.origin + " " + error.name); }</script>' };
export default async (ctx) => { ctx.ready(); await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve)); };`;

let test: TestStack;
let cluster: Cluster;
let site: Awaited<ReturnType<typeof serveNodePage>>;
let browser: TestBrowser;
let page: Page;
let name: string;
let nodeId: string;
beforeAll(async () => {
  [test, site, browser] = await Promise.all([startTestStack(), serveNodePage(), TestBrowser.start()]);
  cluster = await Cluster.setUp(test);
  await Promise.all([
    bundleOfPi().then((source) => cluster.pack('pi', source, source, 'isomorphic')),
    cluster.pack('service', SERVICE, SERVICE, 'isomorphic'),
    cluster.pack('thief', THIEF, THIEF, 'browser'),
    cluster.pack('spinner', SPINNER, SPINNER, 'browser'),
    cluster.pack('flood', FLOOD, FLOOD, 'browser'),
    cluster.pack('web', WEB, WEB, 'browser'),
  ]);
  page = await browser.open(site.url);
  ({ name, nodeId } = await becomeNode(page, optionsOf()));
});
afterAll(async () => {
  await browser?.stop();
  await site?.close();
  await test?.stop();
});

async function bundleOfPi(): Promise<string> {
  const out = join(test.folder, 'pi.mjs');
  const { code, stderr } = await sharedStark(['pack', 'bundle', join(root, 'examples', 'pi'), '--out', out]);
  expect(code, stderr).toBe(0);
  return readFile(out, 'utf8');
}

function optionsOf(more: Partial<PageOptions> = {}): PageOptions {
  const { url, keys } = test.stack;
  return { url, key: keys.publishable, credentials: ADMIN, ...more };
}

async function statusOf(node: string): Promise<string> {
  const { data, error } = await cluster.client.from('nodes').select('status').eq('name', node).single();
  if (error) throw error;
  return data.status;
}

function offline(node: string, deadlineMs: number): Promise<unknown> {
  return waitFor(`${node} to be offline`, async () => (await statusOf(node)) === 'offline', { deadlineMs });
}

describe('an agent in a browser tab', () => {
  it('runs the demo pack that a Node.js machine runs, hands over its log, and stops it', async () => {
    const machine: NodeAgent = await startNodeAgent({
      supabaseUrl: test.stack.url,
      key: test.stack.keys.publishable,
      credentials: ADMIN,
      name: 'machine',
      dataDir: join(test.folder, 'agents'),
      log: silent,
    });
    expect(name).toMatch(/^browser-[0-9a-f]{8}$/);
    const nodes = ['machine', name];
    const config = { darts: 20_000, everyMs: 50 };
    const ids = await Promise.all(nodes.map((nodeName) => cluster.createPod('pi', { nodeName, config })));
    for (const [at, id] of ids.entries()) {
      expect(await cluster.running(id)).toMatchObject({ node_name: nodes[at], restarts: 0 });
    }
    for (const id of ids) {
      await waitFor('it to know pi', async () => {
        const lines = await cluster.logs(id);
        return (
          /^pi is about 3\.\d{6} \{"darts":20000\}$/.test(lines[1] ?? '') || Promise.reject(new Error(lines.join('\n')))
        );
      });
    }
    await call(cluster.client, 'stop_pods', { p_ids: ids });
    for (const [at, id] of ids.entries()) {
      const stopped = await cluster.podThat('stopped', id, ({ status }) => status === 'stopped');
      expect(stopped).toMatchObject({ status_reason: 'Stopped', exit_code: 0, ready: false });
      const lines = await waitFor('its last line', async () => {
        const all = await cluster.logs(id);
        return all.at(-1) === 'stopping' ? all : undefined;
      });
      expect(lines[0]).toBe(`throwing darts on ${nodes[at]}`);
    }
    await machine.stop();
  });

  it('lets a pack reach nothing of the page, the agent or another pod', async () => {
    const id = await cluster.createPod('thief', { nodeName: name, restartPolicy: 'Never', config: { page: site.url } });
    await cluster.podThat('over', id, ({ status }) => status === 'succeeded' || status === 'failed');
    const lines = await waitFor('its last line', async () => {
      const all = await cluster.logs(id);
      return all.at(-1) === 'done' ? all : Promise.reject(new Error(all.join('\n')));
    });
    expect(lines).toEqual([
      'indexedDB: SecurityError',
      'caches: SecurityError',
      'locks: SecurityError',
      'files: SecurityError',
      'localStorage: ReferenceError',
      'cookies: ReferenceError',
      'page with its cookies: TypeError',
      'the program of the agent: TypeError',
      'origin: "null"',
      'document: ReferenceError',
      'parent: ReferenceError',
      'another pod: "nobody"',
      'origin of its worker: "null"',
      'done',
    ]);
  });

  it('ends a pod that spins, and one that floods its agent, and goes on itself', async () => {
    const spinner = await cluster.createPod('spinner', { nodeName: name, terminationGracePeriodSeconds: 1 });
    const flood = await cluster.createPod('flood', { nodeName: name, restartPolicy: 'Never' });
    await cluster.running(spinner);
    await call(cluster.client, 'stop_pods', { p_ids: [spinner] });
    expect(await cluster.podThat('stopped', spinner, ({ status }) => status === 'stopped')).toMatchObject({
      status_reason: 'Killed',
      exit_code: 137,
    });
    expect(await cluster.podThat('failed', flood, ({ status }) => status === 'failed')).toMatchObject({
      status_reason: 'Killed',
      status_message: 'it floods its agent with messages',
    });
    await waitFor('what was dropped to be said', async () => {
      const { data } = await cluster.client
        .from('pod_logs')
        .select('message')
        .eq('pod_id', flood)
        .like('message', 'dropped %');
      return /^dropped \d+ lines: the pod logs faster/.test(data?.[0]?.message ?? '');
    });
    expect(await statusOf(name)).toBe('healthy');
  });

  it('shows the website of a pod in a frame that has no origin and no cookies', async () => {
    const id = await cluster.createPod('web', { nodeName: name });
    await cluster.running(id);
    const frame = page.frameLocator('#pods iframe:visible').frameLocator('iframe');
    await frame.getByRole('heading', { name: 'A website of a pod' }).waitFor();
    expect(await frame.locator('body').textContent()).toContain('null SecurityError');
    await call(cluster.client, 'delete_pods', { p_ids: [id] });
    await waitFor('the frame to go', async () => (await page.locator('#pods iframe').count()) === 0);
  });

  it('is the same node after a refresh, without being told again who it is; another tab is another node', async () => {
    const other = await browser.open(site.url);
    const second = await becomeNode(other, optionsOf());
    expect(second.name).not.toBe(name);
    await page.reload();
    const { credentials, ...withoutCredentials } = optionsOf();
    expect(credentials).toBeDefined();
    const again = await becomeNode(page, withoutCredentials);
    expect(again).toMatchObject({ name, nodeId });
    expect(again.incarnation).toBeGreaterThan(1);
    await other.reload();
    expect(await becomeNode(other, withoutCredentials)).toMatchObject({ name: second.name, nodeId: second.nodeId });
    await cluster.running(await cluster.createPod('service', { nodeName: name }));
    await stopNode(other);
    expect(await statusOf(second.name)).toBe('offline');
    await other.close();
  });

  it('joins by a token, comes back by itself, and keeps its name from other tabs', async () => {
    const { token } = await call(cluster.client, 'create_join_token', {});
    const tabs = [await browser.open(site.url), await browser.open(site.url)] as const;
    const kiosk = { ...optionsOf({ name: 'kiosk' }), credentials: { join: { token } } };
    const { nodeId: first } = await becomeNode(tabs[0], kiosk);
    await expect(becomeNode(tabs[1], kiosk)).rejects.toThrow(/another tab .* is node kiosk/);
    await tabs[0].reload();
    const { credentials: spent, ...withoutCredentials } = kiosk;
    expect(spent.join.token).toMatch(/^stark_join_/);
    expect((await becomeNode(tabs[0], withoutCredentials)).nodeId).toBe(first);
    await expect(becomeNode(tabs[1], { ...withoutCredentials, name: 'stranger' })).rejects.toThrow(/not signed in/);
    await tabs[0].close();
    await offline('kiosk', 15_000);
    await tabs[1].close();
  });

  it('works on while its tab is hidden', async () => {
    const tab = await HiddenTab.open(site.url);
    try {
      await waitFor('the script of the page', () => tab.evaluate<boolean>(`'begin' in globalThis`));
      const options = optionsOf({ name: 'hidden', syncEveryMs: 500 });
      await tab.evaluate(`begin(${JSON.stringify(options)}).then(() => {
        globalThis.ticks = 0;
        setInterval(() => ticks++, 100);
      })`);
      await tab.hide();
      await waitFor('the page to be slowed down', async () => {
        const before = await tab.evaluate<number>('ticks');
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        return (await tab.evaluate<number>('ticks')) - before <= 1;
      });
      expect(await tab.evaluate('document.visibilityState')).toBe('hidden');
      const before = await tab.evaluate<number>('ticks');
      const seen = async () => {
        const { data } = await cluster.client
          .from('node_leases')
          .select('renewed_at, nodes!inner(name)')
          .eq('nodes.name', 'hidden')
          .single();
        return data?.renewed_at;
      };
      for (let beat = 0; beat < 3; beat++) {
        const last = await seen();
        await waitFor('the next sign of life', async () => (await seen()) !== last, { deadlineMs: 10_000 });
      }
      await cluster.running(await cluster.createPod('service', { nodeName: 'hidden' }));
      expect((await tab.evaluate<number>('ticks')) - before).toBeLessThanOrEqual(2);
    } finally {
      await tab.close();
    }
  });

  it('is what the page of examples/browser-node becomes, and is again after a refresh', async () => {
    await writeBrowserAgent();
    const example = await serve();
    const { url, keys } = test.stack;
    const { token } = await call(cluster.client, 'create_join_token', {});
    const tab = await browser.open(example.url);
    for (const [label, value] of [
      ['Cluster', url],
      ['Publishable key', keys.publishable],
      ['Join token', token],
      ['Name', 'example'],
      ['Labels', 'room=kitchen'],
    ] as const) {
      await tab.getByLabel(label).fill(value);
    }
    await tab.getByRole('button', { name: 'Join' }).click();
    const status = tab.getByRole('status');
    await status.getByText('online').waitFor();
    const id = await tab.locator('#node-id').textContent();
    const pod = await cluster.running(await cluster.createPod('pi', { nodeSelector: { room: 'kitchen' } }));
    await tab.getByRole('row', { name: `${pod.name} pi@1.0.0 running` }).waitFor();
    await tab.getByRole('log', { name: 'Log of the pods' }).getByText('throwing darts on example').waitFor();
    await tab.reload();
    await tab.locator('#incarnation').getByText('2').waitFor();
    expect(await tab.locator('#node-id').textContent()).toBe(id);
    await tab.getByRole('button', { name: 'Leave the cluster' }).click();
    await status.getByText('left the cluster').waitFor();
    expect(await statusOf('example')).toBe('offline');
    await tab.reload();
    await tab.getByRole('button', { name: 'Join' }).waitFor();
    await tab.close();
    await example.close();
  });

  it('says goodbye when its tab is closed', async () => {
    const id = await cluster.createPod('service', { nodeName: name });
    await cluster.running(id);
    await page.close();
    await offline(name, 5_000);
    expect(await cluster.pod(id)).toMatchObject({ status: 'failed', status_reason: 'NodeShutdown' });
  });
});
