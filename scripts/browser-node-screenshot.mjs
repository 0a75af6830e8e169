// Makes docs/images/browser-node.png: a cluster of its own, the page of examples/browser-node as its node, and two pods.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { serve } from '../examples/browser-node/server.mjs';
import { build, installBrowser, root } from './setup.mjs';

const picture = join(root, 'docs', 'images', 'browser-node.png');
const MAX_BYTES = 200_000;

build();
const scratch = mkdtempSync(join(tmpdir(), 'stark-screenshot-'));
const dataDir = join(scratch, 'data');
const env = {
  ...process.env,
  STARK_CONFIG_DIR: join(scratch, 'config'),
  SUPABASE_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  LITE_TELEMETRY: '0',
};

/** Runs one command and gives what it prints. */
function stark(args, input = '') {
  const bin = join(root, 'cli', 'bin', 'stark.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], { env, input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`stark ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout.trim();
}

/** A website small enough to stand beside the rest in one picture. */
function writeSite() {
  const site = join(scratch, 'clock');
  mkdirSync(site);
  const name = { name: 'clock', version: '1.0.0', type: 'module', stark: { runtime: 'browser' } };
  writeFileSync(join(site, 'package.json'), JSON.stringify(name));
  writeFileSync(
    join(site, 'index.html'),
    `<!doctype html><meta charset="utf-8"><title>clock</title>
    <style>body { display: grid; place-items: center; height: 100vh; margin: 0; color: #0a7d5a; font: 300 4rem system-ui }</style>
    <time id="now"></time>
    <script>setInterval(() => { document.getElementById('now').textContent = new Date().toLocaleTimeString('en-GB'); }, 200);</script>`,
  );
  return site;
}

let page;
try {
  stark(['up', '--detach', '--data-dir', dataDir, '--port', '0', '--db-port', '0']);
  const password = randomBytes(12).toString('base64url');
  stark(['auth', 'setup', '--email', 'admin@example.com', '--password-stdin'], `${password}\n`);
  stark(['pack', 'register', join(root, 'examples', 'pi')]);
  stark(['pack', 'register', writeSite()]);
  const token = stark(['node', 'token', 'create']);
  const { url, keys } = JSON.parse(stark(['status', '--output', 'json']));

  page = await serve();
  const browser = await chromium.launch({ executablePath: installBrowser(), args: ['--no-sandbox', '--disable-gpu'] });
  const tab = await browser.newPage({ viewport: { width: 1000, height: 800 } });
  const given = { url, key: keys.publishable, token, name: 'kitchen-tablet', labels: 'room=kitchen' };
  await tab.goto(`${page.url}#${new URLSearchParams(given)}`);
  await tab.getByRole('button', { name: 'Join' }).click();
  await tab.getByRole('status').getByText('online').waitFor();
  for (const pack of ['pi', 'clock']) stark(['pod', 'create', '--pack', pack, '--node', 'kitchen-tablet', '--wait']);
  await tab.locator('#lines div').nth(5).waitFor();
  await tab.locator('#sites iframe:visible').contentFrame().locator('iframe').contentFrame().locator('time').waitFor();
  await tab.screenshot({ path: picture, fullPage: true });
  await browser.close();
  const { size } = statSync(picture);
  if (size > MAX_BYTES) throw new Error(`${picture} has ${size} bytes, at most ${MAX_BYTES} are wanted in the docs`);
  console.log(`${picture}: ${size} bytes`);
} finally {
  await page?.close();
  spawnSync(process.execPath, [join(root, 'cli', 'bin', 'stark.js'), 'down', '--data-dir', dataDir], { env });
  rmSync(scratch, { recursive: true, force: true });
}
