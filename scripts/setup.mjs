// Makes a fresh clone ready to run: dependencies, build, and (for tests) a browser. Says what it installs, and does
// nothing where nothing is missing, so a second run needs no network. Uses only what Node.js itself brings.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

const minimumNode = [20, 19];
const lockMark = join(root, 'node_modules', '.stark-lock-sha256');

/** Ends the program with one line when a command failed; its output went to stderr. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (status === 0) return;
  fail(`${[command, ...args].join(' ')} failed: ${error?.message ?? `exit code ${status}`}`);
}

export function fail(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1])) return;
  fail(`Node.js ${process.versions.node} is too old, Stark needs ${minimumNode.join('.')} or newer`);
}

export function installDependencies() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(lockMark) && readFileSync(lockMark, 'utf8') === wanted) return;
  console.error('setup: installing dependencies (npm ci) …');
  // Some of Supabase's packages name Node.js 22 as their wish; they are tested here on 20.19, so the notice would only alarm.
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { shell: process.platform === 'win32' });
  writeFileSync(lockMark, wanted);
}

export function build() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  run(process.execPath, [tsc, '-b']);
  run(process.execPath, [join(root, 'agent', 'scripts', 'bundle-browser.mjs')]);
}

/** The browser that tests drive; installs one where none is found. */
export function installBrowser() {
  const found = findBrowser();
  if (found) return found;
  const isDebianRoot = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (isDebianRoot) {
    console.error('setup: installing a browser for the tests (apt-get install chromium) …');
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium']);
  } else {
    console.error('setup: installing a browser for the tests (playwright-core install chromium) …');
    run(process.execPath, [join(root, 'node_modules', 'playwright-core', 'cli.js'), 'install', 'chromium']);
  }
  return findBrowser() ?? fail('no Chromium found after its installation; set CHROMIUM_PATH to one');
}

/** What holds pods of an agent, for the tests of it; they are skipped, and say so, where it cannot be had. */
export function installWalls() {
  const isHere = spawnSync('bwrap', ['--version'], { stdio: 'ignore' }).status === 0;
  const isDebianRoot = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (isHere || process.platform !== 'linux' || !isDebianRoot) return;
  console.error('setup: installing bubblewrap for the tests (apt-get install bubblewrap) …');
  const install = ['install', '-y', '-qq', '--no-install-recommends', 'bubblewrap'];
  for (const args of [['update', '-qq'], install]) {
    const { status } = spawnSync('apt-get', args, { stdio: ['ignore', 2, 2] });
    if (status !== 0) return console.error('setup: no bubblewrap; the tests behind it are skipped');
  }
}

export function findBrowser() {
  const playwright = spawnSync(
    process.execPath,
    ['-e', "import('playwright-core').then(({ chromium }) => console.log(chromium.executablePath()))"],
    { cwd: root, encoding: 'utf8' },
  );
  return [
    process.env.CHROMIUM_PATH,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    playwright.stdout?.trim(),
  ].find((path) => path && existsSync(path));
}
