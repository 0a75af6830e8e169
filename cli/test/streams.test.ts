import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeCluster } from './support/fake-cluster.js';
import { ended, Machine, packageRoot, temporaryFolder } from './support/run.js';

const cluster = new FakeCluster();
const machine = new Machine();
beforeAll(async () => {
  await cluster.start();
  await machine.signIn(cluster);
});
afterAll(() => cluster.stop());

const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');
const utf16be = (text: string) => utf16(text).swap16();
const utf8 = (text: string) => Buffer.from(`\ufeff${text}`);

describe('a text file of Windows', () => {
  it.each([
    ['UTF-8 with a mark', utf8],
    ['UTF-16', utf16],
    ['UTF-16, the other way round', utf16be],
  ])('is read in %s', async (_what, encode) => {
    const folder = temporaryFolder();
    const write = (name: string, text: string) => writeFileSync(join(folder, name), encode(text));
    write('stark.json', '{ "namespace": "windows" }');
    // esbuild and npm read this one too, and do not know UTF-16.
    writeFileSync(
      join(folder, 'package.json'),
      utf8('{ "name": "demo", "version": "1.2.3", "stark": { "entry": "pack.js" } }'),
    );
    writeFileSync(join(folder, 'pack.js'), utf8('export default () => {};'));
    write('spec.yaml', 'terminationGracePeriodSeconds: 5');
    write('password', 'secret\r\n');
    const stark = (...args: string[]) => machine.run(args, { cwd: folder });

    const bundled = await stark('pack', 'bundle', '--json');
    expect(bundled, bundled.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(bundled.stdout)).toMatchObject({ name: 'demo', version: '1.2.3' });

    let asked: unknown;
    cluster.functions.create_pods = ({ p_pods }) => {
      asked = p_pods;
      return { body: [] };
    };
    const created = await stark('pod', 'create', '--pack', 'demo', '--spec', '@spec.yaml', '--no-wait');
    expect(created, created.stderr).toMatchObject({ code: 0 });
    expect(asked).toMatchObject([{ namespace: 'windows', spec: { terminationGracePeriodSeconds: 5 } }]);

    const { passwordFrom } = await import('../src/base/prompt.js');
    expect(
      await passwordFrom(
        { 'password-file': join(folder, 'password') },
        { url: 'http://localhost', allowSecretOf: () => {} },
      ),
    ).toBe('secret');
  });
});

describe.runIf(existsSync('/dev/full'))('output that nobody takes', () => {
  const bin = join(packageRoot, 'bin', 'stark.js');
  const full = () => openSync('/dev/full', 'w');

  it.each([['version'], ['pod --help'], ['context list -o json'], ['context list -o yaml']])(
    'is one error of %s',
    async (words) => {
      const child = spawn(process.execPath, [bin, ...words.split(' ')], {
        env: { ...process.env, STARK_CONFIG_DIR: machine.config, NO_COLOR: '1' },
        stdio: ['ignore', full(), 'pipe'],
      });
      const { code, stderr } = await ended(child);
      expect(code).toBe(1);
      expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/cannot write to standard output: ENOSPC/)]);
    },
  );
});

// What the two commands that stay do with their streams, `stark up` and `stark node agent start`, without what they stay for.
const stays = `
  import { installInterrupt, installOutputErrors, onInterrupt, outliveOutput } from '${join(packageRoot, 'dist/base/interrupt.js')}';
  installInterrupt();
  installOutputErrors(() => process.exit(1));
  outliveOutput();
  onInterrupt((signal) => setTimeout(() => process.exit(signal === 'SIGHUP' ? 7 : 8), 300));
  console.log('ready');
  setInterval(() => { console.log('line'); console.error('line'); }, 10);
`;

describe('a command that stays', () => {
  async function start(): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', stays], { stdio: ['ignore', 'pipe', 'pipe'] });
    if (child.stdout !== null) await once(child.stdout, 'data');
    return child;
  }

  it('goes on when its readers end, and ends when its terminal is closed, however often that is said', async () => {
    const child = await start();
    child.stdout?.destroy();
    child.stderr?.destroy();
    await wait(200);
    expect(child.exitCode).toBeNull();
    child.kill('SIGHUP');
    await wait(50);
    child.kill('SIGHUP');
    expect((await once(child, 'exit'))[0]).toBe(7);
  });

  it('takes a second Ctrl-C for impatience, also after its terminal was closed', async () => {
    const child = await start();
    child.kill('SIGHUP');
    await wait(50);
    child.kill('SIGINT');
    expect((await once(child, 'exit'))[0]).toBe(130);
  });
});
