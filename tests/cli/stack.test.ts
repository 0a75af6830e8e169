import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopStack } from '@stark-o/local/running-stack';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stark as command, sharedStark, startStark } from '../harness/command.js';
import { prepareData } from '../harness/prepared-data.js';
import { descendants, isAlive, waitForEnd } from '../harness/processes.js';
import { root } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';

// An account that is a number and nothing else, as OpenShift gives each container one.
const nameless = ['setpriv', '--reuid=4711', '--regid=4711', '--clear-groups'];
const canBecomeNameless =
  spawnSync('setpriv', [...nameless.slice(1), process.execPath, '-e', `fs.accessSync(${JSON.stringify(root)})`])
    .status === 0;

// `stark up`, `down` and `status` as a shell sees them: what they leave behind, and what they say when they cannot.
let folder: string;
let dataDir: string;
let env: Record<string, string>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stark-up-'));
  dataDir = join(folder, 'data');
  env = { STARK_CONFIG_DIR: join(folder, 'config') };
});
afterEach(async () => {
  await stopStack(dataDir);
  await rm(folder, { recursive: true, force: true });
});

const ports = ['--port', '0', '--db-port', '0'];
const up = (...args: string[]) => ['up', '--data-dir', dataDir, ...ports, ...args];

describe('stark up', () => {
  it('in the foreground ends with 0 on Ctrl-C and leaves no process', async () => {
    await prepareData(dataDir, root);
    const child = startStark(up('-o', 'json'), { env });
    let stdout = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    await waitFor('the stack to be up', () => stdout.endsWith('\n') || child.exitCode !== null, { deadlineMs: 60_000 });
    expect(JSON.parse(stdout)).toMatchObject({ state: 'ready', pid: child.pid });
    const processes = descendants(child.pid ?? 0);
    expect(processes.length).toBeGreaterThan(0);
    const code = new Promise((done) => child.once('exit', done));
    child.kill('SIGINT');
    expect(await code).toBe(0);
    await waitForEnd(processes);
  }, 90_000);

  it('recovers after it was killed, and until then says that nothing is running', async () => {
    await prepareData(dataDir, root);
    const first = JSON.parse((await command(up('--detach', '--json'), { env })).stdout);
    const processes = descendants(first.pid);
    process.kill(first.pid, 'SIGKILL');
    await waitFor('its end', () => !isAlive(first.pid));
    expect((await command(['status'], { env })).code).toBe(8);
    const again = await command(up('--detach', '--json'), { env });
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(again.stdout).keys).toEqual(first.keys);
    await waitForEnd(processes);
  }, 120_000);

  it.runIf(canBecomeNameless)(
    'runs for an account without a name and a home, when its data is there and its project is another’s',
    async () => {
      await prepareData(dataDir, root);
      if (!existsSync(join(dataDir, 'postgres')))
        await command(up('--detach'), { env }).then(() => command(['down'], { env }));
      spawnSync('chown', ['-R', '4711:4711', folder]);
      const project = join(folder, 'project');
      await cp(join(root, 'supabase'), join(project, 'supabase'), { recursive: true });
      for (const name of ['node_modules', 'deno.json', 'core']) await symlink(join(root, name), join(project, name));
      const stark = (args: string[], input = '') => {
        const [program, ...words] = [...nameless, process.execPath, join(root, 'cli', 'bin', 'stark.js'), ...args];
        const own = { PATH: process.env.PATH, SUPABASE_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', ...env };
        return spawnSync(program as string, words, { cwd: project, env: own, input, encoding: 'utf8' });
      };
      const started = stark(up('--detach'));
      expect(started, started.stderr).toMatchObject({ status: 0 });
      // An Edge Function, too: Deno keeps what it compiles in the data directory.
      const setup = stark(['auth', 'setup', '--email', 'ada@example.com', '--password-stdin'], 'correct horse battery');
      expect(setup, setup.stderr).toMatchObject({ status: 0 });
      expect(existsSync(join(dataDir, 'deno'))).toBe(true);
      expect(stark(['down'])).toMatchObject({ status: 0 });
    },
    120_000,
  );

  it('runs once per data directory, and twice on one machine', async () => {
    await prepareData(dataDir, root);
    expect((await command(up('--detach'), { env })).code).toBe(0);
    const again = await command(up('--detach', '--json'), { env });
    expect(again, again.stderr).toMatchObject({ code: 0, stderr: 'it is up already\n' });
    expect(JSON.parse(again.stdout)).toMatchObject({ state: 'ready', context: 'local', data_dir: dataDir });
    const same = await command(up('--json'), { env });
    expect(same).toMatchObject({ code: 7, stdout: '' });
    expect(JSON.parse(same.stderr.trim().split('\n').at(-1) ?? '').error).toMatchObject({ code: 'DATA_DIR_IN_USE' });
    const { keys, db_url: database } = JSON.parse(again.stdout);
    const shown = (await command(['status', '--data-dir', dataDir], { env })).stdout;
    for (const secret of [keys.secret, new URL(database).password]) expect(shown).not.toContain(secret);
    const all = (await command(['status', '--data-dir', dataDir, '--show-secrets'], { env })).stdout;
    for (const secret of [keys.secret, database]) expect(all).toContain(secret);
    // The log in place is still that of the stack that runs.
    expect(readdirSync(dataDir).filter((name) => name.startsWith('stack.log'))).toEqual(['stack.log']);
    const other = join(folder, 'other');
    await prepareData(other, root);
    const second = await command(['up', '--data-dir', other, ...ports, '--detach', '--json'], { env });
    expect(second, second.stderr).toMatchObject({ code: 0 });
    // The name `local` belongs to the first as long as it runs.
    const { context, url } = JSON.parse(second.stdout);
    expect(context).toBe(`local-${new URL(url).port}`);
    // And commands still go there.
    expect(second.stderr).toContain('commands still go to context local');
    expect((await command(['status', '-o', 'name'], { env })).stdout).toBe('stack/local\n');
    const taken = new URL(url).port;
    const third = ['up', '--data-dir', join(folder, 'third'), '--port', taken, '--db-port', '0', '--detach'];
    expect(await command(third, { env })).toMatchObject({
      code: 7,
      stderr: expect.stringContaining(`port ${taken} is that of the cluster of context ${context}, which is running`),
    });
    expect((await command(['down', '--context', context], { env })).stdout).toContain(other);
    expect((await command(['status', '-o', 'name'], { env })).stdout).toBe('stack/local\n');
  }, 120_000);

  it.each<[string, string[], number, RegExp]>([
    ['a port that is none', ['--port', '70000'], 2, /--port/],
    ['an unknown plan', ['--plan', 'gold'], 2, /--plan=gold to be one of: self-hosted, free, pro, team/],
    ['an argument', ['now'], 2, /unexpected argument: now/],
  ])('refuses %s', async (_, args, code, message) => {
    const result = await sharedStark(up(...args), { env });
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(message);
  });

  it('that is interrupted on its way to the background leaves nothing running', async () => {
    const child = startStark(up('--detach'), { env });
    await waitFor('the first steps', () => new Promise((done) => child.stderr?.once('data', () => done(true))));
    const below = descendants(child.pid ?? 0);
    const code = new Promise((done) => child.once('exit', done));
    child.kill('SIGINT');
    expect(await code).toBe(130);
    await waitForEnd(below, 60_000);
    expect((await command(['status', '--data-dir', dataDir], { env })).code).toBe(8);
  }, 90_000);

  it('throws data away only when it is told twice', async () => {
    await prepareData(dataDir, root);
    const unsure = await sharedStark(up('--detach', '--reset'), { env });
    expect(unsure).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes is needed') });
  }, 90_000);

  it.each(['--detach', '--debug'])(
    'says in one line why it cannot start, also with %s',
    async (flag) => {
      const server = createServer();
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      const { port } = server.address() as AddressInfo;
      const args = ['up', '--data-dir', dataDir, '--port', String(port), '--db-port', '0', flag, '--json'];
      const { code, stdout, stderr } = await command(args, { env });
      await new Promise((done) => server.close(done));
      expect({ code, stdout }).toEqual({ code: 7, stdout: '' });
      const envelope = stderr.split('\n').find((line) => line.startsWith('{"error"'));
      expect(JSON.parse(envelope ?? '').error).toMatchObject({
        code: 'PORT_TAKEN',
        hint: expect.stringContaining('--port'),
      });
    },
    60_000,
  );

  it.each(['--detach', '--debug'])('refuses a data directory that is a file, also with %s', async (flag) => {
    await writeFile(dataDir, '');
    const result = await command(up(flag), { env });
    expect(result, result.stderr).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('DATA_DIR_UNWRITABLE');
  });

  it('refuses a project whose configuration it does not know', async () => {
    await cp(join(root, 'supabase'), join(folder, 'supabase'), { recursive: true });
    await writeFile(join(folder, 'supabase', 'config.toml'), '[api]\nprot = 1\n');
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    const result = await command(up('--detach'), { env, cwd: folder });
    expect(result).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('CONFIG_UNKNOWN_KEY') });
  });
});
