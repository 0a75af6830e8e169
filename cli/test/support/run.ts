import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { writePrivateJson } from '../../src/config/files.js';
import { SessionFile } from '../../src/session/sessions.js';
import { type Result, runInServer } from './command-server.js';
import type { FakeCluster } from './fake-cluster.js';

export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));
const bin = join(packageRoot, 'bin', 'stark.js');

/** A machine on which the command is installed: what commands say to type begins with its name. */
export const pathWithStark = [join(packageRoot, 'test', 'bin'), process.env.PATH].join(delimiter);

export interface RunOptions {
  env?: Record<string, string>;
  input?: string;
  cwd?: string;
}

/** A folder that is gone when the test file is through. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'stark-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A person's machine: a home and a configuration of its own, so that nothing of the real one is seen. */
export class Machine {
  readonly home = temporaryFolder();
  readonly config = join(this.home, 'config');

  /** Runs a command to its end; in a process of its own when that can make a difference, with another environment. */
  async run(args: string[], options: RunOptions = {}): Promise<Result> {
    const { env, cwd = this.home, input = '' } = options;
    if (env === undefined) return runInServer({ args, cwd, env: this.environment(), input });
    const child = this.start(args, options);
    child.stdin?.end(input);
    return ended(child);
  }

  start(args: string[], options: RunOptions = {}): ChildProcess {
    return spawn(process.execPath, [bin, ...args], {
      cwd: options.cwd ?? this.home,
      env: { ...this.environment(), ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  /** What a process of this machine finds in its environment. */
  environment(): NodeJS.ProcessEnv {
    const inherited = Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => !/^(STARK_|NO_COLOR|FORCE_COLOR|CI$|VITEST|NODE_ENV|XDG_)/.test(name),
      ),
    );
    return { ...inherited, PATH: pathWithStark, HOME: this.home, STARK_CONFIG_DIR: this.config };
  }

  /** Makes a cluster the one in force, and signs in without typing. */
  async signIn(cluster: FakeCluster, options: { seconds?: number } = {}): Promise<SessionFile> {
    await this.use(cluster);
    const session = cluster.session(options.seconds);
    const file = new SessionFile(this.config, 'fake', cluster.url);
    await file.write({
      accessToken: String(session.access_token),
      refreshToken: String(session.refresh_token),
      expiresAt: Number(session.expires_at),
      userId: cluster.userId,
      email: cluster.email,
    });
    return file;
  }

  async use(cluster: FakeCluster): Promise<void> {
    await writePrivateJson(join(this.config, 'contexts', 'fake.json'), { url: cluster.url, key: cluster.key });
    await writePrivateJson(join(this.config, 'config.json'), { currentContext: 'fake' });
  }
}

/** Waits for the end of a command and gives what it printed. */
export async function ended(child: ChildProcess): Promise<Result> {
  const result: Result = { code: null, stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    result.stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    result.stderr += chunk.toString();
  });
  const deadline = setTimeout(() => child.kill('SIGKILL'), 25_000);
  result.code = await new Promise((done) => child.once('close', done));
  clearTimeout(deadline);
  return result;
}
