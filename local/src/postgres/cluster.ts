import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, readFile, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { findPort, portTaken } from '../port.js';
import { findBinaries, type PostgresBinaries } from './binaries.js';
import { ClusterError } from './errors.js';
import { installExtensionFiles } from './extension-files.js';
import { isAlive, isPostmasterOf, parentOf, waitForEnd } from './processes.js';
import { ServerLog } from './server-log.js';
import { initdbOptions, serverSettings, superuserRules } from './settings.js';
import { findSystemUser, launchAs, makePrivateDirectory, refuseNameless, type SystemUser } from './system-user.js';

const run = promisify(execFile);

const START_DEADLINE_MS = 60_000;
const FAST_STOP_DEADLINE_MS = 15_000;
const IMMEDIATE_STOP_DEADLINE_MS = 10_000;

const SUPERUSER = 'supabase_admin';
/**
 * Two random passwords of each data folder: the superuser's, who can run programs as the server's account, and one that the
 * platform's other roles share. A client that reaches the port (any program of this machine, pods too) needs one of them.
 */
const SUPERUSER_PASSWORD_FILE = 'superuser.password';
const ROLE_PASSWORD_FILE = 'roles.password';
/** Read by the vault's SQL functions. */
const VAULT_KEY_FILE = 'vault.key';

export interface PostgresClusterOptions {
  /** Folder of the database files; made when missing. */
  readonly dataDir: string;
  /** TCP port on 127.0.0.1; 0 lets the system choose at the first start. */
  readonly port: number;
  /** False gives up safety on power loss for speed (tests). Default true. */
  readonly durable?: boolean;
  /** Another server than the one that npm brings. */
  readonly binaries?: PostgresBinaries;
  readonly log: Logger;
}

export interface ExitDetail {
  readonly code: number | null;
  readonly signal: string | null;
}

/** One Postgres server on one data folder, as a child of this process. */
export class PostgresCluster {
  readonly #options: PostgresClusterOptions;
  readonly #log: Logger;
  readonly #exitListeners: ((detail: ExitDetail) => void)[] = [];
  #port: number;
  #superuserPassword = '';
  #rolePassword = '';
  #child: ChildProcess | null = null;
  #stopping = false;
  readonly #onOwnExit = () => {
    // Synchronous last word: the server finishes its fast shutdown by itself.
    this.#child?.kill('SIGINT');
  };

  constructor(options: PostgresClusterOptions) {
    this.#options = options;
    this.#log = options.log.child({ service: 'postgres' });
    this.#port = options.port;
  }

  /** The port in use; the chosen one once started when 0 was asked for. */
  get port(): number {
    return this.#port;
  }

  /** The folder of the database files. */
  get dataDir(): string {
    return this.#options.dataDir;
  }

  /** Makes the database files when the folder has none, and installs the extension files. */
  async initialise(): Promise<{ created: boolean }> {
    const directory = this.#options.dataDir;
    const isMade = await exists(path.join(directory, 'PG_VERSION'));
    const user = await findSystemUser();
    if (!isMade) refuseNameless(user);
    const binaries = await this.#binaries();
    await installExtensionFiles(binaries.extensionDirectory);
    if (isMade) return { created: false };
    await makePrivateDirectory(directory, user);
    await this.#initdb(binaries, user, directory);
    return { created: true };
  }

  /** Starts the server and settles once it accepts connections. */
  async start(): Promise<void> {
    if (this.#child !== null) return;
    const binaries = await this.#binaries();
    const user = await findSystemUser();
    const directory = await realpath(this.#options.dataDir);
    await this.#recover(directory);
    this.#superuserPassword = await readFile(path.join(directory, SUPERUSER_PASSWORD_FILE), 'utf8');
    this.#rolePassword = await readFile(path.join(directory, ROLE_PASSWORD_FILE), 'utf8');
    const isOurChoice = this.#port === 0;
    this.#port = await findPort(this.#port);
    const deadline = Date.now() + START_DEADLINE_MS;
    for (;;) {
      const failure = await this.#spawn(binaries, user, directory, deadline);
      if (failure === null) break;
      if (/could not bind|Address already in use/i.test(failure)) {
        if (!isOurChoice || Date.now() > deadline) throw await portTaken(this.#port);
        // Another program was given the port between our look and the server's start.
        this.#port = await findPort(0);
        continue;
      }
      // Sessions of a server that was killed hold its memory for a moment longer than the server lived.
      if (/pre-existing shared memory block|is another postmaster/i.test(failure) && Date.now() < deadline) {
        await delay(100);
        continue;
      }
      throw new ClusterError('START_FAILED', `Postgres did not start in ${directory}:\n${failure}`);
    }
    this.#log.info({ port: this.#port }, 'Postgres is ready');
  }

  /** Stops the server: open transactions are rolled back, then its files are left clean. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null || child.pid === undefined) return;
    this.#stopping = true;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    if (process.platform === 'win32') {
      const { pgCtl } = await this.#binaries();
      await run(pgCtl, ['stop', '-D', this.#options.dataDir, '-m', 'fast', '-W']).catch(() => child.kill());
    } else {
      child.kill('SIGINT');
    }
    if (await settles(ended, FAST_STOP_DEADLINE_MS)) return;
    this.#log.warn('fast shutdown took too long, stopping at once; the next start replays the log');
    child.kill('SIGQUIT');
    if (await settles(ended, IMMEDIATE_STOP_DEADLINE_MS)) return;
    child.kill('SIGKILL');
    if (await settles(ended, IMMEDIATE_STOP_DEADLINE_MS)) return;
    throw new ClusterError('STOP_TIMED_OUT', `Postgres process ${child.pid} did not end`);
  }

  /** Calls back when the server ends without `stop` having been asked for. */
  onUnexpectedExit(listener: (detail: ExitDetail) => void): void {
    this.#exitListeners.push(listener);
  }

  /** Connection string of a role, for database `postgres` unless another is named. */
  url(role = 'postgres', database = 'postgres'): string {
    if (this.#port === 0) throw new ClusterError('NOT_RUNNING', 'the port is chosen when the cluster starts');
    const password = role === SUPERUSER ? this.#superuserPassword : this.#rolePassword;
    return `postgresql://${encodeURIComponent(role)}:${password}@127.0.0.1:${this.#port}/${encodeURIComponent(database)}`;
  }

  async #binaries(): Promise<PostgresBinaries> {
    return this.#options.binaries ?? findBinaries();
  }

  /**
   * Made beside its place and then moved there: initdb writes its first files long before its last, and a folder that was
   * half made when we were killed must not look like a whole one.
   */
  async #initdb(binaries: PostgresBinaries, user: SystemUser, directory: string): Promise<void> {
    const draft = `${directory}.init`;
    const passwordFile = `${draft}.password`;
    const password = randomBytes(24).toString('hex');
    await rm(draft, { recursive: true, force: true });
    await makePrivateDirectory(draft, user);
    try {
      await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
      if ('uid' in user) await chown(passwordFile, user.uid, user.gid);
      const durable = this.#options.durable ?? true;
      const options = initdbOptions({
        directory: path.resolve(draft),
        passwordFile: path.resolve(passwordFile),
        durable,
      });
      const launch = await launchAs(user, binaries.initdb, options, [binaries.initdb, path.resolve(draft)]);
      await run(launch.command, launch.args, { ...launch.user, env: serverEnvironment() });
      if (process.platform !== 'win32') {
        const rules = path.join(draft, 'pg_hba.conf');
        await writeFile(rules, superuserRules + (await readFile(rules, 'utf8')));
      }
      for (const [name, content] of [
        [VAULT_KEY_FILE, randomBytes(32).toString('hex')],
        [SUPERUSER_PASSWORD_FILE, password],
        [ROLE_PASSWORD_FILE, randomBytes(24).toString('hex')],
      ] as const) {
        const file = path.join(draft, name);
        await writeFile(file, content, { mode: 0o600 });
        if ('uid' in user) await chown(file, user.uid, user.gid);
      }
      await rmdir(directory);
      await rename(draft, directory);
    } catch (cause) {
      const { stderr, code } = cause as { stderr?: string; code?: unknown };
      const said = code === 'ENOTEMPTY' ? 'the folder holds something else than a database' : stderr?.trim();
      throw new ClusterError('INITDB_FAILED', `no database could be made in ${directory}: ${said || String(cause)}`, {
        cause,
      });
    } finally {
      await rm(passwordFile, { force: true });
      await rm(draft, { recursive: true, force: true });
    }
  }

  /** Stops a server that outlived the process that started it; refuses when that process is alive. */
  async #recover(directory: string): Promise<void> {
    const file = path.join(directory, 'postmaster.pid');
    const [first, ...rest] = (await readFile(file, 'utf8').catch(() => '')).split('\n');
    const pid = Number(first);
    if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return;
    if (!(await isPostmasterOf(pid, directory))) return disown(file, rest);
    const owner = Number(await readFile(ownerFile(directory), 'utf8').catch(() => ''));
    if (owner > 0 && (await parentOf(pid)) === owner) {
      throw new ClusterError(
        'DATA_DIR_IN_USE',
        `${directory} is in use: Postgres process ${pid}, started by process ${owner}`,
      );
    }
    this.#log.warn({ pid }, 'stopping a Postgres server that outlived its stack');
    process.kill(pid, 'SIGINT');
    if (await waitForEnd(pid, FAST_STOP_DEADLINE_MS)) return;
    process.kill(pid, 'SIGQUIT');
    if (await waitForEnd(pid, IMMEDIATE_STOP_DEADLINE_MS)) return;
    throw new ClusterError('STOP_TIMED_OUT', `the earlier Postgres process ${pid} of ${directory} does not end`);
  }

  /** Starts one server process; null when it is ready, else what it said before it ended. */
  async #spawn(
    binaries: PostgresBinaries,
    user: SystemUser,
    directory: string,
    deadline: number,
  ): Promise<string | null> {
    const output = new ServerLog(this.#log);
    const durable = this.#options.durable ?? true;
    const { settings } = binaries;
    const options = ['-D', directory, ...serverSettings({ directory, port: this.#port, durable, settings })];
    const launch = await launchAs(user, binaries.postgres, options, [binaries.postgres, directory]);
    const child = spawn(launch.command, launch.args, {
      ...launch.user,
      cwd: directory,
      env: serverEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
      // A group of its own: Ctrl-C in a terminal must reach us first, so that we stop things in order.
      detached: true,
    });
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => output.write(chunk));
    const ended = new Promise<ExitDetail>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.once('error', (error) => {
        output.write(`${error.message}\n`);
        resolve({ code: null, signal: null });
      });
    });
    const ready = output.seen('database system is ready to accept connections').then(() => 'ready' as const);
    const late = new AbortController();
    const outcome = await Promise.race([
      ready,
      ended,
      delay(Math.max(deadline - Date.now(), 1000), 'late' as const, { signal: late.signal }).catch(
        () => 'late' as const,
      ),
    ]);
    late.abort();
    if (outcome === 'late') {
      child.kill('SIGQUIT');
      return `not ready in time\n${output.recent()}`;
    }
    if (outcome !== 'ready') {
      // The stream may end after the process did.
      await new Promise<void>((resolve) =>
        child.stderr === null || child.stderr.readableEnded ? resolve() : child.stderr.once('close', () => resolve()),
      );
      return output.recent();
    }
    await writeFile(ownerFile(directory), String(process.pid));
    this.#child = child;
    this.#stopping = false;
    process.on('exit', this.#onOwnExit);
    ended.then((detail) => this.#ended(detail));
    return null;
  }

  #ended(detail: ExitDetail): void {
    process.off('exit', this.#onOwnExit);
    this.#child = null;
    if (this.#stopping) return;
    this.#log.error(detail, 'Postgres ended unexpectedly');
    for (const listener of this.#exitListeners) listener(detail);
  }
}

/**
 * Postgres refuses to start while the process that its file names is alive, a stranger too: in a container the numbers begin
 * anew, so there is one. It passes over its own parent's number, which is ours. The other lines stay, since by them it
 * notices sessions of the dead server that still use its memory.
 */
async function disown(file: string, rest: string[]): Promise<void> {
  const { uid, gid } = await stat(file);
  const draft = `${file}.draft`;
  await writeFile(draft, [process.pid, ...rest].join('\n'), { mode: 0o600 });
  // Root writes for the account of the server.
  if (process.getuid?.() === 0) await chown(draft, uid, gid);
  await rename(draft, file);
}

/** Written beside the server's own files: which process of ours is its parent. */
function ownerFile(directory: string): string {
  return path.join(directory, 'stack.pid');
}

const MB = 1024 * 1024;

/**
 * A session keeps memory that it has freed, up to these amounts, where glibc would give it back and fetch it again page by page with
 * each larger array. On a virtual machine a page fault is dear. Other C libraries know none of these names.
 */
const allocatorSettings = {
  // Larger arrays are mapped by themselves and go at once. glibc before 2.35 takes no higher threshold than this.
  MALLOC_MMAP_THRESHOLD_: String(32 * MB),
  MALLOC_TRIM_THRESHOLD_: String(64 * MB),
  MALLOC_TOP_PAD_: String(4 * MB),
};

/** The server inherits no settings of ours (PGDATA, PGPORT, LC_ALL …), so that it behaves the same everywhere. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, SystemRoot, TMPDIR, TEMP, TMP } = process.env;
  const env: NodeJS.ProcessEnv = { LC_ALL: 'C', TZ: 'UTC', ...allocatorSettings };
  for (const [name, value] of Object.entries({ PATH, SystemRoot, TMPDIR, TEMP, TMP })) {
    if (value !== undefined) env[name] = value;
  }
  return env;
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function settles(promise: Promise<unknown>, deadlineMs: number): Promise<boolean> {
  const late = new AbortController();
  const timer = delay(deadlineMs, false, { signal: late.signal }).catch(() => false);
  const outcome = await Promise.race([promise.then(() => true), timer]);
  late.abort();
  return outcome;
}
