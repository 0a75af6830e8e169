import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const program = fileURLToPath(new URL('command-server.mjs', import.meta.url));

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A process that runs command lines, one at a time. */
class CommandServer {
  busy = false;
  readonly #child = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });

  async run(args: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Result> {
    this.busy = true;
    try {
      const answer = new Promise<Result>((resolve, reject) => {
        this.#child.once('message', (result) => resolve(result as Result));
        this.#child.once('exit', (code) => reject(new Error(`stark ${args.join(' ')} ended its process with ${code}`)));
      });
      this.#child.send({ args, cwd, env });
      return await answer;
    } finally {
      this.#child.removeAllListeners();
      this.busy = false;
    }
  }

  stop(): void {
    this.#child.disconnect();
  }
}

const servers: CommandServer[] = [];

/** Runs a command line to its end in a process that serves the whole test file: loading the program is most of what a command costs. */
export async function runInServer(args: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Result> {
  let server = servers.find(({ busy }) => !busy);
  if (server === undefined) {
    server = new CommandServer();
    servers.push(server);
  }
  return server.run(args, cwd, env);
}

afterAll(() => {
  for (const made of servers.splice(0)) made.stop();
});
