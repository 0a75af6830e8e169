import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { completionOf, type DescribedCommand } from '../src/complete/candidates.js';
import { typedLine } from '../src/complete/line.js';
import { scripts } from '../src/complete/scripts.js';
import { buildManifest, freshenManifest } from '../src/manifest.js';
import { FakeCluster } from './support/fake-cluster.js';
import { deploymentRow, podRow } from './support/rows.js';
import { ended, Machine, packageRoot, temporaryFolder } from './support/run.js';

const program = join(packageRoot, 'bin', 'stark.js');
let commands: DescribedCommand[];
beforeAll(async () => {
  commands = Object.values((await buildManifest(packageRoot)).commands) as DescribedCommand[];
  await freshenManifest(packageRoot);
});

describe('what may be typed next', () => {
  const at = (line: string) => {
    const { words, current } = typedLine(line);
    const { candidates, names } = completionOf(commands, words, current);
    return { values: candidates.map(({ value }) => value).filter((value) => value.startsWith(current)), names };
  };

  it('is a command, a noun, a verb, in either order', () => {
    expect(at('stark po').values).toEqual(['pod']);
    expect(at('stark ro').values).toEqual(expect.arrayContaining(['role', 'rollout', 'rolebinding']));
    expect(at('stark pod l').values).toEqual(['list', 'logs', 'label']);
    expect(at('stark deploy sc').values).toEqual(['scale']);
    expect(at('stark node agent ').values).toEqual(['start']);
    expect(at('FOO=1 stark x; stark po').values).toEqual([]);
    expect(at('ls && stark po').values).toEqual(['pod']);
    expect(at('stark __c').values).toEqual([]);
  });

  it('is a flag of the command, or one of its values', () => {
    expect(at('stark pod list --st').values).toEqual(['--status']);
    expect(at('stark get pods --a').values).toEqual(['--all-namespaces']);
    expect(at('stark pod list --status run').values).toEqual(['running']);
    expect(at('stark pod list --status=run').values).toEqual(['--status=running']);
    expect(at('stark pod list -o j').values).toEqual(['json', 'jsonpath=']);
    expect(at('stark completion f').values).toEqual(['fish']);
  });

  it('is a name of the kind that the command, the flag or the word before is about', () => {
    const names = (line: string) => at(line).names.map(({ kind, prefix }) => `${prefix}${kind}`);
    expect(names('stark pod delete ')).toEqual(['pod']);
    expect(names('stark po rm a b ')).toEqual(['pod']);
    expect(names('stark get deploy ')).toEqual(['deployment']);
    expect(names('stark describe node/')).toEqual(['node/node']);
    expect(names('stark logs deploy/')).toEqual(['deploy/deployment']);
    expect(names('stark rollout status ')).toEqual(['deployment']);
    expect(names('stark node token revoke ')).toEqual(['jointoken']);
    expect(names('stark role grant viewer ')).toEqual(['user']);
    expect(names('stark pod create --pack ')).toEqual(['pack']);
    expect(names('stark pod list --namespace=te')).toEqual(['--namespace=namespace']);
    expect(names('stark -n ')).toEqual([]);
    expect(names('stark context use ')).toEqual(['context']);
    expect(names('stark deployment create ')).toEqual([]);
    expect(names('stark pod debug alpha-1 ')).toEqual([]);
  });
});

describe('stark __complete', () => {
  const cluster = new FakeCluster();
  let machine: Machine;
  beforeAll(() => cluster.start());
  afterAll(() => cluster.stop());
  beforeEach(async () => {
    machine = new Machine();
    await machine.signIn(cluster);
    cluster.tables.pods = [podRow('alpha-1'), podRow('alpha-2'), podRow('other-1', { namespace: 'prod' })];
    cluster.tables.deployments = [deploymentRow('web')];
    cluster.requests.length = 0;
  });
  const completed = async (line: string) => {
    const env = { ...machine.environment(), XDG_CACHE_HOME: machine.home };
    const { stdout } = await ended(spawn(process.execPath, [program, '__complete', line], { env }));
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((one) => one.split('\t')[0]);
  };
  const until = async (holds: () => boolean) => {
    const deadline = Date.now() + 20_000;
    while (!holds() && Date.now() < deadline) await new Promise((done) => setTimeout(done, 50));
    expect(holds()).toBe(true);
  };
  const caches = () => {
    try {
      return readdirSync(join(machine.home, 'stark', 'names')).filter((name) => name.endsWith('.json'));
    } catch {
      return [];
    }
  };

  it('gives the names that there are, and asks for them once in ten seconds', async () => {
    // The first answer may be late on a slow machine; then it is there at the next stroke.
    await completed('stark pod delete al');
    await until(() => caches().length === 1);
    expect(await completed('stark pod delete al')).toEqual(['alpha-1', 'alpha-2']);
    expect(await completed('stark delete pod/alpha-')).toEqual(['pod/alpha-1', 'pod/alpha-2']);
    expect(await completed('stark pod delete alpha-1 al')).toEqual(['alpha-2']);
    expect(cluster.seen('GET', '/rest/v1/pods').length).toBeLessThanOrEqual(2);
    const [file = ''] = caches();
    expect(statSync(join(machine.home, 'stark', 'names', file)).mode & 0o77).toBe(0);
    await completed('stark pod delete --namespace prod ');
    await until(() => caches().length === 2);
    expect(await completed('stark pod delete --namespace prod ')).toEqual(['other-1']);
  });

  it('leaves names out that a shell would not take as they stand', async () => {
    cluster.tables.deployments = [deploymentRow('web'), deploymentRow('$(touch x)'), deploymentRow('a b')];
    await completed('stark get deployments ');
    await until(() => caches().length === 1);
    expect(await completed('stark get deployments ')).toEqual(['web']);
  });

  it('says nothing where nobody is signed in, and asks nobody', async () => {
    machine = new Machine();
    expect(await completed('stark pod delete ')).toEqual([]);
    await machine.use(cluster);
    expect(await completed('stark pod delete ')).toEqual([]);
    expect(cluster.requests).toEqual([]);
  });

  it('shows what it knew while the cluster is gone', async () => {
    await completed('stark pod delete ');
    await until(() => caches().length === 1);
    const [file = ''] = caches();
    const path = join(machine.home, 'stark', 'names', file);
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), at: Date.now() - 60_000 }));
    cluster.tables.pods = undefined as never;
    expect(await completed('stark pod delete al')).toEqual(['alpha-1', 'alpha-2']);
  });

  it('never waits for a cluster that does not answer', async () => {
    const silent: Server = createServer(() => {});
    await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
    const began = performance.now();
    const port = (silent.address() as { port: number }).port;
    const env = {
      ...machine.environment(),
      XDG_CACHE_HOME: machine.home,
      STARK_URL: `http://127.0.0.1:${port}`,
      STARK_KEY: 'k',
      STARK_TOKEN: 'a.b.c',
    };
    const { code, stdout } = await ended(
      spawn(process.execPath, [program, '__complete', 'stark pod delete '], { env }),
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    // The connection alone would be given up after five seconds.
    expect(performance.now() - began).toBeLessThan(4_000);
    silent.close();
  });

  // Bare Node.js and the program in turns until the fastest of each show it, as with the help (help.test.ts).
  it('has names within three times what bare Node.js takes', async () => {
    await completed('stark pod delete ');
    await until(() => caches().length === 1);
    const env = { ...machine.environment(), XDG_CACHE_HOME: machine.home };
    const time = (args: string[]) => {
      const began = performance.now();
      spawnSync(process.execPath, args, { stdio: 'ignore', env });
      return performance.now() - began;
    };
    const command = [program, '__complete', 'stark pod delete al'];
    let [node, names] = [time(['-e', '0']), time(command)];
    for (let round = 1; round < 3 || (round < 20 && names / node >= 3); round++) {
      node = Math.min(node, time(['-e', '0']));
      names = Math.min(names, time(command));
    }
    expect(names / node).toBeLessThan(3);
  });
});

describe('stark completion', () => {
  const machine = new Machine();
  const has = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;
  const folder = temporaryFolder();
  const bin = join(folder, 'bin');
  const env = () => ({ ...machine.environment(), PATH: `${bin}:${process.env.PATH}` });
  beforeAll(() => {
    mkdirSync(bin);
    symlinkSync(program, join(bin, 'stark'));
    for (const [shell, script] of Object.entries(scripts)) writeFileSync(join(folder, `stark.${shell}`), script);
  });

  it('prints the script of a shell', async () => {
    expect((await machine.run(['completion', 'bash'])).stdout).toBe(scripts.bash);
    expect((await machine.run(['autocomplete', 'zsh'])).stdout).toBe(scripts.zsh);
    expect(await machine.run(['completion', 'tcsh'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('completes in bash', () => {
    const typed = (line: string, ...words: string[]) => {
      const run = `source ${folder}/stark.bash; COMP_LINE=${JSON.stringify(line)} COMP_POINT=${line.length}; COMP_WORDS=(${words.map((word) => JSON.stringify(word)).join(' ')}); COMP_CWORD=${words.length - 1}; _stark; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['--norc', '-c', run], { env: env(), encoding: 'utf8' }).trim().split('\n');
    };
    expect(typed('stark po', 'stark', 'po')).toEqual(['pod']);
    expect(typed('stark pod list --status=ru', 'stark', 'pod', 'list', '--status', '=', 'ru')).toEqual(['running']);
  });

  it.runIf(has('fish'))('completes in fish', () => {
    const run = `source ${folder}/stark.fish; complete -C 'stark pod list --status ru'; complete -C 'stark po'`;
    const out = execFileSync('fish', ['--no-config', '-c', run], { env: env(), encoding: 'utf8' });
    expect(out).toMatch(/^running\npod\t/);
  });

  it.runIf(has('zsh'))('completes in zsh', () => {
    // The widgets of zsh run on a terminal only: what it would be given is looked at.
    const run = `compdef() { :; }; compadd() { print -- "$@" $choices; }; _files() { :; }; source ${folder}/stark.zsh; words=(stark pod list --status ru); CURRENT=5; PREFIX=ru; _stark`;
    expect(execFileSync('zsh', ['-f', '-c', run], { env: env(), encoding: 'utf8' })).toContain('running');
  });
});
