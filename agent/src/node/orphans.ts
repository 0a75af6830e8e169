import { rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startOf } from './process-use.js';

const FILE = 'process.json';

/**
 * Remembers on disk which processes were started, so that an agent that was killed can end what outlived it. Usually
 * nothing does; a pod that spins does not notice that its agent is gone.
 */
export class OrphanRecords {
  constructor(private readonly podsDir: string) {}

  record(podId: string, pid: number): void {
    writeFileSync(join(this.podsDir, podId, FILE), JSON.stringify({ pid, started: startOf(pid) }));
  }

  remove(podId: string): void {
    rmSync(join(this.podsDir, podId, FILE), { force: true });
  }

  /** Ends every recorded process that is still the one that was recorded; gives their number. */
  async endAll(): Promise<number> {
    let ended = 0;
    for (const podId of await readdir(this.podsDir)) {
      if (await this.#end(podId)) ended += 1;
    }
    return ended;
  }

  async #end(podId: string): Promise<boolean> {
    try {
      const text = await readFile(join(this.podsDir, podId, FILE), 'utf8');
      const { pid, started } = JSON.parse(text) as { pid: number; started: string | undefined };
      this.remove(podId);
      // Numbers of processes are used again; without a start time to compare, nobody is killed on suspicion.
      if (started === undefined || startOf(pid) !== started) return false;
      process.kill(-pid, 'SIGKILL');
      return true;
    } catch {
      return false; // No record, a torn one, or a process that is gone: nothing to end.
    }
  }
}
