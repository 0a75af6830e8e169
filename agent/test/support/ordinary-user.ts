import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findProgram } from '../../src/node/walls/system.js';

/** Has no name and no home, and nothing else on the machine is its. */
const USER = 47_110 + (process.pid % 10_000);
const isRoot = process.getuid?.() === 0;
const PROGRAM = fileURLToPath(new URL('./pods-of-a-user.mjs', import.meta.url));

export interface PackRun {
  name: string;
  path: string;
  spec?: Record<string, unknown>;
}

export interface PackResult {
  name: string;
  exitCode: number;
  reason: string;
  message?: string;
  printed: string[];
  /** Why the pod's folder could not be removed. */
  left?: string;
}

/** What an agent of that user came to. */
export interface AgentResult {
  tier: string;
  by: string[];
  results: PackResult[];
  /** The status of its process before the pods and after them. */
  before: string[];
  after: string[];
  stderr: string;
  /** What the program printed that ran without the walls of Node.js. */
  printed: string[];
}

interface RunOptions {
  packs?: readonly PackRun[];
  isolation: string;
  env?: NodeJS.ProcessEnv;
  /** A program that runs behind the wall without those of Node.js, and machine code for it. */
  raw?: { program: string; addon?: string | undefined } & Record<string, unknown>;
}

/** A home of somebody's, with all that a pod must not touch, and an agent that runs there as that user. */
export class OrdinaryUser {
  readonly home: string;
  readonly temporary: string;
  readonly neighbour: string;
  readonly dataDir: string;
  readonly socket: string;
  readonly #root: string;
  readonly #server: Server;
  heard = 0;

  private constructor() {
    this.#root = realpathSync(mkdtempSync(join(tmpdir(), 'stark-user-')));
    [this.home, this.temporary, this.dataDir] = ['home', 'tmp', 'agent'].map((name) => join(this.#root, name)) as [
      string,
      string,
      string,
    ];
    this.neighbour = join(this.dataDir, 'pods', 'neighbour', 'data');
    this.socket = join(this.home, 's');
    for (const folder of [this.home, this.temporary, this.neighbour]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const name of ['.profile', 'kept']) writeFileSync(join(folder, name), `${folder} ${name}\n`);
    }
    writeFileSync(join(this.dataDir, 'session.json'), 'the session');
    this.#server = createServer((socket) => {
      this.heard += 1;
      socket.on('error', () => {}).end('the secret key');
    });
  }

  static async open(): Promise<OrdinaryUser> {
    const user = new OrdinaryUser();
    await new Promise<void>((resolve) => user.#server.listen(user.socket, resolve));
    if (isRoot) {
      chmodSync(user.#root, 0o755);
      giveAway(user.#root);
    }
    return user;
  }

  /** What tells whether anything was touched: names, modes, times and contents. */
  fingerprint(): Record<string, string> {
    return Object.fromEntries(
      [this.home, this.temporary, this.neighbour].map((folder) => [folder, fingerprintOf(folder)]),
    );
  }

  /** Runs packs in turn by an agent that is this user. */
  async run({ packs = [], isolation, env = {}, raw }: RunOptions): Promise<AgentResult> {
    const shared = {
      HOME_OF_AGENT: this.home,
      TMPDIR_OF_AGENT: this.temporary,
      NEIGHBOUR: this.neighbour,
      SOCKET_OF_AGENT: this.socket,
    };
    const task = {
      dataDir: this.dataDir,
      isolation,
      raw,
      packs: packs.map(({ spec, ...pack }) => ({ ...pack, spec: { ...spec, env: shared } })),
    };
    const line = [...asUser(), process.execPath, PROGRAM, JSON.stringify(task)];
    const [command = '', ...args] = line;
    const { stdout, stderr } = await promisify(execFile)(command, args, {
      cwd: this.home,
      env: { PATH: process.env.PATH, HOME: this.home, TMPDIR: this.temporary, ...env },
      maxBuffer: 16 * 1024 * 1024,
    });
    return { ...JSON.parse(stdout), stderr };
  }

  /** What this user still runs. What has ended and waits for the system to notice is not meant: a container may have nobody who does. */
  processes(): string[] {
    if (!isRoot) return [];
    const { stdout } = spawnSync('ps', ['-o', 'pid=,args=', '-u', String(USER)], { encoding: 'utf8' });
    return stdout.split('\n').filter((line) => line.trim() !== '' && !line.includes('<defunct>'));
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#root, { recursive: true, force: true });
  }
}

function asUser(): string[] {
  return isRoot
    ? [findProgram('setpriv') ?? 'setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--']
    : [];
}

function giveAway(folder: string): void {
  execFileSync('chown', ['-R', `${USER}:${USER}`, folder]);
  chownSync(folder, USER, USER);
}

function fingerprintOf(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) {
    const { mode, mtimeMs, ctimeMs, size, nlink } = statSync(join(folder, name));
    hash.update(JSON.stringify([name, mode, mtimeMs, ctimeMs, size, nlink]));
    if (statSync(join(folder, name)).isFile()) hash.update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex');
}
