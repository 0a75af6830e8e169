import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StackError, type StackOptions } from '@stark-o/local';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareData } from '../harness/prepared-data.js';
import { descendants, waitForEnd } from '../harness/processes.js';
import { root, startTestStack } from '../harness/stack.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stark-bad-input-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A copy of the project whose supabase/ folder a test may break. */
async function project(files: Record<string, string>): Promise<string> {
  await cp(join(root, 'supabase'), join(folder, 'supabase'), { recursive: true });
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, 'supabase', path), text);
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** The one error of a start that must fail, after which nothing of it may be left running. */
async function failureOf(options: Partial<StackOptions>): Promise<StackError> {
  const before = new Set(descendants(process.pid).map(({ pid }) => pid));
  const outcome = await startTestStack(options).catch((error: unknown) => error);
  await waitForEnd(descendants(process.pid).filter(({ pid }) => !before.has(pid)));
  if (!(outcome instanceof StackError)) throw new Error(`it should have failed: ${String(outcome)}`);
  expect(outcome.message).not.toContain('\n');
  expect(outcome.hint).toBeTruthy();
  return outcome;
}

describe('a stack that cannot start says which step, why and what to do', () => {
  it('port taken', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    expect(await failureOf({ port })).toMatchObject({ step: 'preflight', code: 'PORT_TAKEN' });
    const error = await failureOf({ dbPort: port });
    expect(error).toMatchObject({
      step: 'postgres',
      code: 'PORT_TAKEN',
      message: expect.stringContaining(`${process.pid}`),
    });
    expect(error.hint).toContain('--db-port');
    await new Promise((done) => server.close(done));
  });

  it('no config', async () => {
    expect(await failureOf({ workdir: folder })).toMatchObject({ step: 'config', code: 'CONFIG_NOT_FOUND' });
  });

  it('unknown config key', async () => {
    const workdir = await project({ 'config.toml': '[api]\nprot = 1\n' });
    expect(await failureOf({ workdir })).toMatchObject({ step: 'config', code: 'CONFIG_UNKNOWN_KEY' });
  });

  it('data directory that is a file', async () => {
    const dataDir = join(folder, 'file');
    await writeFile(dataDir, '');
    expect(await failureOf({ dataDir })).toMatchObject({ step: 'preflight', code: 'DATA_DIR_UNWRITABLE' });
  });

  it('corrupt keys', async () => {
    const dataDir = join(folder, 'data');
    await mkdir(dataDir);
    const path = join(dataDir, 'keys.json');
    await writeFile(path, '{"publishable":', { mode: 0o644 });
    expect(await failureOf({ dataDir })).toMatchObject({ step: 'keys', code: 'KEYS_EXPOSED' });
    await chmod(path, 0o600);
    expect(await failureOf({ dataDir })).toMatchObject({ step: 'keys', code: 'KEYS_CORRUPT' });
  });

  it.each([
    ['a syntax error', 'create table public.broken (;', /syntax error/],
    ['what only a superuser may do', 'alter system set work_mem = 1;', /permission denied/],
    ['a second statement that fails', 'create table public.half (); select 1/0;', /division by zero/],
  ])(
    'a migration with %s',
    async (_, sql, why) => {
      const workdir = await project({ 'migrations/29990101000000_broken.sql': sql });
      const dataDir = join(folder, 'data');
      await prepareData(dataDir, root);
      const error = await failureOf({ workdir, dataDir });
      expect(error).toMatchObject({ step: 'migrations', code: 'MIGRATION_FAILED' });
      expect(error.message).toMatch(/29990101000000_broken/);
      expect(error.message).toMatch(why);
      expect(error.message).toContain(sql.split(';').at(-2)?.trim() ?? '');
    },
    60_000,
  );
});
