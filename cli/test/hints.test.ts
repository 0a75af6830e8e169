import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nouns } from '../src/base/argv.js';
import { firstWords, programName, withProgramName } from '../src/base/program.js';
import { buildManifest } from '../src/manifest.js';
import { FakeCluster } from './support/fake-cluster.js';
import { Machine, packageRoot, temporaryFolder } from './support/run.js';
import { Surface } from './support/surface.js';

// A hint is a command to type. One that does not exist sends a person who is in trouble already into a second one.
const root = join(packageRoot, '..');
let surface: Surface;
beforeAll(async () => {
  surface = await Surface.read();
});

function filesOf(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending) && !/node_modules|dist\/|\.types\.ts$/.test(file))
    .map((file) => join(root, folder, file));
}

/** The texts between quotes of SQL, and those of TypeScript that stand where hints stand. */
const texts = {
  sql: (source: string) => [...source.matchAll(/'((?:[^'\n]|'')*)'/g)].map(([, text]) => String(text)),
  ts: (source: string) => {
    const lines = source.split('\n');
    const near = lines.filter((_, at) =>
      /hint|next\(|Error\(|fail\(|resume/.test(lines.slice(Math.max(0, at - 2), at + 1).join()),
    );
    return [...near.join('\n').matchAll(/'((?:[^'\\\n]|\\.)*)'|`([^`\n]*)`/g)].map(
      ([, one, other]) => one ?? other ?? '',
    );
  },
};

/** The commands that a text tells to type: those at its beginning, and those after “, ”, “, or ” and the like. */
function commandsIn(text: string): string[] {
  return [...text.matchAll(/(?:^|, |or |then |&& )(stark(?: (?!then\b|or\b)[^\s,;]+)+)/g)].map(([, command]) =>
    String(command),
  );
}

function problemOf(command: string): string | undefined {
  const [, ...typed] = command.split(' ');
  // What is put in here could be any command.
  if (typed[0]?.startsWith('${') || command === 'stark --help') return undefined;
  return surface.problemOf(typed, { complete: false });
}

const sources: [string, string[], (source: string) => string[]][] = [
  ['the database', filesOf('supabase/migrations', '.sql'), texts.sql],
  ['the Edge Functions', filesOf('supabase/functions', '.ts'), texts.ts],
  ['core', filesOf('core/src', '.ts'), texts.ts],
  ['the agent', filesOf('agent/src', '.ts'), texts.ts],
  ['the local stack', filesOf('local/src', '.ts'), texts.ts],
  ['the command line', filesOf('cli/src', '.ts'), texts.ts],
];

describe('commands that hints of … tell to type exist', () => {
  it.each(sources)('%s', (_, files, textsOf) => {
    const problems: string[] = [];
    let seen = 0;
    for (const file of files) {
      for (const command of textsOf(readFileSync(file, 'utf8')).flatMap(commandsIn)) {
        seen += 1;
        const problem = problemOf(command);
        if (problem !== undefined) problems.push(`${file.slice(root.length + 1)}: ${problem}`);
      }
    }
    expect(seen).toBeGreaterThan(0);
    expect(problems).toEqual([]);
  });

  it('and those that do not are found', () => {
    expect(problemOf('stark pod lsit')).toBe('there is no "stark pod lsit"');
    expect(problemOf('stark pod create --nope')).toBe('"stark pod create" has no --nope');
    expect(commandsIn('stark node token create --label, or stark node update')).toHaveLength(2);
  });
});

describe('a hint begins with what is typed here', () => {
  const bin = join(packageRoot, 'bin', 'stark.js');

  it('the name where it is installed, npx below a folder that has it, else the path', () => {
    const place = temporaryFolder();
    const env = { PATH: ['/usr/bin', join(place, 'bin')].join(delimiter) };
    expect(programName(env, place)).toBe(`node ${bin}`);
    expect(programName(env, packageRoot)).toBe('npx stark');
    expect(programName(env, join(root, 'docs'))).toBe('npx stark');
    // npm puts such a folder in the path of its scripts, and no shell has it.
    const ofNpm = { PATH: join(root, 'node_modules', '.bin') };
    expect(programName(ofNpm, place)).toBe(`node ${bin}`);
    mkdirSync(join(place, 'bin'));
    writeFileSync(join(place, 'bin', 'stark'), 'another program of this name');
    expect(programName(env, place)).toBe(`node ${bin}`);
    rmSync(join(place, 'bin', 'stark'));
    symlinkSync(bin, join(place, 'bin', 'stark'));
    expect(programName(env, place)).toBe('stark');
  });

  it('in every command of a text, and in nothing else', () => {
    const { PATH } = process.env;
    const cwd = process.cwd();
    process.env.PATH = '/usr/bin';
    process.chdir(root);
    try {
      expect(withProgramName('stark up, or stark auth login; npx stark pod list')).toBe(
        'npx stark up, or npx stark auth login; npx stark pod list',
      );
      for (const text of [
        'a stark contrast',
        'examples/stark pod',
        '@stark pod',
        'stark.json',
        'stark stack identity',
      ]) {
        expect(withProgramName(text)).toBe(text);
      }
    } finally {
      process.env.PATH = PATH;
      process.chdir(cwd);
    }
  });

  it('for people, and in help; what machines read says stark', async () => {
    const machine = new Machine();
    const env = { PATH: '/usr/bin:/bin' };
    expect((await machine.run(['pod', 'list'], { env, cwd: root })).stderr).toContain('hint:  npx stark up starts one');
    expect(JSON.parse((await machine.run(['pod', 'list', '--json'], { env, cwd: root })).stderr).error.hint).toMatch(
      /^stark up starts one/,
    );
    expect((await machine.run(['pod', 'list', '--help'], { env, cwd: root })).stdout).toContain('$ npx stark pod list');
    expect((await machine.run(['pod', 'lst'], { env, cwd: root })).stderr).toMatch(/did you mean "npx stark pod list"/);
  });

  it('knows the first word of every command', async () => {
    const { commands } = await buildManifest(packageRoot);
    for (const id of Object.keys(commands)) expect(firstWords, id).toContain(id.split(':')[0]);
    for (const noun of Object.keys(nouns)) expect(firstWords, noun).toContain(noun);
  });
});

describe('asking what one may do', () => {
  const cluster = new FakeCluster();
  const machine = new Machine();
  beforeAll(async () => {
    await cluster.start();
    await machine.signIn(cluster);
  });
  afterAll(() => cluster.stop());

  it('ends with 1 when the answer is no', async () => {
    const asked: unknown[] = [];
    cluster.functions.can_i = (args) => {
      asked.push(args);
      return { body: args.p_kind === 'pods' };
    };
    expect(await machine.run(['auth', 'can-i', 'create', 'pods', '-n', 'team-a'])).toMatchObject({
      code: 0,
      stdout: 'yes\n',
    });
    expect(await machine.run(['auth', 'can-i', 'create', 'nodes'])).toMatchObject({ code: 1, stdout: 'no\n' });
    expect(asked).toMatchObject([{ p_verb: 'create', p_kind: 'pods', p_namespace: 'team-a' }, { p_namespace: null }]);
    // Every name of a kind that commands take is one here.
    for (const [word, kind] of Object.entries({
      po: 'pods',
      deploy: 'deployments',
      jt: 'nodes',
      rb: 'roles',
      cc: 'settings',
    })) {
      await machine.run(['auth', 'can-i', 'get', word]);
      expect(asked.at(-1)).toMatchObject({ p_kind: kind });
    }
  });
});
