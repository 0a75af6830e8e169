import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Result as CommandResult, runInServer } from '../../cli/test/support/command-server.js';
import { pathWithStark } from '../../cli/test/support/run.js';
import { root } from './stack.js';

export type { CommandResult };

const bin = join(root, 'cli', 'bin', 'stark.js');

/** Runs one `stark` command to its end, the way a shell does: no terminal, its own environment. */
export async function stark(
  args: string[],
  options: { env?: Record<string, string>; input?: string; cwd?: string; deadlineMs?: number } = {},
): Promise<CommandResult> {
  const child = startStark(args, options);
  const result: CommandResult = { code: null, stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    result.stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    result.stderr += chunk.toString();
  });
  child.stdin?.end(options.input ?? '');
  const deadline = setTimeout(() => child.kill('SIGKILL'), options.deadlineMs ?? 60_000);
  result.code = await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(deadline);
  return result;
}

/** The same in a process that many commands share, and much sooner: for a command that leaves nothing running. */
export function sharedStark(
  args: string[],
  { env, input = '', cwd = root }: { env?: Record<string, string>; input?: string | undefined; cwd?: string } = {},
): Promise<CommandResult> {
  return runInServer({ args, cwd, env: environment(env), input });
}

/** Starts a `stark` command that stays. */
export function startStark(args: string[], options: { env?: Record<string, string>; cwd?: string } = {}): ChildProcess {
  return spawn(process.execPath, [bin, ...args], {
    cwd: options.cwd ?? root,
    env: environment(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

function environment(own: Record<string, string> = {}): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: pathWithStark,
    NO_COLOR: '1',
    SUPABASE_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
    ...own,
  };
}
