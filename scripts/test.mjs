// npm test [-- <folder or file> …]: sets everything up, runs every check and test, or those of the folders, and ends with the
// one line `N passed, N failed`. npm run test:quick: those that start no stack and no browser.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessorTime } from './processor-time.mjs';
import { build, checkNode, installBrowser, installDependencies, installWalls, root } from './setup.mjs';

const quickFiles = [
  'core/test',
  'agent/test',
  'cli/test',
  'local/test/control',
  'local/test/port.',
  'local/test/preflight',
  'local/test/project-config',
  'local/test/steps',
  'local/realtime/test/filters',
  'local/realtime/test/limits',
  'local/realtime/test/presence-book',
  'local/realtime/test/token-verifier',
  'local/realtime/test/wire',
  'tests/docs/pages',
];

// These start tens of processes each, for what a change seldom breaks: together they cost as much as all other quick ones.
const leftOutOfQuick = [
  'agent/test/hostile-packs.test.ts',
  'cli/test/account.test.ts',
  'cli/test/nodes.test.ts',
  'cli/test/sessions.test.ts',
];

const isQuick = process.argv.includes('--quick');
const asked = process.argv.slice(2).filter((argument) => argument !== '--quick');
const filters = isQuick ? quickFiles : asked;

checkNode();
installDependencies();
const browser = isQuick ? undefined : installBrowser();
if (!isQuick) installWalls();
build();

const scratch = mkdtempSync(join(temporaryFolder(), 'stark-test-'));
// Postgres, and what a test runs as another user, pass through it.
chmodSync(scratch, 0o711);
const report = join(scratch, 'report.json');
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...filters];
if (isQuick) for (const file of leftOutOfQuick) args.push('--exclude', file);
const costs = join(scratch, 'costs');
const processorTime = new ProcessorTime(costs);
const status = await runToEnd([vitest, ...args], {
  ...process.env,
  TMPDIR: scratch,
  ...(browser === undefined ? {} : { CHROMIUM_PATH: browser }),
  STARK_TEST_PREPARED_DATA: join(scratch, 'prepared'),
  STARK_TEST_COSTS: costs,
  SUPABASE_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  LITE_TELEMETRY: '0',
});

const totals = readTotals(report);
for (const line of processorTime.report()) console.log(line);
rmSync(scratch, { recursive: true, force: true });
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
console.log(`${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exitCode = status === 0 && totals.failed === 0 && totals.passed > 0 ? 0 : 1;

/** Runs a program of Node.js; its exit code, null when a signal ended it. */
function runToEnd(args, env) {
  return new Promise((resolve) => {
    spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env }).once('exit', resolve);
  });
}

/**
 * Where the tests have their files: in memory where there is room, since they make and remove some hundred thousand of them, else in
 * the system's temporary folder.
 */
function temporaryFolder() {
  const memory = '/dev/shm';
  const needed = 4 * 1024 ** 3;
  try {
    const { bavail, bsize } = statfsSync(memory);
    if (bavail * bsize >= needed && mayExecuteIn(memory)) return memory;
  } catch {
    // Only Linux has it.
  }
  return tmpdir();
}

/** Some systems let no program start from there. */
function mayExecuteIn(folder) {
  const program = join(mkdtempSync(join(folder, 'stark-test-')), 'program');
  writeFileSync(program, '#!/bin/sh\n');
  chmodSync(program, 0o700);
  const { status } = spawnSync(program);
  rmSync(join(program, '..'), { recursive: true });
  return status === 0;
}

/** A file that broke before its first test has no failed test of its own, so it counts as one. */
function readTotals(path) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    const broken = report.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
    );
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests + broken.length,
      skipped: report.numPendingTests + report.numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
