// What a run of the tests costs, by the folders of its files, so that each new part shows its price. Linux only: elsewhere nothing
// is said. A test worker counts itself and the children it has waited for; what a test lets go (`stark up --detach`) has
// no such parent any more and is looked for from time to time.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = 100;
const pollEveryMs = 1000;
const shownFiles = 40;

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

  /** Ends the watch; lines to print: every folder, and the files that cost most, the dearest first. */
  report() {
    clearInterval(this.#timer);
    if (!existsSync(this.#costs)) return [];
    const files = readFileSync(this.#costs, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    const detached = [...this.#detached.values()];
    const tables = [new Map(), new Map()];
    for (const { file, seconds } of [...files, ...detached]) {
      for (const [table, name] of [
        [tables[0], file.slice(0, file.lastIndexOf('/'))],
        [tables[1], file],
      ])
        table.set(name, (table.get(name) ?? 0) + seconds);
    }
    const [byFolder, byFile] = tables.map((table) => [...table].sort((a, b) => b[1] - a[1]));
    const all = statOf('self').used + detached.reduce((sum, { seconds }) => sum + seconds, 0);
    const counted = byFolder.reduce((sum, [, seconds]) => sum + seconds, 0);
    const line = ([name, seconds]) => `${seconds.toFixed(0).padStart(6)}  ${name}`;
    return [
      'Processor seconds by folder:',
      ...byFolder.map(line),
      line(['set-up, build and vitest itself', all - counted]),
      line(['in all', all]),
      'The dearest files:',
      ...byFile.slice(0, shownFiles).map(line),
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
