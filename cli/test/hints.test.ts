import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeCluster } from './support/fake-cluster.js';
import { Machine, packageRoot } from './support/run.js';
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
  });
});
