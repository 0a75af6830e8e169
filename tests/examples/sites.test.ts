import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Pack, WebPack } from '@stark-o/core';
import type { Frame, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestBrowser } from '../harness/chromium.js';
import { sharedStark } from '../harness/command.js';
import { root } from '../harness/stack.js';
import { runPack } from './pack-harness.js';

// The way of a website: built by its own tool, served by a Node.js node, shown by a browser node in a frame without origin.
let folder: string;
let browser: TestBrowser;
let host: Server;
let hostUrl: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stark-sites-'));
  browser = await TestBrowser.start();
  host = createServer((_, response) => response.end('<title>a node</title><iframe sandbox="allow-scripts"></iframe>'));
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  hostUrl = `http://127.0.0.1:${(host.address() as { port: number }).port}/node`;
});
afterAll(async () => {
  await browser?.stop();
  host?.close();
  await rm(folder, { recursive: true, force: true });
});

async function bundle(example: string): Promise<{ default: Pack; web: WebPack }> {
  const out = join(folder, `${example}.mjs`);
  const made = await sharedStark(['pack', 'bundle', join(root, 'examples', example), '--out', out]);
  expect(made.code, made.stderr).toBe(0);
  return import(pathToFileURL(out).href);
}

/** Shows the site both ways and lets `use` try it out each time. */
async function both(site: { default: Pack; web: WebPack }, use: (page: Page | Frame) => Promise<void>): Promise<void> {
  const pack = await runPack(site.default, {});
  await pack.ready;
  try {
    const served = await browser.open(pack.url);
    await use(served);
    await served.close();
  } finally {
    await pack.stop();
  }
  const page = await browser.open(hostUrl);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.locator('iframe').evaluate((frame, html) => {
    (frame as unknown as { srcdoc: string }).srcdoc = html;
  }, site.web.page as string);
  const frame = page.frames().find((one) => one !== page.mainFrame()) as Frame;
  await use(frame);
  expect(asked.filter((url) => !url.startsWith('data:'))).toEqual([]);
  await page.close();
}

describe('examples of websites', () => {
  it('vite-pack', async () => {
    await both(await bundle('vite-pack'), async (page) => {
      await page.waitForFunction('document.getElementById("face")?.naturalWidth > 0');
      expect(await page.locator('#time').textContent()).toMatch(/\d+:\d\d:\d\d/);
      await page.getByRole('button').click();
      await page.getByText(/^(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day$/).waitFor();
    });
  });

  // Nuxt is 580 packages: it is not installed with the rest, only by `npm run test:nuxt`.
  const installed = existsSync(join(root, 'examples', 'nuxt-pack', 'node_modules', 'nuxt'));
  it.runIf(installed)('nuxt-pack', { timeout: 180_000 }, async () => {
    await both(await bundle('nuxt-pack'), async (page) => {
      await page.getByRole('button').click();
      await page.getByText('Pressed once').waitFor();
      await page.getByRole('link', { name: 'About' }).click();
      await page.getByRole('heading', { name: 'About' }).waitFor();
    });
  });
});
