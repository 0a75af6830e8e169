import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { versionFile, versionPath } from '../../scripts/functions-version.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
let denoDir: string;

beforeAll(async () => {
  denoDir = await mkdtemp(join(tmpdir(), 'stark-deno-'));
});

afterAll(() => rm(denoDir, { recursive: true, force: true }));

async function functionNames(): Promise<string[]> {
  const folders = await readdir(join(root, 'supabase/functions'), { withFileTypes: true });
  return folders.filter((it) => it.isDirectory() && !it.name.startsWith('_')).map(({ name }) => name);
}

it('every function passes the type check of Deno, with an empty cache and no registry', async () => {
  const names = await functionNames();
  expect(names).toContain('api');
  const files = names.map((name) => join(root, 'supabase/functions', name, 'index.ts'));
  const env = { ...process.env, DENO_DIR: denoDir, NPM_CONFIG_REGISTRY: 'http://127.0.0.1:9', NO_COLOR: '1' };
  await promisify(execFile)(join(root, 'node_modules/.bin/deno'), ['check', ...files], { cwd: root, env });
}, 60_000);

it('every function is a member of the workspace, or Deno would look for its packages in the network', async () => {
  const config = JSON.parse(await readFile(join(root, 'deno.json'), 'utf8'));
  const names = await functionNames();
  expect(config.workspace.sort()).toEqual(names.map((name) => `./supabase/functions/${name}`).sort());
});

it('the version that the functions answer is of their sources (npm run types)', async () => {
  expect(await readFile(versionPath, 'utf8')).toBe(await versionFile());
});
