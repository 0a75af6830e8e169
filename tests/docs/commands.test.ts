import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stopStack } from '@stark-o/local/running-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Surface } from '../../cli/test/support/surface.js';
import { type CommandResult, sharedStark, stark, startStark } from '../harness/command.js';
import { prepareData } from '../harness/prepared-data.js';
import { root } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';
import { blocksIn, commandsIn, type DocumentedCommand, wordsOf } from './commands.js';
import { SupabaseSurface } from './supabase-surface.js';

// Every command of README.md and docs/ is run here, on one cluster, in the order of its page; those that need something else say so
// behind their fence and are held to what the commands take, as are commands in running text and in the other pages.

const read = (page: string) => readFileSync(join(root, page), 'utf8');
const markdownIn = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.includes('node_modules'))
    .map((file) => join(folder, file));

const forUsers = ['README.md', ...markdownIn('docs').sort()];
const others = [
  'CONTRIBUTING.md',
  ...['agent', 'bench', 'cli', 'core', 'examples', 'local', 'supabase'].flatMap(markdownIn),
];
const all = [...forUsers, ...others].flatMap((page) => commandsIn(page, read(page)));

/** Pages and npm's scripts that have a test of their own. */
const runElsewhere: Record<string, string> = {
  'docs/postgrest.md': 'tests/database/postgrest.test.ts',
  'npm run demo': 'tests/demo.test.ts',
  'npm test': 'scripts/test.mjs',
};

const isRunHere = ({ page, proof, text }: DocumentedCommand) =>
  proof === 'run' && forUsers.includes(page) && runElsewhere[page] === undefined && !text.startsWith('npm ');

const nameOf = ({ page, line, text }: DocumentedCommand) => `${page}:${line}: ${text}`;

let surface: Surface;
let official: SupabaseSurface;

beforeAll(async () => {
  [surface, official] = await Promise.all([Surface.read(), SupabaseSurface.read()]);
});

/** What is wrong with a command; nothing of a program that is not ours or Supabase's. */
function problemOf(text: string, complete: boolean): string | undefined {
  const words = wordsOf(text.replaceAll(/ (<|>>?) \S+/g, ''));
  const [program = '', ...rest] = words[0] === 'npx' ? words.slice(1) : words;
  switch (program) {
    case 'stark':
      // Running text shows what may be left out, and leaves out itself.
      return surface.problemOf(complete ? rest : rest.map((word) => word.replaceAll(/^\[|\]$/g, '')), { complete });
    case 'supabase':
      return official.problemOf(rest);
    case 'npm': {
      const script = rest[0] === 'run' ? rest[1] : rest[0] === 'test' || rest[0] === 'start' ? rest[0] : undefined;
      const workspace = /--workspace (\S+)/.exec(text)?.[1] ?? '.';
      const { scripts } = JSON.parse(read(join(workspace, 'package.json'))) as { scripts: Record<string, string> };
      return script === undefined || scripts[script] !== undefined ? undefined : `there is no npm run ${script}`;
    }
    default: {
      const missing = words.find((word) => /^docs\//.test(word) && !existsSync(join(root, word)));
      return missing === undefined ? undefined : `there is no ${missing}`;
    }
  }
}

describe('commands in Markdown', () => {
  it('are found', () => {
    expect(all.filter(isRunHere).length).toBeGreaterThanOrEqual(15);
    expect(all.filter(({ proof }) => proof === 'hosted').length).toBeGreaterThanOrEqual(15);
    expect(all.filter(({ proof }) => proof === 'mention').length).toBeGreaterThanOrEqual(40);
  });

  it('exist, with their flags and arguments', () => {
    const problems = all.flatMap((command) => {
      const problem = problemOf(command.text, command.proof !== 'mention');
      return problem === undefined ? [] : [`${command.page}:${command.line}: ${problem}`];
    });
    expect(problems).toEqual([]);
  });

  it('that are run by a test of their own have it', () => {
    for (const [what, test] of Object.entries(runElsewhere)) {
      const named = what.replace(/^npm (run )?/, '').replace(/^docs\//, '');
      expect(read(test), test).toContain(named);
    }
    const scripts = all.filter(
      ({ proof, page, text }) => proof === 'run' && forUsers.includes(page) && text.startsWith('npm '),
    );
    for (const { text } of scripts) expect(Object.keys(runElsewhere)).toContain(text.split(' -- ')[0]);
  });

  it.each<[string, boolean, string]>([
    ['stark context use --url x', true, '"stark context use" has no --url'],
    ['npx stark context use', true, '"stark context use" lacks name'],
    ['npx stark context use a b', true, '"stark context use" takes no b'],
    ['npx stark pack register a.mjs --runtime deno', true, '"stark pack register" --runtime is none of'],
    ['npx stark pod lits', false, 'there is no "stark pod lits"'],
    ['npx supabase db psh --remote', true, 'there is no "supabase db psh --remote"'],
    ['npx supabase db push --remotely', true, '"supabase db push" has no --remotely'],
    ['npm run nonsense', false, 'there is no npm run nonsense'],
    ['docker build --file docs/nowhere .', true, 'there is no docs/nowhere'],
  ])('that are wrong are found: %s', (text, complete, problem) => {
    expect(problemOf(text, complete)).toContain(problem);
  });
});

describe('on one cluster', () => {
  const staying: ChildProcess[] = [];
  let folder: string;
  let dataDir: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stark-docs-'));
    dataDir = join(folder, 'data');
    env = {
      STARK_CONFIG_DIR: join(folder, 'config'),
      STARK_DATA_DIR: dataDir,
      STARK_AGENT_DIR: join(folder, 'agents'),
      STARK_PASSWORD: 'correct horse',
    };
    await prepareData(dataDir, root);
  });
  afterAll(async () => {
    for (const child of staying) {
      child.kill('SIGINT');
      await once(child, 'exit');
    }
    await stopStack(dataDir);
    await rm(folder, { recursive: true, force: true });
  });

  /** The folder in which a reader of the page stands: this repository, or for packs.md the pack that the page shows. */
  async function placeOf(page: string): Promise<string> {
    const place = join(folder, page.replaceAll('/', '-'));
    if (existsSync(place)) return place;
    await mkdir(place);
    for (const name of ['examples', 'node_modules']) await symlink(join(root, name), join(place, name));
    if (page !== 'docs/packs.md') return place;
    const shown = (language: string) => blocksIn(read(page)).find(({ info }) => info[0] === language)?.text ?? '';
    const manifest = JSON.parse(shown('json')) as { stark: { entry: string } };
    const entry = join(place, manifest.stark.entry);
    await mkdir(dirname(entry));
    await Promise.all([writeFile(join(place, 'package.json'), shown('json')), writeFile(entry, shown('ts'))]);
    return place;
  }

  async function run(args: string[], cwd: string): Promise<CommandResult> {
    // On ports that are free, beside whatever runs on this machine.
    if (args[0] === 'up') return stark([...args, '--port', '0', '--db-port', '0'], { env, cwd });
    if (args.slice(0, 3).join(' ') !== 'node agent start') return sharedStark(args, { env, cwd });
    staying.push(startStark(args, { env, cwd }));
    const name = args[args.indexOf('--name') + 1];
    await waitFor(`node ${name} to be healthy`, async () => {
      const { stdout } = await sharedStark(['node', 'list', '-o', 'json'], { env });
      return (JSON.parse(stdout) as { name: string; status: string }[]).some(
        (node) => node.name === name && node.status === 'healthy',
      );
    });
    return { code: 0, stdout: '', stderr: '' };
  }

  it.each(all.filter(isRunHere).map((command) => [nameOf(command), command] as const))(
    '%s',
    async (_, { page, text }) => {
      const words = wordsOf(text);
      const [program, ...args] = words[0] === 'npx' ? words.slice(1) : words;
      expect(program, 'only commands of stark can be run here; say hosted or elsewhere behind the fence').toBe('stark');
      const { code, stdout, stderr } = await run(args, await placeOf(page));
      expect(code, `${stdout}${stderr}`).toBe(0);
    },
    60_000,
  );
});
