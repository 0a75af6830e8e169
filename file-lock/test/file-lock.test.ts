import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { binaryOf } from '../src/addon.js';
import { lockHolder, tryLock } from '../src/index.js';

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}.mjs`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'stark-lock-'));
const started: ChildProcess[] = [];
let count = 0;
let path: string;
beforeEach(() => {
  path = join(folder, `${++count}.lock`);
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const isLinux = process.platform === 'linux';
/** What ps shows of a process: R, S, T for stopped, Z for a zombie; undefined when it is gone. */
const stateOf = (pid: number) => {
  try {
    return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
};

function start(command: string, args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  started.push(child);
  return child;
}

/** A process that tries for the lock, and what it said first. */
async function holder(...wrapper: string[]): Promise<{ child: ChildProcess; said: string; pid: number }> {
  const [command = '', ...args] = [...wrapper, process.execPath, fixture('hold'), path];
  const child = start(command, args);
  const said = await firstLine(child);
  return { child, said, pid: Number(said.replace('held ', '')) };
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  return text.split('\n')[0] ?? '';
}

// Generous, since thirty processes may start on a busy machine.
async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 150_000; !holds(); await sleep(Math.random() * 20)) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
  }
}

/** Gives the lock once it can be had. */
async function untilLocked(): Promise<void> {
  await until('the lock is free', () => {
    const lock = tryLock(path);
    lock?.release();
    return lock !== undefined;
  });
}

describe('the lock of a file', () => {
  it('is one open file’s alone, in this process too, until it is given back', () => {
    const lock = tryLock(path);
    expect(lock).toBeDefined();
    expect(tryLock(path)).toBeUndefined();
    expect(lockHolder(path)).toBe(String(process.pid));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    lock?.release();
    expect(lockHolder(path)).toBeUndefined();
    const next = tryLock(path);
    expect(next).toBeDefined();
    // Its file may have the number that the first one had.
    lock?.release();
    expect(tryLock(path)).toBeUndefined();
    next?.release();
  });

  it('keeps another process out, which is told by whom', async () => {
    const lock = tryLock(path);
    expect((await holder()).said).toBe(`refused by ${process.pid}`);
    lock?.release();
    const { child, said, pid } = await holder();
    expect(said).toBe(`held ${child.pid}`);
    expect(tryLock(path)).toBeUndefined();
    expect(lockHolder(path)).toBe(String(pid));
    child.stdin?.end();
    await once(child, 'exit');
    tryLock(path)?.release();
  });

  it('goes to one of thirty processes at a time, though its holders are killed at any moment', async () => {
    const journal = `${path}.journal`;
    writeFileSync(journal, '');
    const lines = () => readFileSync(journal, 'utf8').trimEnd().split('\n');
    const children = Array.from({ length: 30 }, () => start(process.execPath, [fixture('contend'), path, journal]));
    const all = new Set(children.map(({ pid }) => String(pid)));
    await until('each has been inside', () => all.size === new Set(lines().map((line) => line.split(' ')[1])).size);

    const killed = new Set<string>();
    await until('twelve holders were killed', () => {
      const pid = lockHolder(path);
      const child = children.find((one) => String(one.pid) === pid);
      if (pid === undefined || child === undefined || killed.has(pid)) return false;
      killed.add(pid);
      appendFileSync(journal, `killing ${pid}\n`);
      child.kill('SIGKILL');
      return killed.size === 12;
    });
    const alive = children.filter(({ pid }) => !killed.has(String(pid)));
    const seen = lines().length;
    await until('the others went on', () => lines().length > seen + 50);
    const ends = alive.map((child) => once(child, 'exit'));
    for (const child of alive) child.stdin?.end();
    expect((await Promise.all(ends)).map(([code]) => code)).toEqual(alive.map(() => 0));

    const problems: string[] = [];
    const dying = new Set<string>();
    let inside: string | undefined;
    for (const line of lines()) {
      const [event, pid] = line.split(' ') as [string, string];
      if (event === 'killing') dying.add(pid);
      else if (event === 'came') {
        if (inside !== undefined && !dying.has(inside)) problems.push(`${pid} came while ${inside} was inside`);
        inside = pid;
      } else {
        if (inside !== pid) problems.push(`${pid} went while ${inside} was inside`);
        inside = undefined;
      }
    }
    expect(problems).toEqual([]);
  }, 300_000);

  it('is free at once when its holder was killed, whatever the file says', async () => {
    const { child, pid } = await holder();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(lockHolder(path)).toBe(String(pid));
    expect(tryLock(path)).toBeDefined();
  });

  it.each([
    ['the number of a living process', JSON.stringify({ pid: process.pid, started: '1' })],
    ['what an earlier version wrote', JSON.stringify({ pid: 1, since: Date.now(), id: 'held' })],
    ['half a line', '{"pi'],
    ['no text', Buffer.from([0, 255, 0, 200])],
    ['JSON of another kind', '[null]'],
    ['JSON null', 'null'],
    ['a megabyte', 'x'.repeat(1 << 20)],
  ])('is free when nobody holds it, though its file says %s', (_, text) => {
    writeFileSync(path, text);
    const lock = tryLock(path);
    expect(lock).toBeDefined();
    expect(lockHolder(path)).toBe(String(process.pid));
    lock?.release();
  });

  it('names the host of a holder elsewhere', () => {
    writeFileSync(path, JSON.stringify({ pid: 7, host: 'elsewhere' }));
    expect(lockHolder(path)).toBe('7 on elsewhere');
  });
});

describe.runIf(isLinux)('the kernel', () => {
  it('keeps the lock for a process that is stopped', async () => {
    const { child, pid } = await holder();
    child.kill('SIGSTOP');
    await until('it stands still', () => stateOf(pid) === 'T');
    for (let look = 0; look < 20; look++) {
      expect(tryLock(path)).toBeUndefined();
      await sleep(10);
    }
    child.kill('SIGCONT');
    child.stdin?.end();
    await untilLocked();
  });

  it('frees the lock of a zombie', async () => {
    // The shell becomes a program that waits for nobody. Left alone it would give its child an empty input, which ends.
    const script = 'exec 3<&0; "$@" <&3 & exec sleep 60';
    const parent = start('sh', ['-c', script, 'sh', process.execPath, fixture('hold'), path]);
    const zombie = Number((await firstLine(parent)).replace('held ', ''));
    expect(tryLock(path)).toBeUndefined();
    process.kill(zombie, 'SIGKILL');
    await until('it is a zombie', () => stateOf(zombie) === 'Z');
    // Its files are closed with its last thread, which may live a moment longer than the first.
    await untilLocked();
    expect(stateOf(zombie)).toBe('Z');
  });

  it('does not hand the lock on to a child that outlives its parent', async () => {
    const parent = start(process.execPath, [fixture('hold'), path, 'sleep']);
    const child = Number((await firstLine(parent)).replace('held ', ''));
    expect(tryLock(path)).toBeUndefined();
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    try {
      expect(stateOf(child)).toBe('S');
      tryLock(path)?.release();
      expect(lockHolder(path)).toBeUndefined();
    } finally {
      process.kill(child, 'SIGKILL');
    }
  });

  const container = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'] as const;
  const canContain = spawnSync(container[0], [...container.slice(1), 'true']).status === 0;
  it.runIf(canContain)('tells containers apart in which each is process 1', async () => {
    const first = await holder(...container);
    expect(first.said).toBe('held 1');
    expect((await holder(...container)).said).toBe('refused by 1');
    expect((await holder()).said).toBe('refused by 1');
    first.child.kill('SIGKILL');
    await untilLocked();
    // The container that comes after it, whose process 1 finds its own number in the file.
    writeFileSync(path, JSON.stringify({ pid: 1 }));
    const second = await holder(...container);
    expect(second.said).toBe('held 1');
  });
});

describe('a file that cannot be locked', () => {
  const unprivileged = ['setpriv', '--reuid=4711', '--regid=4711', '--clear-groups'] as const;
  const canDrop = spawnSync(unprivileged[0], [...unprivileged.slice(1), 'true']).status === 0;

  it.runIf(canDrop)('because it belongs to another is named, with the reason', async () => {
    chmodSync(folder, 0o777);
    writeFileSync(path, '');
    chmodSync(path, 0o444);
    expect((await holder(...unprivileged)).said).toMatch(
      new RegExp(`^failed LOCK_UNAVAILABLE: cannot lock ${path}: EACCES: permission denied`),
    );
  });

  it.each([
    ['a folder', '.', /EISDIR/],
    ['in a folder that is not there', 'nowhere/a.lock', /ENOENT/],
    ['in a file', 'file/a.lock', /ENOTDIR/],
  ])('because it is %s', (_, name, reason) => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => tryLock(join(folder, name))).toThrow(reason);
  });

  it.runIf(isLinux)('because its file system makes no files', () => {
    expect(() => tryLock('/proc/self/a.lock')).toThrow(/cannot lock \/proc\/self\/a.lock: E/);
  });
});

describe('a machine without locks', () => {
  /** What a process says that runs this first. */
  async function saysAfter(preparation: string): Promise<string> {
    const module = `data:text/javascript,${encodeURIComponent(preparation)}`;
    return firstLine(start(process.execPath, ['--import', module, fixture('hold'), path]));
  }

  it.each([
    ['ENOLCK', 'Unknown system error -37', 'ENOLCK, the file system has no locks'],
    ['ENOTSUP', 'ENOTSUP', 'operation not supported on socket'],
  ])('is told from one that is locked: %s', async (_, code, reason) => {
    const refuse = `throw Object.assign(new Error('${reason}'), { code: '${code}' })`;
    const said = await saysAfter(`
      import Module from 'node:module';
      Module._extensions['.node'] = (module) => (module.exports = { tryLock: () => { ${refuse} } });
    `);
    expect(said).toBe(`failed LOCK_UNAVAILABLE: cannot lock ${path}: ${reason}`);
  });

  it('because nobody made a binary for it is named', async () => {
    expect(await saysAfter(`Object.defineProperty(process, 'arch', { value: 'z80' })`)).toBe(
      `failed LOCK_UNAVAILABLE: cannot lock ${path}: fs-native-extensions has no binary for ${process.platform}-z80`,
    );
  });
});

describe('the binary of', () => {
  const require = createRequire(new URL('../src/addon.ts', import.meta.url));

  it.each(
    ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64', 'win32-arm64'].map(
      (name) => name.split('-') as [string, string],
    ),
  )('%s %s comes with the package', (platform, arch) => {
    expect(statSync(require.resolve(binaryOf(platform, arch))).size).toBeGreaterThan(10_000);
  });

  // musl answers to the name libc.so.6; the loader of glibc, or a library of its own, it does not have.
  it.each(['x64', 'arm64'])('linux %s leans on nothing that musl lacks', (arch) => {
    const text = readFileSync(require.resolve(binaryOf('linux', arch)), 'latin1');
    expect([...new Set(text.match(/\b(ld-linux|lib\w+)[\w.-]*\.so[\w.]*/g))]).toEqual(['libc.so.6']);
    expect(text.match(/__\w+_chk\b|\b\w+64@/g)).toBeNull();
  });
});
