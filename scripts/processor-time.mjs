// What a run of the tests costs, by the folders of its files, so that each new part shows its price. Linux only: elsewhere nothing
// is said. A test worker counts itself and the children it has waited for; what a test lets go (`stark up --detach`) has
// no such parent any more and is looked for from time to time.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = 100;
const pollEveryMs = 1000;

export class ProcessorTime {
  #costs;
  #timer;
  /** The last look at each process that was let go, by process id and start time. */
  #detached = new Map();

  /** `costs`: the file to which the workers write a line of JSON for each test file. */
  constructor(costs) {
    this.#costs = costs;
    if (process.platform === 'linux') this.#timer = setInterval(() => this.#look(), pollEveryMs);
  }

  /** Ends the watch; lines to print, the dearest folder first, or file where these are asked for. */
  report({ byFile = false } = {}) {
    clearInterval(this.#timer);
    if (!existsSync(this.#costs)) return [];
    const files = readFileSync(this.#costs, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    const detached = [...this.#detached.values()];
    const seconds = new Map();
    for (const { file, seconds: used } of [...files, ...detached]) {
      const name = byFile ? file : file.slice(0, file.lastIndexOf('/'));
      seconds.set(name, (seconds.get(name) ?? 0) + used);
    }
    const all = statOf('self').used + detached.reduce((sum, { seconds: used }) => sum + used, 0);
    const counted = [...seconds.values()].reduce((sum, used) => sum + used, 0);
    const rows = [...seconds, ['set-up, build and vitest itself', all - counted]].sort((a, b) => b[1] - a[1]);
    const line = (used, name) => `${used.toFixed(0).padStart(6)}  ${name}`;
    return [
      `Processor seconds by ${byFile ? 'file' : 'folder'}:`,
      ...rows.map(([name, used]) => line(used, name)),
      line(all, 'in all'),
    ];
  }

  #look() {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const stat = statOf(pid);
      if (stat === undefined || stat.parent > 1) continue;
      const file = fileOf(pid, this.#costs);
      if (file !== undefined) this.#detached.set(`${pid} ${stat.started}`, { file, seconds: stat.used });
    }
  }
}

/** The test file that started a process; undefined when it is none of this run. */
function fileOf(pid, costs) {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    if (!environment.includes(`STARK_TEST_COSTS=${costs}`)) return undefined;
    return environment.find((entry) => entry.startsWith('STARK_TEST_FILE='))?.slice('STARK_TEST_FILE='.length);
  } catch {
    return undefined;
  }
}

/** Parent, start time, and processor seconds with those of the children that were waited for. */
function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { parent: Number(fields[1]), started: fields[19], used: ticks / ticksPerSecond };
  } catch {
    return undefined;
  }
}
