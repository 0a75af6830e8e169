import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const VERSION = '7.0.4';
const SCRIPT = join(import.meta.dirname, 'script.mjs');

/** PM2, installed into a folder of the benchmark's own, with a daemon of its own. */
export class Pm2 {
  #pm2;
  #bus;
  #folder;

  static async install(folder) {
    await mkdir(folder, { recursive: true });
    await run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--omit=optional', `pm2@${VERSION}`]);
    process.env.PM2_HOME = join(folder, 'home');
    const self = new Pm2();
    self.#folder = folder;
    self.#pm2 = createRequire(join(folder, 'x.js'))('pm2');
    await self.#call('connect');
    self.#bus = await self.#call('launchBus');
    return self;
  }

  /** Milliseconds from the call to "online", which PM2 says when the script said that it is ready, for each of so many. */
  async start(count) {
    const times = [];
    const all = new Promise((resolve) => {
      this.#bus.on('process:event', ({ event }) => {
        if (event !== 'online') return;
        times.push(performance.now() - started);
        if (times.length === count) resolve();
      });
    });
    const started = performance.now();
    await this.#call('start', {
      name: 'bench',
      script: SCRIPT,
      instances: count,
      exec_mode: 'fork',
      wait_ready: true,
      autorestart: false,
    });
    await all;
    this.#bus.off('process:event');
    await this.#call('delete', 'bench');
    return times;
  }

  async stop() {
    await this.#call('disconnect');
    // In this process PM2 would leave a timer behind.
    await run(process.execPath, [join(this.#folder, 'node_modules/pm2/bin/pm2'), 'kill']);
  }

  #call(method, ...args) {
    return new Promise((resolve, reject) => {
      this.#pm2[method](...args, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  }
}
