import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { root } from './harness/stack.js';

const run = promisify(execFile);
const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** Runs a tool of the repository; its report is the error when it objects. */
async function objections(tool: string, ...args: string[]): Promise<string> {
  return run(process.execPath, [tool, ...args], { cwd: root, maxBuffer: 1e8 }).then(
    () => '',
    (error) => `${error.stdout}\n${error.stderr}`,
  );
}

describe('the repository', () => {
  it('is formatted and free of lint', async () => {
    expect(await objections(biome, 'check', '--diagnostic-level=error', '.')).toBe('');
  }, 60_000);

  it('type-checks, its tests too', async () => {
    expect(await objections(tsc, '-b')).toBe('');
    expect(await objections(tsc, '-p', 'tests')).toBe('');
  }, 120_000);

  const upward = {
    'core/src/agent.ts': "import '@stark-o/agent';",
    'core/src/node.ts': "import 'node:fs';",
    'core/src/relative.ts': "import '../../cli/src/index.js';",
    'file-lock/src/core.ts': "import '@stark-o/core';",
    'file-lock/src/relative.ts': "import '../../core/src/errors.js';",
    'agent/src/cli.ts': "import '@stark-o/cli';",
    'agent/src/local.ts': "import '@stark-o/local';",
    'agent/src/pod/node/agent.ts': "import '../../agent.js';",
    'agent/src/pod/shared/node.ts': "import 'node:fs';",
    'agent/src/ports/agent.ts': "import '../agent.js';",
    'agent/src/reconciler/platform.ts': "import '../node/executor.js';",
    'agent/src/logs/platform.ts': "import '../browser/executor.js';",
    'local/src/core.ts': "import '@stark-o/core';",
    'local/src/relative.ts': "import '../../agent/src/index.js';",
    'local/realtime/src/cli.ts': "import '@stark-o/cli';",
  };
  const downward = {
    'cli/src/all.ts': "import '@stark-o/core';\nimport '@stark-o/local';\nimport '@stark-o/file-lock';",
    'local/src/lock.ts': "import '@stark-o/file-lock';",
    'agent/src/pod/browser/shared.ts': "import '../shared/protocol.js';",
    'agent/src/core.ts': "import '@stark-o/core';\nimport '@stark-o/file-lock';\nimport 'node:fs';",
  };

  // Types count: who needs the type of another cannot be read without it.
  const circle = {
    'local/realtime/src/one.ts': "import type { Two } from './two.js';\nexport interface One { two: Two }",
    'local/realtime/src/two.ts': "import type { One } from './one.js';\nexport interface Two { one: One }",
  };

  it('refuses imports that point up or in a circle, and only those', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stark-imports-'));
    for (const name of ['biome.json', '.gitignore']) copyFileSync(join(root, name), join(folder, name));
    for (const [path, text] of Object.entries({ ...upward, ...downward, ...circle })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `${text}\n`);
    }
    const { stdout } = spawnSync(process.execPath, [biome, 'lint', '--reporter=json', '.'], {
      cwd: folder,
      encoding: 'utf8',
    });
    rmSync(folder, { recursive: true });
    const diagnostics: { category: string; location: { path: string } }[] = JSON.parse(stdout).diagnostics;
    const refusedBy = (rule: string) =>
      new Set(diagnostics.flatMap(({ category, location }) => (category === `lint/${rule}` ? [location.path] : [])));
    expect(refusedBy('style/noRestrictedImports')).toEqual(new Set(Object.keys(upward)));
    expect(refusedBy('suspicious/noImportCycles')).toEqual(new Set(Object.keys(circle)));
  });

  // Each had a home-made meaning once; what the field calls it stands in docs/glossary.md.
  it('calls things by the words of the field', () => {
    const old = [
      ...[
        '[Dd]oorbell',
        '\\b[Pp]ulse',
        '\\bLife\\b',
        '[Ll]astingChannel',
        '[Tt]opicChannel',
        '[Tt]opic-channel',
        '\\b[Ss]hipper\\b',
      ],
      ...[
        '\\b[Nn]udg',
        '\\bTurns\\b ?[({]',
        '\\b[Ee]mbod',
        'goes_alone',
        'is_hopeless',
        '[Hh]opeless',
        '[Dd]eserted',
        '\\bbans\\b:',
      ],
      ...[
        'keep_house',
        'keepHouse',
        'catch_up\\b',
        'catchUp',
        '[Ss]ighting',
        '\\bLOOKS',
        '\\b[Ww]hoever\\b',
        'v_wish',
        'p_wish',
        'Wishes\\b',
      ],
    ];
    const left = spawnSync(
      'git',
      ['grep', '-nP', old.join('|'), '--', '.', ':!package-lock.json', ...WORDS_OF_OTHERS],
      {
        cwd: root,
        encoding: 'utf8',
      },
    );
    expect(left.stdout).toBe('');
  });

  const rooms = ['core', 'file-lock', 'agent', 'cli', 'local', 'local/realtime'];
  const manifestOf = (room: string): Manifest => JSON.parse(readFileSync(join(root, room, 'package.json'), 'utf8'));
  const wantedBy = ({ dependencies, devDependencies }: Manifest) => ({ ...dependencies, ...devDependencies });

  it('names exact versions, and no registry', () => {
    const wanted = ['.', ...rooms].flatMap((folder) => Object.entries(wantedBy(manifestOf(folder))));
    expect(wanted.filter(([, version]) => !/^\d+\.\d+\.\d+([-+].*)?$/.test(String(version)))).toEqual([]);
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved": "https?:/);
  });

  it('declares each package that a room imports, and none that it does not use', () => {
    const undeclared: string[] = [];
    const unused: string[] = [];
    const declared = rooms.flatMap((room) => Object.keys(wantedBy(manifestOf(room))));
    for (const room of ['.', ...rooms]) {
      const manifest = manifestOf(room);
      const texts = codeOf(room);
      for (const { file, text } of texts) {
        const own = /(^|\/)(src|bin)\//.test(file) ? manifest.dependencies : wantedBy(manifest);
        // Tests, benchmarks and scripts stand over all rooms, and may use what any of them has.
        const more =
          room === '.' ? declared : /\/(test|bench)\//.test(file) ? Object.keys(wantedBy(manifestOf('.'))) : [];
        for (const name of importedBy(text)) {
          const isOurs = own?.[name] !== undefined && !(own === manifest.dependencies && name in NOT_IMPORTED);
          if (!isOurs && !more.includes(name)) undeclared.push(`${file}: ${name}`);
        }
      }
      for (const name of Object.keys(wantedBy(manifest))) {
        const isNamed = texts.some(({ text }) =>
          ["'", '"', '`'].some((q) => text.includes(`${q}${name}${q}`) || text.includes(`${q}${name}/`)),
        );
        if (!isNamed && !(name in NOT_IMPORTED) && !name.startsWith('@types/')) unused.push(`${room}: ${name}`);
      }
    }
    expect(undeclared).toEqual([]);
    expect(unused).toEqual([]);
  });
});

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** Files that tell of old words, and a pod of that name. */
const WORDS_OF_OTHERS = [
  ':!tests/repository.test.ts',
  ':!docs/contributing/strangers-test.md',
  ':!docs/cli.md',
  ':!cli/src/commands/deployment/scale.ts',
];

/** What no code of ours names, and why it is there. */
const NOT_IMPORTED = {
  '@oclif/plugin-autocomplete': 'oclif.plugins in cli/package.json',
  '@oclif/plugin-help': 'oclif.plugins in cli/package.json',
  postgres: 'the driver of @supabase/lite, which wants it beside itself',
};

/** The code of a room; of the whole repository only what stands in no room. */
function codeOf(room: string): { file: string; text: string }[] {
  const { stdout } = spawnSync('git', ['ls-files', '--', '*.ts', '*.mts', '*.mjs', '*.js'], {
    cwd: root,
    encoding: 'utf8',
  });
  const inside = (file: string) => {
    if (room === '.') return /^(tests\/(?!packs\/)|bench\/|scripts\/|vitest)/.test(file);
    return file.startsWith(`${room}/`) && !(room === 'local' && file.startsWith('local/realtime/'));
  };
  const files = stdout.split('\n').filter((file) => inside(file) && existsSync(join(root, file)));
  // Packs are bundled where their own folder is, and a text of a test may hold one.
  const ours = files.filter((file) => !/\/(conformance|hostile-packs|fixtures)\//.test(file));
  return ours.map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
}

/** The packages that code imports: no files, nothing of Node.js. */
function importedBy(text: string): string[] {
  const statements = text.matchAll(/^(?:import|export|\})[^'"`;]*?from '([^'.][^']*)'|^import '([^'.][^']*)'/gm);
  const calls = text.matchAll(/^[^'"`\n]*(?:\bimport|\brequire|\.resolve)\('([^'.$/][^'$]*)'\)/gm);
  const specifiers = [...statements, ...calls].map(([, one, other]) => one ?? other ?? '');
  return specifiers
    .filter((name) => !isBuiltin(name))
    .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'));
}
