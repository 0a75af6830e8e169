import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { seccompFilter } from '../src/node/walls/seccomp.js';
import { type AgentResult, OrdinaryUser } from './support/ordinary-user.js';
import { compileAddon, wallsHere } from './support/walls.js';

const PACKS = fileURLToPath(new URL('./hostile-packs/', import.meta.url));
const RAW = fileURLToPath(new URL('./support/raw.mjs', import.meta.url));

const NOT_IN_A_POD = /not available in a pod/;
const RESTRICTED = /Access to this API has been restricted/;

/** How each hostile pack ends: the reason that its owner is told, what the message says, and each line that it prints. */
const ENDS: Record<string, { reason: string; message?: RegExp; lines?: RegExp }> = {
  'another-program': { reason: 'Error', message: /not there|not available in a pod/ },
  'child-handle-kill': { reason: 'Error', message: /a child process is not available in a pod/ },
  'child-handle-spawn': { reason: 'Error', message: /a child process is not available in a pod/ },
  'closed-folder': { reason: 'StorageExceeded', message: /^what it keeps on disk cannot be measured: EACCES$/ },
  'compile-cache': { reason: 'Error', message: /compile cache: (not there|.*permission)/i },
  database: { reason: 'Error', message: /No such built-in module: node:sqlite/ },
  'database-builtin': { reason: 'Error', message: /No such built-in module: node:sqlite/ },
  debugger: { reason: 'Error', message: RESTRICTED },
  'deep-folders': { reason: 'StorageExceeded', message: /^what it keeps on disk cannot be measured: ENAMETOOLONG$/ },
  'engine-flags': { reason: 'Error', message: /v8.setFlagsFromString is not available in a pod/ },
  'engine-flags-by-require': { reason: 'Error', message: /v8.setFlagsFromString is not available in a pod/ },
  'folder-that-moves': { reason: 'Completed', lines: /^tried 19$/ },
  'links-upwards': { reason: 'Completed', lines: /^link: refused ERR_ACCESS_DENIED$/ },
  'many-ways': { reason: 'Completed' },
  'many-empty-files': { reason: 'StorageExceeded', message: /^it keeps more than 1000 files on disk, its limit$/ },
  'many-open-files': { reason: 'Error', message: /EMFILE/ },
  'moved-past-the-look': { reason: 'StorageExceeded', message: /^it keeps (9|1\d) MB on disk, its limit is 8 MB$/ },
  'names-that-are-no-text': { reason: 'StorageExceeded', message: /^it keeps (9|1\d) MB on disk, its limit is 8 MB$/ },
  'no-memory-asked': { reason: 'OOMKilled', message: /^the JavaScript heap was full$/ },
  'open-files-of-others': { reason: 'Completed', lines: /^refused (ERR_ACCESS_DENIED|EINVAL)$/ },
  'openssl-engine': { reason: 'Error', message: /engine/i },
  'plain-files': { reason: 'Error', message: RESTRICTED },
  'report-directory': { reason: 'Error', message: NOT_IN_A_POD },
  'report-on-error': { reason: 'Error', message: NOT_IN_A_POD },
  'shared-memory': { reason: 'OOMKilled', message: /^it used \d+ MB of memory, its limit is 96 MB$/ },
  'resolver-settings': { reason: 'Completed' },
  signals: { reason: 'Error', message: /a signal to another process is not available in a pod/ },
  'snapshot-near-heap-limit': { reason: 'Error', message: NOT_IN_A_POD },
  'socket-file': { reason: 'Error', message: /a socket file is not available in a pod/ },
  'variables-of-the-process': { reason: 'Completed', lines: /^$/ },
};

/** A wall that sees no paths refuses every change of a mode. */
const STANDARD_ENDS: typeof ENDS = { 'closed-folder': { reason: 'Error', message: /EPERM.*chmod/ } };

const walls = await wallsHere();
const addon = compileAddon();
const user = await OrdinaryUser.open();
afterAll(async () => {
  addon?.remove();
  await user.close();
});

for (const tier of ['strict', 'standard'].filter((each) => walls.every((wall) => wall.tier !== each))) {
  it.skip(`the wall "${tier}" holds: this machine has none`, () => {});
}

it('has an end in this file for each hostile pack', () => {
  const packs = readdirSync(PACKS).map((file) => file.replace(/\.mjs$/, ''));
  expect(packs.sort()).toEqual(Object.keys(ENDS).sort());
});

describe.each([{ tier: 'none', env: {} }, ...walls])(
  'hostile packs of an ordinary user, with the wall $tier',
  ({ tier, env }) => {
    it('touch nothing, and are told why they ended', async () => {
      const before = user.fingerprint();
      const packs = Object.keys(ENDS).map((name) => ({ name, path: join(PACKS, `${name}.mjs`) }));
      const agent = await user.run({ packs, isolation: tier, env });
      expect(agent.tier).toBe(tier);
      const ends = { ...ENDS, ...(tier === 'standard' && STANDARD_ENDS) };
      for (const [name, { reason, message, lines }] of Object.entries(ends)) {
        const result = resultOf(agent, name);
        expect(result, name).toMatchObject({ reason });
        if (message !== undefined) expect(result.message, name).toMatch(message);
        const odd = lines === undefined ? [] : result.printed.filter((line) => !lines.test(line));
        expect(odd, name).toEqual([]);
        expect(result.left, name).toBeUndefined();
      }
      expect(resultOf(agent, 'resolver-settings').printed).toEqual(['looked up with true']);
      const gotten = resultOf(agent, 'many-ways').printed.filter(
        // Node.js 20.19 means its refusal of a promise, and says something else.
        (line) => !/: refused (ERR_(ACCESS_DENIED|DLOPEN_DISABLED)|Method Promise\.)/.test(line),
      );
      expect(gotten).toEqual([]);
      expect(resultOf(agent, 'many-ways').printed.length).toBeGreaterThan(25);
      expect(user.fingerprint()).toEqual(before);
      expect(agent.after).toEqual(agent.before);
      expect(agent.stderr).not.toMatch(/Debugger listening/);
      expect(user.heard).toBe(0);
      expect(user.processes()).toEqual([]);
    }, 400_000);
  },
);

describe.each(walls)('a process that Node.js holds no longer, behind the wall $tier', ({ tier, env }) => {
  it('touches nothing outside, and works inside', async () => {
    const before = user.fingerprint();
    const { home, temporary, neighbour, dataDir, socket } = user;
    const raw = { program: RAW, addon: addon?.path, home, temporary, neighbour, dataDir, socket };
    const agent = await user.run({ isolation: tier, env, raw });
    const attempts = agent.printed.filter((line) => /^(outside|byMachineCode): /.test(line));
    expect(attempts.filter((line) => !/: refused (E[A-Z]+)$/.test(line))).toEqual([]);
    expect(attempts.length).toBeGreaterThan(addon === undefined ? 22 : 55);
    // os.userInfo needs a name in the system's list, and this user has none; a wall with a list of its own gives it one.
    expect(agent.printed).toContain('open files: ');
    const failed = agent.printed.filter((line) => /^own: .*refused/.test(line) && !/knows who it is/.test(line));
    expect(failed).toEqual([]);
    expect(agent.printed).toContain('limit: core file size: 0');
    expect(agent.printed).toContain('limit: file size: 8388608');
    expect(agent.printed).toContain('limit: open files: 768');
    expect(agent.printed.find((line) => line.startsWith('limit: data size: '))).toMatch(/ \d+$/);
    expect(agent.printed.at(-1)).toBe('exit code 7');
    if (tier === 'strict') {
      expect(agent.printed).toContain('limit: processes: 128');
      // Its own, and the first one of its namespace.
      expect(agent.printed).toContain('processes seen: 2');
    }
    expect(user.fingerprint()).toEqual(before);
    expect(agent.after).toEqual(agent.before);
    expect(user.heard).toBe(0);
    expect(user.processes()).toEqual([]);
  }, 180_000);

  it('is one of its own where it asked to be a thread', async () => {
    const path = join(user.home, 'thread.mjs');
    const source = `import { isMainThread } from 'node:worker_threads';
      export default () => console.log(isMainThread, process.pid);`;
    writeFileSync(path, source, { mode: 0o644 });
    const packs = ['first', 'second'].map((name) => ({ name, path, spec: { isolation: 'worker' } }));
    const agent = await user.run({ packs, isolation: tier, env });
    for (const { name } of packs) expect(resultOf(agent, name).printed.join(), name).toMatch(/^true \d+$/);
  }, 180_000);

  it('ends as any other does', async () => {
    const ends = {
      exits: ['export default () => process.exit(7);', { exitCode: 7, reason: 'Error' }],
      aborts: ['export default () => process.abort();', { reason: 'Killed' }],
      'kills itself': [
        'export default () => { process.kill(process.pid, "SIGKILL"); return new Promise(() => {}); };',
        { exitCode: 137 },
      ],
      'kills its group': [
        'export default () => { process.kill(process.pid, "SIGTERM"); return new Promise(() => {}); };',
        { reason: 'Completed' },
      ],
      spins: ['export default () => { for (;;); };', { exitCode: 137, reason: 'Killed' }],
    } as const;
    const endless = ['spins', 'kills its group'];
    const packs = Object.entries(ends).map(([name, [source]]) => {
      const path = join(user.home, `${name.replaceAll(' ', '-')}.mjs`);
      writeFileSync(path, source, { mode: 0o644 });
      return { name, path, ...(endless.includes(name) && { spec: { longestMs: 3_000 } }) };
    });
    const agent = await user.run({ packs, isolation: tier, env });
    for (const [name, [, end]] of Object.entries(ends)) {
      if (name !== 'kills its group') expect(resultOf(agent, name), name).toMatchObject(end);
    }
    expect(user.processes()).toEqual([]);
  }, 180_000);
});

describe.runIf(process.platform === 'linux')('a wall that is none', () => {
  it.each([
    ['does nothing', '#!/bin/sh\nexit 1\n'],
    ['only executes what it is given', '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n'],
    [
      'says where, and executes',
      '#!/bin/sh\necho "{\\"child-pid\\": $$ }" >&5\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n',
    ],
  ])(
    'is not taken for one: it %s',
    async (_what, script) => {
      const folder = join(user.home, 'programs');
      mkdirSync(folder, { recursive: true });
      for (const name of ['bwrap', 'setpriv']) writeFileSync(join(folder, name), script);
      for (const path of [user.home, folder, join(folder, 'bwrap'), join(folder, 'setpriv')]) chmodSync(path, 0o755);
      const agent = await user.run({ isolation: 'auto', env: { PATH: `${folder}:${process.env.PATH}` } });
      expect(agent.tier).toBe('none');
      expect(agent.stderr).toMatch(/pods are held by Node.js alone.*for more: install bubblewrap/);
    },
    180_000,
  );

  it('is said to be missing to who asked for it', async () => {
    const asked = user.run({ isolation: 'strict', env: { PATH: '/nowhere' } });
    await expect(asked).rejects.toThrow(/this machine has no isolation "strict"/);
  });
});

it('has no filter for a processor whose system calls nobody wrote down', () => {
  expect(seccompFilter({ namespaces: true }, 'riscv64')).toBeUndefined();
  expect(seccompFilter({ namespaces: true }, 'arm64')?.length).toBeGreaterThan(500);
});

function resultOf(agent: AgentResult, name: string) {
  const result = agent.results.find((each) => each.name === name);
  if (result === undefined) throw new Error(`${name} did not run; the agent said:\n${agent.stderr}`);
  return result;
}
