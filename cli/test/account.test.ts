import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeCluster } from './support/fake-cluster.js';
import { podRow } from './support/rows.js';
import { ended, Machine, packageRoot, temporaryFolder } from './support/run.js';

// An account that is a number and nothing else, as OpenShift gives each container one.
const account = 4711;
const bin = join(packageRoot, 'bin', 'stark.js');
const become = ['setpriv', `--reuid=${account}`, `--regid=${account}`, '--clear-groups'];
const [command, ...args] = [...become, process.execPath, '-e', `fs.accessSync(${JSON.stringify(bin)})`] as const;
const canBecome = spawnSync(command as string, args).status === 0;

const cluster = new FakeCluster();
beforeAll(async () => {
  cluster.tables.pods = [podRow('alpha-1')];
  await cluster.start();
});
afterAll(() => cluster.stop());

function start(words: string[], env: Record<string, string> = {}): ChildProcess {
  const [program, ...rest] = [...become, process.execPath, bin, ...words];
  return spawn(program as string, rest, { cwd: '/', env: { PATH: process.env.PATH, NO_COLOR: '1', ...env } });
}

const stark = (words: string[], env?: Record<string, string>) => ended(start(words, env));

/** A folder of that account. */
function ownFolder(): string {
  const folder = temporaryFolder();
  chownSync(folder, account, account);
  return folder;
}

describe.runIf(canBecome)('an account without a name, a home and a shell', () => {
  const place = () => ['--url', cluster.url, '--key', cluster.key];

  it.each([
    ['all commands', ['--help'], 0, /stark/, /^$/],
    ['the version', ['--version'], 0, /stark:/, /^$/],
    ['what it is not', ['pod', 'list'], 2, /^$/, /^error: there is no cluster yet/],
  ] as const)('is told %s', async (_, words, code, stdout, stderr) => {
    const result = await stark([...words]);
    expect(result, result.stderr).toMatchObject({ code });
    expect(result.stdout).toMatch(stdout);
    expect(result.stderr).toMatch(stderr);
  });

  it('works with a token from its environment', async () => {
    const token = String(cluster.session().access_token);
    const result = await stark(['pod', 'list', '-o', 'name'], {
      STARK_URL: cluster.url,
      STARK_KEY: cluster.key,
      STARK_TOKEN: token,
    });
    expect(result, result.stderr).toMatchObject({ code: 0, stdout: 'pod/alpha-1\n' });
  });

  it('renews a session in a folder of its own', async () => {
    const machine = new Machine();
    const file = await machine.signIn(cluster, { seconds: -10 });
    const files = readdirSync(machine.config, { recursive: true, encoding: 'utf8' });
    for (const name of ['.', ...files]) chownSync(join(machine.config, name), account, account);
    chmodSync(machine.home, 0o755);
    const result = await stark(['pod', 'list', '-o', 'name'], { STARK_CONFIG_DIR: machine.config });
    expect(result, result.stderr).toMatchObject({ code: 0, stdout: 'pod/alpha-1\n' });
    expect(JSON.parse(readFileSync(file.path, 'utf8')).expiresAt).toBeGreaterThan(Date.now() / 1000);
  });

  it('keeps its settings in a volume that belongs to root', async () => {
    const volume = temporaryFolder();
    chmodSync(volume, 0o777);
    const result = await stark(['context', 'set', 'x', ...place()], { STARK_CONFIG_DIR: volume });
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(statSync(join(volume, 'contexts', 'x.json')).mode & 0o777).toBe(0o600);
    const used = await stark(['context', 'use', 'x'], { STARK_CONFIG_DIR: volume });
    expect(used, used.stderr).toMatchObject({ code: 0 });
  });

  it.each([
    ['is unset', undefined],
    ['is empty', ''],
    ['may not be entered', 'other'],
  ])('is told what it needs to keep settings when HOME %s', async (_, home) => {
    const other = temporaryFolder();
    mkdirSync(join(other, 'closed'), { mode: 0o700 });
    const env = home === undefined ? {} : { HOME: home === 'other' ? join(other, 'closed') : home };
    expect(await stark(['context', 'set', 'x', ...place()], env as Record<string, string>)).toMatchObject({
      code: 1,
      stderr:
        'error: cannot write /.config/stark/contexts: EACCES (CONFIG_UNWRITABLE)\nhint:  set STARK_CONFIG_DIR to a folder that you may write\n',
    });
  });

  it('is told what a node needs, and has one with a folder for it', async () => {
    const agent = ['node', 'agent', 'start', '--name', 'n', ...place()];
    expect(await stark(agent)).toMatchObject({
      code: 1,
      stderr:
        'error: cannot make data folder /.stark/agents/n: EACCES (DATA_DIR_UNWRITABLE)\nhint:  give the agent another --data-dir\n',
    });
    const folder = ownFolder();
    const result = await stark([...agent, '--data-dir', folder]);
    // This cluster knows no nodes: as far as this, the agent is at work.
    expect(result.stderr).not.toMatch(/home|passwd|EACCES/);
    expect(existsSync(join(folder, 'agents', 'n', 'agent.lock'))).toBe(true);
  });

  it('is told what a cluster needs', async () => {
    const folder = ownFolder();
    const up = ['up', '--data-dir', join(folder, 'data'), '--port', '0', '--db-port', '0', '--json'];
    // Before anything is started, although the context is written last.
    const homeless = await stark(up);
    expect(homeless).toMatchObject({ code: 1, stdout: '' });
    expect(JSON.parse(homeless.stderr).error).toMatchObject({ code: 'CONFIG_UNWRITABLE' });
    const result = await stark(up, { STARK_CONFIG_DIR: join(folder, 'config') });
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(JSON.parse(result.stderr.trim().split('\n').at(-1) ?? '').error).toMatchObject({
      code: 'NAMELESS_ACCOUNT',
      message: `no database can be made by account ${account}: it has no name, and initdb needs one`,
      hint: expect.stringContaining('/etc/passwd'),
    });
  });
});
