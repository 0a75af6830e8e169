import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('command-server.mjs', import.meta.url));

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CommandLine {
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** What stands on its standard input. */
  input?: string;
}

/** A process that runs command lines, one at a time. */
class CommandServer {
  busy = false;
  readonly #child = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });

  async run(command: CommandLine): Promise<Result> {
    this.busy = true;
    try {
      const answer = new Promise<Result>((resolve, reject) => {
        this.#child.once('message', (result) => resolve(result as Result));
        this.#child.once('exit', (code) =>
          reject(new Error(`stark ${command.args.join(' ')} ended its process with ${code}`)),
        );
      });
      this.#child.send({ input: '', ...command });
      return await answer;
    } finally {
      this.#child.removeAllListeners();
      this.busy = false;
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}

const servers: CommandServer[] = [];

/** Runs a command line to its end in a process that serves the whole test file: loading the program is most of what a command costs. */
export async function runInServer(command: CommandLine): Promise<Result> {
  let server = servers.find(({ busy }) => !busy);
  if (server === undefined) {
    server = new CommandServer();
    servers.push(server);
  }
  return server.run(command);
}

/** Ends the processes; each test file does so when it is through (tests/harness/each-file.ts). */
export async function stopCommandServers(): Promise<void> {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
}
