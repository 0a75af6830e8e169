import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PostgresCluster } from '../src/postgres/cluster.js';
import { ClusterError, PortTakenError } from '../src/postgres/errors.js';
import { isAlive } from '../src/postgres/processes.js';
import { findSystemUser } from '../src/postgres/system-user.js';
import { log, temporaryDirectory, waitFor } from './postgres-support.js';

let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
let dataDir: string;
const started: PostgresCluster[] = [];

function makeCluster(options: { dataDir?: string; port?: number } = {}): PostgresCluster {
  const cluster = new PostgresCluster({ dataDir, port: 0, durable: false, log, ...options });
  started.push(cluster);
  return cluster;
}

async function ask<T>(cluster: PostgresCluster, query: string): Promise<T[]> {
  const sql = postgres(cluster.url('supabase_admin'), { max: 1, onnotice: () => {} });
  try {
    return (await sql.unsafe(query)) as unknown as T[];
  } finally {
    await sql.end({ timeout: 2 });
  }
}

async function postmasterPid(): Promise<number> {
  return Number((await readFile(path.join(dataDir, 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

beforeAll(async () => {
  folder = await temporaryDirectory();
  dataDir = path.join(folder.directory, 'pg');
  await makeCluster().initialise();
});

afterEach(async () => {
  for (const cluster of started.splice(0)) await cluster.stop();
});

afterAll(() => folder.remove());

describe('a cluster', () => {
  it('is made once, private, with a key for the vault', async () => {
    expect(await makeCluster().initialise()).toEqual({ created: false });
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    expect(await readFile(path.join(dataDir, 'vault.key'), 'utf8')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is made whole although an earlier attempt was cut off', async () => {
    const place = path.join(folder.directory, 'cut-off');
    await mkdir(`${place}.init/base`, { recursive: true });
    await writeFile(`${place}.init/PG_VERSION`, '17');
    const cluster = makeCluster({ dataDir: place });
    expect(await cluster.initialise()).toEqual({ created: true });
    await cluster.start();
    expect(await ask(cluster, 'select 1 as n')).toEqual([{ n: 1 }]);
    await expect(stat(`${place}.init`)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is not made in a folder that holds something else', async () => {
    const place = path.join(folder.directory, 'other');
    await mkdir(place);
    await writeFile(path.join(place, 'letter.txt'), 'dear');
    await expect(makeCluster({ dataDir: place }).initialise()).rejects.toMatchObject({ code: 'INITDB_FAILED' });
    expect(await readFile(path.join(place, 'letter.txt'), 'utf8')).toBe('dear');
  });

  it('works inside a folder that only root may enter, although the server is not root', async () => {
    const shut = path.join(folder.directory, 'shut');
    await mkdir(shut, { mode: 0o700 });
    const cluster = makeCluster({ dataDir: path.join(shut, 'pg') });
    await cluster.initialise();
    await cluster.start();
    expect(await ask(cluster, 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  it('has the settings the platform counts on', async () => {
    const cluster = makeCluster();
    await cluster.start();
    const wanted = {
      wal_level: 'logical',
      TimeZone: 'UTC',
      listen_addresses: '127.0.0.1',
      server_encoding: 'UTF8',
      password_encryption: 'scram-sha-256',
      fsync: 'off',
    };
    const rows = await ask<{ name: string; setting: string }>(
      cluster,
      `select name, setting from pg_settings where name in ('${Object.keys(wanted).join("','")}')`,
    );
    expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual(wanted);
    const [slots] = await ask<{ setting: string }>(cluster, 'show max_replication_slots');
    expect(Number(Object.values(slots ?? {})[0])).toBeGreaterThanOrEqual(10);
  });

  it('keeps fsync on unless told otherwise', async () => {
    const cluster = new PostgresCluster({ dataDir, port: 0, log });
    started.push(cluster);
    await cluster.start();
    expect(await ask(cluster, 'show fsync')).toEqual([{ fsync: 'on' }]);
    expect(await ask(cluster, 'show synchronous_commit')).toEqual([{ synchronous_commit: 'on' }]);
  });

  it('asks for the password', async () => {
    const cluster = makeCluster();
    await cluster.start();
    // The password everybody knows is not the superuser's.
    for (const role of ['supabase_admin', 'nobody']) {
      const sql = postgres(`postgresql://${role}:postgres@127.0.0.1:${cluster.port}/postgres`, { max: 1 });
      await expect(sql`select 1`).rejects.toMatchObject({ code: '28P01' });
      await sql.end({ timeout: 1 });
    }
  });

  it('stops on request without calling that unexpected, and starts again with its data', async () => {
    const cluster = makeCluster();
    const unexpected: unknown[] = [];
    cluster.onUnexpectedExit((detail) => unexpected.push(detail));
    await cluster.start();
    await ask(cluster, 'create table kept (n integer)');
    await ask(cluster, 'insert into kept values (7)');
    const pid = await postmasterPid();
    await cluster.stop();
    expect(isAlive(pid)).toBe(false);
    await cluster.start();
    expect(await ask(cluster, 'select n from kept')).toEqual([{ n: 7 }]);
    expect(unexpected).toEqual([]);
  });

  it('tells of a killed server, and its data survives that', async () => {
    const cluster = makeCluster();
    const unexpected = new Promise((resolve) => cluster.onUnexpectedExit(resolve));
    await cluster.start();
    await ask(cluster, 'create table survived (n integer)');
    await ask(cluster, 'insert into survived select generate_series(1, 100)');
    const sleeper = ask(cluster, 'select pg_sleep(30)').catch((error: Error) => error);
    await waitFor('the sleeping session', async () => {
      const rows = await ask(cluster, "select from pg_stat_activity where query like 'select pg_sleep(30)%'");
      return rows.length > 0;
    });
    process.kill(await postmasterPid(), 'SIGKILL');
    expect(await unexpected).toEqual({ code: null, signal: 'SIGKILL' });
    await cluster.start();
    expect(await ask(cluster, 'select count(*)::integer as n from survived')).toEqual([{ n: 100 }]);
    expect(await sleeper).toBeInstanceOf(Error);
  });

  it('runs beside another one', async () => {
    const first = makeCluster();
    const second = makeCluster({ dataDir: path.join(folder.directory, 'second') });
    await Promise.all([first.start(), second.initialise().then(() => second.start())]);
    expect(first.port).not.toBe(second.port);
    await ask(second, 'create table only_here ()');
    expect(await ask(first, "select to_regclass('only_here') as found")).toEqual([{ found: null }]);
  });

  it('says who has its port', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
    try {
      const error = await makeCluster({ port })
        .start()
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(PortTakenError);
      expect(error).toMatchObject({ code: 'PORT_TAKEN', port });
      if (process.platform === 'linux') expect(error).toMatchObject({ pid: process.pid });
    } finally {
      server.close();
    }
  });

  it('starts though a living stranger has the number of a server that was killed', async () => {
    const first = makeCluster();
    await first.start();
    const left = await readFile(path.join(dataDir, 'postmaster.pid'), 'utf8');
    await first.stop();
    // Postgres minds only processes of its own account.
    const stranger = spawn('sleep', ['60'], await findSystemUser());
    try {
      await writeFile(path.join(dataDir, 'postmaster.pid'), left.replace(/^\d+/, String(stranger.pid)));
      const cluster = makeCluster();
      await cluster.start();
      expect(await ask(cluster, 'select 1 as n')).toEqual([{ n: 1 }]);
      expect(isAlive(Number(stranger.pid))).toBe(true);
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it.runIf(process.platform === 'linux')('counts a process as ended that nobody has reaped', async () => {
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [chunk] = (await once(parent.stdout, 'data')) as [Buffer];
      const zombie = Number(chunk);
      // A shell would reap it.
      const name = `/proc/${parent.pid}/comm`;
      await waitFor(
        'the parent to be a program that does not',
        async () => (await readFile(name, 'utf8')) === 'sleep\n',
      );
      process.kill(zombie, 'SIGKILL');
      await waitFor('it to end', async () => / Z /.test(await readFile(`/proc/${zombie}/stat`, 'utf8')));
      expect(isAlive(zombie)).toBe(false);
      expect(isAlive(Number(parent.pid))).toBe(true);
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('refuses a data folder that another stack is using', async () => {
    await makeCluster().start();
    const error = await makeCluster()
      .start()
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ClusterError);
    expect(error).toMatchObject({ code: 'DATA_DIR_IN_USE' });
  });
});

describe('a cluster in another process', () => {
  const children: ChildProcess[] = [];

  /** Starts the cluster in a Node.js process of its own; settles with the server's process id. */
  async function startElsewhere(afterwards: string): Promise<{ child: ChildProcess; pid: number }> {
    const source = new URL('../dist/postgres/cluster.js', import.meta.url).href;
    const script = `
      const { PostgresCluster } = await import(${JSON.stringify(source)});
      const { default: pino } = await import('pino');
      const cluster = new PostgresCluster({ dataDir: ${JSON.stringify(dataDir)}, port: 0, durable: false, log: pino({ level: 'silent' }) });
      await cluster.start();
      const { readFileSync } = await import('node:fs');
      console.log('started as', readFileSync(${JSON.stringify(path.join(dataDir, 'postmaster.pid'))}, 'utf8').split('\\n')[0], '.');
      ${afterwards}
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: path.dirname(new URL(import.meta.url).pathname),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    let said = '';
    const pid = await new Promise<number>((resolve, reject) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        said += chunk;
        const found = /started as (\d+) \./.exec(said)?.[1];
        if (found !== undefined) resolve(Number(found));
      });
      child.once('close', (code) => reject(new Error(`ended with ${code} before it had started`)));
    });
    return { child, pid };
  }

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  it('is taken over when that process was killed', async () => {
    const { child, pid } = await startElsewhere('setInterval(() => {}, 1000);');
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    expect(isAlive(pid)).toBe(true);
    const cluster = makeCluster();
    await cluster.start();
    expect(isAlive(pid)).toBe(false);
    expect(await ask(cluster, 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  it('ends with that process, also when nobody stopped it', async () => {
    const { child, pid } = await startElsewhere('process.exit(0);');
    if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
    await waitFor('the server to end', async () => !isAlive(pid));
  });
});
