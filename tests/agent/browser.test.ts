import { call } from '@stark-o/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestBrowser } from '../harness/chromium.js';
import { startTestStack, type TestStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';
import { ADMIN, Cluster } from './cluster.js';
import { becomeNode, serveNodePage, stopNode } from './node-page.js';

const SERVICE = `export default async (ctx) => {
  const starts = ((await ctx.storage.get('starts')) ?? 0) + 1;
  await ctx.storage.set('starts', starts);
  ctx.log.info('start ' + starts + ' on ' + ctx.node.name);
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
  ctx.log.info('closing');
};`;

let test: TestStack;
let cluster: Cluster;
let site: Awaited<ReturnType<typeof serveNodePage>>;
let browser: TestBrowser;
beforeAll(async () => {
  [test, site, browser] = await Promise.all([startTestStack(), serveNodePage(), TestBrowser.start()]);
  cluster = await Cluster.setUp(test);
  await cluster.pack('service', SERVICE, SERVICE, 'isomorphic');
});
afterAll(async () => {
  await browser?.stop();
  await site?.close();
  await test?.stop();
});

function optionsOf(name?: string) {
  const { url, keys } = test.stack;
  return { url, key: keys.publishable, credentials: ADMIN, ...(name !== undefined && { name }) };
}

describe('an agent in a browser tab', () => {
  it('runs a service, hands over its log, and stops it', async () => {
    const page = await browser.open(site.url);
    const { name } = await becomeNode(page, optionsOf());
    expect(name).toMatch(/^browser-[0-9a-f]{8}$/);
    const id = await cluster.createPod('service', { nodeName: name });
    await cluster.running(id);
    await waitFor('the first line', async () => (await cluster.logs(id)).includes(`start 1 on ${name}`));
    await call(cluster.client, 'stop_pods', { p_ids: [id] });
    const stopped = await cluster.podThat('stopped', id, ({ status }) => status === 'stopped');
    expect(stopped).toMatchObject({ status_reason: 'Stopped', exit_code: 0, ready: false });
    await waitFor('the last line', async () => (await cluster.logs(id)).includes('closing'));
    await stopNode(page);
    await page.close();
  });
});
