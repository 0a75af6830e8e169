import { readFileSync, statSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tryLock } from '@stark-o/file-lock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withFileLock } from '../src/session/lock.js';
import { SessionFile } from '../src/session/sessions.js';
import { FakeCluster } from './support/fake-cluster.js';
import { Machine, temporaryFolder } from './support/run.js';

const cluster = new FakeCluster();
beforeAll(() => cluster.start());
afterAll(() => cluster.stop());

describe('a session', () => {
  it('is made by login, kept private, used, and ended by logout', async () => {
    const machine = new Machine();
    const place = ['--url', cluster.url, '--key', cluster.key];
    const login = await machine.run(['auth', 'login', '--email', cluster.email, '--password-stdin', ...place], {
      input: `${cluster.password}\n`,
    });
    expect(login, login.stderr).toMatchObject({ code: 0, stdout: `signed in as ${cluster.email} at ${cluster.url}\n` });
    // The place is remembered: nothing of it has to be said again.
    const who = await machine.run(['auth', 'whoami', '--json']);
    expect(JSON.parse(who.stdout)).toMatchObject({ email: cluster.email, url: cluster.url });
    const name = (await machine.run(['context', 'show', '-o', 'name'])).stdout.trim().replace('context/', '');
    const file = new SessionFile(machine.config, name, cluster.url);
    expect(statSync(file.path).mode & 0o777).toBe(0o600);
    expect(readFileSync(file.path, 'utf8')).not.toContain(cluster.password);

    expect((await machine.run(['auth', 'logout'])).stdout).toBe(`${cluster.email} is signed out\n`);
    expect(cluster.seen('POST', '/auth/v1/logout')).toHaveLength(1);
    expect(await machine.run(['auth', 'whoami'])).toMatchObject({ code: 4, stdout: '' });
    expect(await machine.run(['auth', 'logout'])).toMatchObject({ code: 0, stdout: 'nobody was signed in\n' });
  });

  it('is renewed once, though many processes find it expired at the same time', async () => {
    const machine = new Machine();
    const file = await machine.signIn(cluster, { seconds: -10 });
    const before = cluster.seen('POST', '/auth/v1/token').length;
    const results = await Promise.all(Array.from({ length: 6 }, () => machine.run(['pod', 'list', '--json'])));
    expect(results.map(({ code }) => code)).toEqual(results.map(() => 0));
    expect(cluster.seen('POST', '/auth/v1/token')).toHaveLength(before + 1);
    expect((await file.read())?.expiresAt).toBeGreaterThan(Date.now() / 1000);
  });

  it('that several read as expired is renewed by one of them', async () => {
    const file = new SessionFile(temporaryFolder(), 'x', 'http://x');
    const session = { accessToken: 'a', refreshToken: 'r', expiresAt: 0, userId: 'u', email: 'e' };
    await file.write(session);
    const spent: string[] = [];
    const refresh = async (refreshToken: string) => {
      spent.push(refreshToken);
      await new Promise((done) => setImmediate(done));
      return { ...session, refreshToken: `${refreshToken}+`, expiresAt: Number.MAX_SAFE_INTEGER };
    };
    const fresh = await Promise.all(Array.from({ length: 6 }, () => file.fresh(refresh)));
    expect(spent).toEqual(['r']);
    expect(new Set(fresh.map((each) => each?.refreshToken))).toEqual(new Set(['r+']));
  });

  it('ends when its refresh token is refused, and says how to go on', async () => {
    const machine = new Machine();
    const file = await machine.signIn(cluster, { seconds: -10 });
    await file.write({ ...(await file.read()), refreshToken: 'spent' } as never);
    expect(await machine.run(['pod', 'list'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('stark auth login'),
    });
    expect(await file.read()).toBeUndefined();
  });

  it('outlives a cluster that does not answer', async () => {
    const file = new SessionFile(temporaryFolder(), 'x', 'http://x');
    const session = { accessToken: 'a', refreshToken: 'r', expiresAt: 0, userId: 'u', email: 'e' };
    await file.write(session);
    await expect(file.fresh(() => Promise.reject(new Error('unreachable')))).rejects.toThrow('unreachable');
    expect(await file.read()).toEqual(session);
  });

  it('is not handed to another place that a project names', async () => {
    const machine = new Machine();
    await machine.signIn(cluster);
    const other = await new FakeCluster().start();
    try {
      await writeFile(join(machine.home, 'stark.json'), JSON.stringify({ url: other.url, key: other.key }));
      expect((await machine.run(['pod', 'list'])).code).toBe(4);
      expect(other.requests).toEqual([]);
    } finally {
      await other.stop();
    }
  });

  it('is replaced by STARK_TOKEN', async () => {
    const machine = new Machine();
    await machine.use(cluster);
    const token = String(cluster.session().access_token);
    expect(await machine.run(['pod', 'list', '--json'], { env: { STARK_TOKEN: token } })).toMatchObject({ code: 0 });
  });
});

describe('the first admin', () => {
  it('is made once and signed in', async () => {
    const fresh = await new FakeCluster().start();
    const machine = new Machine();
    await machine.use(fresh);
    const file = join(machine.home, 'secret.key');
    await writeFile(file, `${fresh.secretKey}\n`);
    const setup = ['auth', 'setup', '--email', fresh.email, '--password-stdin', '--secret-key-file', file];
    try {
      const first = await machine.run(setup, { input: fresh.password });
      expect(first, first.stderr).toMatchObject({ code: 0, stdout: `${fresh.email} is the admin of ${fresh.url}\n` });
      expect((await machine.run(['auth', 'whoami', '-o', 'name'])).stdout).toBe(`user/${fresh.email}\n`);
      const second = await machine.run(setup, { input: fresh.password });
      expect(second).toMatchObject({ code: 7, stdout: '', stderr: expect.stringContaining('SETUP_DONE') });
      expect(fresh.seen('POST', '/functions/v1/api/auth/setup')).toHaveLength(1);
    } finally {
      await fresh.stop();
    }
  });

  it('needs the secret key, which is shown for nothing else and kept nowhere', async () => {
    const fresh = await new FakeCluster().start();
    const machine = new Machine();
    await machine.use(fresh);
    const setup = ['auth', 'setup', '--email', fresh.email, '--password-stdin'];
    try {
      const without = await machine.run(setup, { input: fresh.password });
      expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining('--secret-key-file is needed') });
      const env = { STARK_SECRET_KEY: fresh.secretKey };
      expect(await machine.run(setup, { input: fresh.password, env })).toMatchObject({ code: 0 });
      const shown = fresh.requests.filter(({ headers }) => JSON.stringify(headers).includes(fresh.secretKey));
      expect(shown.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /functions/v1/api/auth/setup']);
      const kept = await readdir(machine.home, { recursive: true, withFileTypes: true });
      for (const file of kept.filter((entry) => entry.isFile())) {
        expect(await readFile(join(file.parentPath, file.name), 'utf8')).not.toContain(fresh.secretKey);
      }
    } finally {
      await fresh.stop();
    }
  });
});

describe('a password', () => {
  const machine = new Machine();
  const login = ['auth', 'login', '--email', cluster.email];
  beforeAll(() => machine.use(cluster));

  it.each<[string, string[], string, Record<string, string>, number, RegExp]>([
    ['is needed where nobody can be asked', [], '', {}, 2, /--password-stdin or --password-file is needed/],
    ['from an empty stdin is none', ['--password-stdin'], '', {}, 2, /standard input is empty/],
    [
      'from a file that is not there is none',
      ['--password-file', 'nowhere'],
      '',
      {},
      2,
      /cannot read --password-file nowhere: ENOENT/,
    ],
    ['that is wrong is refused', ['--password-stdin'], 'wrong', {}, 4, /wrong e-mail or password/],
    ['may come from STARK_PASSWORD', [], '', { STARK_PASSWORD: 'correct horse' }, 0, /^$/],
    [
      'on the command line works and is warned of',
      ['--password', 'correct horse'],
      '',
      {},
      0,
      /^warning: --password shows up/,
    ],
  ])('%s', async (_, flags, input, env, code, stderr) => {
    const result = await machine.run([...login, ...flags], { input, env });
    expect(result, result.stderr).toMatchObject({ code });
    expect(result.stderr).toMatch(stderr);
  });

  it('never appears in --debug', async () => {
    const result = await machine.run([...login, '--password-stdin', '--debug'], { input: cluster.password });
    expect(result.stderr).toMatch(/^debug: POST \/auth\/v1\/token 200 \d+ms correlation_id=/m);
    expect(result.stderr).not.toContain(cluster.password);
    const list = await machine.run(['pod', 'list', '--debug']);
    expect(list.stderr).toMatch(/authorization=eyJh\*\*\*/);
    expect(list.stderr).not.toMatch(/eyJ\w{5}/);
  });
});

describe('the lock', () => {
  const path = join(temporaryFolder(), 'a.lock');

  /** Eight at once; each says how many were inside with it. */
  async function visits(): Promise<number[]> {
    let inside = 0;
    const seen: number[] = [];
    const visit = () =>
      withFileLock(path, async () => {
        seen.push(++inside);
        await new Promise((done) => setImmediate(done));
        inside--;
      });
    await Promise.all(Array.from({ length: 8 }, visit));
    return seen;
  }

  it('lets one in at a time', async () => {
    expect(await visits()).toEqual(Array(8).fill(1));
  });

  it('of a process that died is taken over, by one of many', async () => {
    await writeFile(path, JSON.stringify({ pid: 2 ** 22 + 1, since: Date.now(), id: 'dead' }));
    expect(await visits()).toEqual(Array(8).fill(1));
  });

  it('of a process that died is taken over, though another has its number now', async () => {
    await writeFile(path, JSON.stringify({ pid: process.pid, since: Date.now(), id: 'recycled' }));
    expect(await withFileLock(path, async () => 'in')).toBe('in');
  });

  it('that somebody holds is waited for, with an end', async () => {
    const lock = tryLock(path);
    const late = withFileLock(path, async () => 'in', { timeoutMs: 150 });
    await expect(late).rejects.toMatchObject({
      code: 'SESSION_LOCKED',
      message: `waited 0.15 s for ${path}, held by process ${process.pid}`,
      hint: `end process ${process.pid}`,
    });
    const waiting = withFileLock(path, async () => 'in');
    lock?.release();
    expect(await waiting).toBe('in');
  });

  it('is free again when the work failed', async () => {
    await expect(withFileLock(path, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(await withFileLock(path, async () => 'in')).toBe('in');
  });

  it('that cannot be had here names the way out', async () => {
    await expect(withFileLock(temporaryFolder(), async () => 'in')).rejects.toMatchObject({
      code: 'LOCK_UNAVAILABLE',
      message: expect.stringMatching(/^cannot lock .*: EISDIR/),
      hint: expect.stringContaining('STARK_CONFIG_DIR'),
    });
  });
});
