import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** So many agents in a process of their own, signed in as one user. */
export class Fleet {
  #child;
  #count;

  static async start({ url, key, token, count }) {
    const fleet = new Fleet();
    fleet.#count = count;
    fleet.#child = fork(join(import.meta.dirname, 'fleet-process.mjs'), [JSON.stringify({ url, key, token, count })], {
      execArgv: ['--expose-gc'],
    });
    await fleet.#answer();
    return fleet;
  }

  /** What was sent and received so far, by kind, and over HTTP, and the memory of one agent. */
  async read() {
    this.#child.send('read');
    const { counts, http, rssMb } = await this.#answer();
    return { counts, http, agentMb: rssMb / this.#count };
  }

  async stop() {
    const ended = once(this.#child, 'exit');
    this.#child.send('stop');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 60_000);
    await ended;
    clearTimeout(late);
  }

  async #answer() {
    const [message] = await Promise.race([
      once(this.#child, 'message'),
      once(this.#child, 'exit').then(([code]) => {
        throw new Error(`The agents ended with ${code}`);
      }),
    ]);
    return message;
  }
}
