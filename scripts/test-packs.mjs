// npm run test:packs [-- <arguments of vitest>]: bundles and runs a pack of each library of tests/packs, and the sites; the first time in
// a fresh clone, too. Under another Node.js: STARK_TEST_PACKS=1 npm run test:node -- 24 tests/packs
import { join } from 'node:path';
import { build, checkNode, findBrowser, installBrowser, installDependencies, root, run } from './setup.mjs';

checkNode();
installDependencies();
const browser = findBrowser() ?? installBrowser();
build();
const site = join(root, 'examples', 'nuxt-pack');
run('npm', ['install', '--prefix', site, '--no-audit', '--no-fund'], { shell: process.platform === 'win32' });
run(
  process.execPath,
  [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    ...['run', 'tests/packs', 'tests/examples/sites.test.ts'],
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit', env: { ...process.env, STARK_TEST_PACKS: '1', CHROMIUM_PATH: browser } },
);
