import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const START_DEADLINE_MS = 30_000;

/** One Edge Function in a Deno process of its own, with nothing fetched from the network. */
export interface RunningFunction {
  url: string;
  stop(): Promise<void>;
}

/** Starts `supabase/functions/<name>` on a free port with the given environment. */
export async function startFunction(name: string, env: Record<string, string>): Promise<RunningFunction> {
  const denoDir = await mkdtemp(join(tmpdir(), 'stark-deno-'));
  const script = join(root, 'supabase/functions', name, 'index.ts');
  const child = spawn(
    join(root, 'node_modules/.bin/deno'),
    ['run', '--cached-only', '--no-prompt', '--allow-net', '--allow-env', '--allow-read', script],
    {
      cwd: root,
      env: { PATH: process.env.PATH, DENO_DIR: denoDir, DENO_SERVE_ADDRESS: 'tcp:127.0.0.1:0', NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
    }
    await rm(denoDir, { recursive: true, force: true });
  };
  try {
    return { url: await listening(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const fail = (why: string) => reject(new Error(`the function did not start to listen: ${why}\n${output}`));
    const deadline = setTimeout(() => fail(`nothing after ${START_DEADLINE_MS} ms`), START_DEADLINE_MS);
    child.once('exit', (code) => {
      clearTimeout(deadline);
      fail(`it exited with ${code}`);
    });
    const read = (chunk: Buffer) => {
      output += chunk;
      const url = /Listening on (http:\/\/[^/\s]+)/.exec(output)?.[1];
      if (!url) return;
      clearTimeout(deadline);
      resolve(url);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
  });
}
