import { type ChildProcess, spawn } from 'node:child_process';

/** Is told which processes stand still whenever that changes, and lets the last ones run once nobody can tell it any more. */
const PROGRAM = 'while read -r pids; do last=$pids; done; [ -z "$last" ] || kill -CONT $last';

/**
 * Processes that this one has stopped for a moment. If it is killed meanwhile it lets none of them run again, and what stands still
 * does not notice that its agent is gone; so a shell that outlives it does.
 */
export class StoppedProcesses {
  readonly #pids = new Set<number>();
  #shell: ChildProcess | undefined;

  get size(): number {
    return this.#pids.size;
  }

  /** Stops those that are still there. */
  stop(pids: readonly number[]): void {
    const added = pids.filter((pid) => !this.#pids.has(pid));
    if (added.length === 0) return;
    // Told first: between the two this process may be killed.
    this.#tell([...this.#pids, ...added]);
    for (const pid of added) if (signal(pid, 'SIGSTOP')) this.#pids.add(pid);
  }

  every(holds: (pid: number) => boolean): boolean {
    return [...this.#pids].every(holds);
  }

  /** Lets all of them run. */
  continue(): void {
    for (const pid of this.#pids) signal(pid, 'SIGCONT');
    this.#pids.clear();
    this.#tell([]);
  }

  #tell(pids: readonly number[]): void {
    this.#shell ??= this.#open();
    this.#shell.stdin?.write(`${pids.join(' ')}\n`);
  }

  #open(): ChildProcess {
    // In a group of its own, so that what is sent to that of the agent does not end it, too.
    const shell = spawn('/bin/sh', ['-c', PROGRAM], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: {} });
    const forget = () => {
      if (this.#shell === shell) this.#shell = undefined;
    };
    shell.once('error', forget).once('exit', forget);
    shell.stdin.on('error', forget);
    shell.unref();
    (shell.stdin as unknown as { unref(): void }).unref();
    return shell;
  }
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false; // It has ended.
  }
}
