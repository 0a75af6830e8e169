// npm run test:faults [-- <id> …] [--at <commit>]: puts each fault of tests/seeded-faults into a copy of the repository, and wants
// a test to fail. Takes minutes, and is no part of npm test. The copy is of HEAD or of the given commit, never of the work tree.
import { spawn } from 'node:child_process';
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { faults } from '../tests/seeded-faults/faults.mjs';
import { root } from './setup.mjs';

const { values, positionals } = parseArgs({ options: { at: { type: 'string' } }, allowPositionals: true });
const unknown = positionals.filter((id) => !faults.some((fault) => fault.id === id));
if (unknown.length > 0) {
  console.error(`no fault is named ${unknown.join(', ')}; there are ${faults.map(({ id }) => id).join(', ')}`);
  process.exit(2);
}
const wanted = faults.filter(({ id }) => positionals.length === 0 || positionals.includes(id));

const PGTAP_FILE = /^supabase\/tests\/(.+)$/;
const PGTAP_FAILURE = /^\s*\+\s+"((?:not ok|the file broke).*)/m;
const PGTAP_RUNNER = 'tests/database/schema.test.ts';

/** This program was told to end. */
class Interrupted extends Error {}

let child;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    interrupted = true;
    endChild('SIGTERM');
    setTimeout(() => endChild('SIGKILL'), 10_000).unref();
  });
}

/** The child leads a group of its own, so that what it has started ends too, and Ctrl-C reaches all of it through us. */
function endChild(signal) {
  try {
    if (child !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It has ended.
  }
}

/** Runs a program to its end; gives its exit code and what it printed. */
async function run(command, args, options = {}) {
  if (interrupted) throw new Interrupted();
  child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...options });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  // Nothing that a broken test has left running outlives it.
  child.once('exit', () => endChild('SIGKILL'));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  child = undefined;
  if (interrupted) throw new Interrupted();
  return { code, output };
}

async function succeed(command, args, options) {
  const { code, output } = await run(command, args, options);
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code}:\n${output}`);
  return output.trim();
}

/** A copy of the repository at one commit, built, with a temporary folder for its tests. */
class Copy {
  /** A compiled file was written since the last build. */
  #stale = true;

  constructor(scratch) {
    this.scratch = scratch;
    this.folder = join(scratch, 'copy');
  }

  async make(commit) {
    await succeed('git', ['worktree', 'add', '--detach', this.folder, commit]);
    await this.#bringDependencies();
    const problem = (await this.compile()) ?? (await this.#node(['agent/scripts/bundle-browser.mjs']));
    if (problem !== undefined) throw new Error(`${commit} does not build:\n${problem}`);
  }

  /** Hard links of what is installed here, if it is what the copy wants: its links to our own packages lead into the copy. */
  async #bringDependencies() {
    const lockOf = (folder) => readFile(join(folder, 'package-lock.json'), 'utf8');
    if ((await lockOf(root)) !== (await lockOf(this.folder))) {
      await succeed('npm', ['ci', '--no-audit', '--no-fund'], { cwd: this.folder });
      return;
    }
    for (const name of await readdir(root, { withFileTypes: true })) {
      const folder = name.name === 'node_modules' ? '.' : name.name;
      if (!name.isDirectory() || !(await exists(join(root, folder, 'node_modules')))) continue;
      const [from, to] = [root, this.folder].map((place) => join(place, folder, 'node_modules'));
      await succeed('cp', ['-al', from, to]).catch(async () => {
        // Temporary folders may be on another disk.
        await rm(to, { recursive: true, force: true });
        await succeed('cp', ['-a', from, to]);
      });
      // Caches are written in place: through a hard link that would be ours.
      for (const cache of ['.vite', '.vite-temp', '.cache'])
        await rm(join(to, cache), { recursive: true, force: true });
    }
  }

  /** What the compiler objects to; undefined when nothing. */
  async compile() {
    if (!this.#stale) return undefined;
    const objection = await this.#node(['node_modules/typescript/bin/tsc', '-b']);
    this.#stale = objection !== undefined;
    return objection;
  }

  async #node(args) {
    const { code, output } = await run(process.execPath, args, { cwd: this.folder });
    return code === 0 ? undefined : output.trim();
  }

  read(file) {
    return readFile(join(this.folder, file), 'utf8');
  }

  write(file, text) {
    this.#stale ||= /\.tsx?$/.test(file);
    return writeFile(join(this.folder, file), text);
  }

  /** Whether the fault can be put in here: its text is there once, and so are its tests. */
  async takes({ file, from, tests }) {
    const text = await this.read(file).catch(() => '');
    if (text.split(from).length !== 2) return false;
    return (await Promise.all(tests.map((test) => exists(join(this.folder, test))))).every(Boolean);
  }

  /** The first test that fails, when one does; what else is wrong, when no test failed and the run did; else nothing. */
  async test(tests, extra = []) {
    const temporary = join(this.scratch, 'tmp');
    const report = join(temporary, 'report.json');
    await removeFolder(temporary);
    await mkdir(temporary);
    await chmod(temporary, 0o1777);
    // What fails fails twice, so that a deadline missed on a busy machine is not taken for a fault that was found.
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--maxWorkers=1', '--retry=1'];
    const { code, output } = await run(
      process.execPath,
      [
        ...vitest,
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
        ...extra,
        ...selection(tests),
      ],
      {
        cwd: this.folder,
        env: { ...process.env, ...quiet, TMPDIR: temporary, STARK_TEST_PREPARED_DATA: join(temporary, 'p') },
      },
    );
    const files = await readFile(report, 'utf8').then(
      (text) => JSON.parse(text).testResults,
      () => [],
    );
    const ran = files.flatMap(({ assertionResults }) => assertionResults);
    const failed = ran.find(({ status }) => status === 'failed');
    if (failed !== undefined) {
      const assertion = PGTAP_FAILURE.exec(output)?.[1];
      return { failed: failed.fullName, why: firstLine(assertion ?? failed.failureMessages[0]) };
    }
    const broken = files.find(({ status }) => status === 'failed');
    if (broken !== undefined || code !== 0) return { broken: firstLine(broken?.message || output) };
    return ran.some(({ status }) => status === 'passed') ? {} : { broken: 'no test ran' };
  }
}

const quiet = { SUPABASE_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', LITE_TELEMETRY: '0', NO_COLOR: '1' };

/** A pgTAP file is one test of the file that runs them all; the others of it, such as the golden dump, would find any fault. */
function selection(tests) {
  const pgtap = tests.flatMap((test) => PGTAP_FILE.exec(test)?.[1] ?? []);
  if (pgtap.length === 0) return tests;
  return [PGTAP_RUNNER, '--testNamePattern', `^pgTAP (${pgtap.map((name) => name.replaceAll('.', '\\.')).join('|')})$`];
}

/** Removes a temporary folder of tests, and ends what an interrupted test has left there: servers outlive who started them. */
async function removeFolder(folder) {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  for (const name of names.filter((path) => basename(path) === 'postmaster.pid')) {
    const pid = Number((await readFile(join(folder, name), 'utf8').catch(() => '')).split('\n')[0]);
    try {
      if (pid > 0) process.kill(pid, 'SIGQUIT');
    } catch {
      // It has ended.
    }
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

const firstLine = (text = '') =>
  text
    .split('\n')
    .find((line) => line.trim() !== '')
    ?.trim()
    .slice(0, 200) ?? '';

const exists = (path) =>
  access(path).then(
    () => true,
    () => false,
  );

/** All tests that are going to be named, without any fault: a test that fails anyway proves nothing. */
async function wantGreen(copy, applicable) {
  const tests = [...new Set(applicable.flatMap((fault) => fault.tests))];
  for (const part of [tests.filter((test) => PGTAP_FILE.test(test)), tests.filter((test) => !PGTAP_FILE.test(test))]) {
    if (part.length === 0) continue;
    const { failed, why, broken } = await copy.test(part);
    if (failed ?? broken)
      throw new Error(`without a fault, "${failed ?? 'a test file'}" fails already: ${why ?? broken}`);
  }
  console.log(`green    ${tests.length} test files pass without a fault`);
}

/** One line about what became of a fault, and whether it was found. */
async function seed(copy, fault) {
  const whole = await copy.read(fault.file);
  await copy.write(
    fault.file,
    whole.replace(fault.from, () => fault.to),
  );
  try {
    const objection = await copy.compile();
    if (objection !== undefined) return { found: false, says: `it does not compile: ${firstLine(objection)}` };
    for (const test of fault.tests) {
      const { failed, why, broken } = await copy.test([test], ['--bail=1']);
      if (failed !== undefined) return { found: true, says: `${test}: ${failed}: ${why}` };
      if (broken !== undefined) return { found: false, says: `${test} did not get to a test: ${broken}` };
    }
    return { found: false, says: `${fault.tests.join(' and ')} passed; ${fault.breaks}` };
  } finally {
    await copy.write(fault.file, whole);
  }
}

const scratch = await mkdtemp(join(tmpdir(), 'stark-faults-'));
const copy = new Copy(scratch);
const counts = { found: 0, missed: 0, elsewhere: 0 };
try {
  // Postgres has an account of its own where we are root.
  await chmod(scratch, 0o755);
  await copy.make(values.at ?? 'HEAD');
  const takes = await Promise.all(wanted.map((fault) => copy.takes(fault)));
  await wantGreen(
    copy,
    wanted.filter((_, index) => takes[index]),
  );
  for (const [index, fault] of wanted.entries()) {
    if (!takes[index] && values.at !== undefined) {
      counts.elsewhere += 1;
      console.log(`-        ${fault.id}: not applicable here`);
      continue;
    }
    const started = performance.now();
    const { found, says } = takes[index]
      ? await seed(copy, fault)
      : { found: false, says: 'its text or its tests are gone' };
    counts[found ? 'found' : 'missed'] += 1;
    console.log(
      `${found ? 'found ' : 'MISSED'}   ${fault.id} (${Math.round((performance.now() - started) / 1000)} s): ${says}`,
    );
  }
  const elsewhere = counts.elsewhere > 0 ? `, ${counts.elsewhere} not applicable here` : '';
  console.log(`${counts.found} found, ${counts.missed} missed${elsewhere}`);
  process.exitCode = counts.missed > 0 || counts.found === 0 ? 1 : 0;
} catch (error) {
  if (!(error instanceof Interrupted)) console.error(error.message);
  process.exitCode = error instanceof Interrupted ? 130 : 1;
} finally {
  interrupted = false;
  await run('git', ['worktree', 'remove', '--force', copy.folder]).catch(() => {});
  await removeFolder(scratch);
  await run('git', ['worktree', 'prune']).catch(() => {});
}
