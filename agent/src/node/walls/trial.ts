import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { capture } from '../../pod/node/capture.js';
import { CHANNEL_FD, Channel } from '../../pod/node/channel.js';
import { isTrialReport, type TrialReport, type TrialTask } from '../../pod/node/trial-protocol.js';
import type { Launched, Launcher } from '../launcher.js';
import { residentMb, sumOf } from '../process-use.js';
import { removeFolder } from '../remove-folder.js';
import type { WallFiles } from './wall-files.js';

const LONGEST_MS = 10_000;
/** Which process it is may be heard after what it says. */
const LONGEST_UNMEASURED_MS = 2_000;
const PROGRAM = 'trial.js';
const LIMITS = { memoryMb: 64, storageMb: 64 };
const PACE = { bytesPerWindow: 64 * 1024 };

// Signals tell nobody apart: of two trials in one process the second waits.
let earlier: Promise<unknown> = Promise.resolve();

/** Lets the trial run behind a wall; what did not hold, or undefined. Notes what Node.js takes of memory when it starts. */
export function tryWall(launcher: Launcher, place: { folder: string; files: WallFiles }): Promise<string | undefined> {
  const mine = earlier.then(() => new Trial(launcher).run(place));
  earlier = mine.catch(() => {});
  return mine.catch((error: unknown) => String(error));
}

interface Outcome {
  report: TrialReport | undefined;
  memoryMb: number;
  complaint: string;
}

class Trial {
  #signalled = false;
  #reached = 0;

  constructor(private readonly launcher: Launcher) {}

  async run({ folder, files }: { folder: string; files: WallFiles }): Promise<string | undefined> {
    // Somewhere else than the pod's folder, so that neither is below the other; a socket file's path must be short, too.
    const outside = await mkdtemp(join(tmpdir(), 'stark-trial-'));
    const inside = join(folder, 'wall', `trial-${randomUUID()}`);
    const heard = () => {
      this.#signalled = true;
    };
    process.on('SIGUSR2', heard);
    const servers: Server[] = [];
    try {
      const secret = randomUUID();
      const task: TrialTask = {
        bundle: join(folder, 'wall', 'bundle'),
        canary: join(folder, 'wall', 'canary'),
        beside: join(folder, 'wall', 'escaped'),
        agent: process.pid,
        sockets: [join(outside, 's'), `\0${secret}`],
      };
      await mkdir(inside, { recursive: true, mode: 0o700 });
      await writeFile(task.canary, secret, { mode: 0o644 });
      await writeFile(task.bundle, 'x', { mode: 0o600 });
      for (const path of task.sockets) servers.push(await this.#serve(path));
      const { report, memoryMb, complaint } = await this.#launch(inside, task);
      if (report === undefined) return complaint || 'it does not start here';
      files.baseMb = report.dataMb;
      return this.#problem(report, secret, {
        memoryMb,
        escaped: existsSync(task.beside) || (await readFile(task.canary, 'utf8')) !== secret,
      });
    } finally {
      process.off('SIGUSR2', heard);
      for (const server of servers) server.close();
      for (const left of [inside, outside]) await removeFolder(left).catch(() => {});
    }
  }

  #serve(path: string): Promise<Server> {
    const server = createServer((socket) => {
      this.#reached += 1;
      socket.on('error', () => {}).end();
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject).listen(path, () => resolve(server));
    });
  }

  /** The report, how much memory was seen from outside while it ran, and the first line that it printed on standard error. */
  async #launch(folder: string, task: TrialTask): Promise<Outcome> {
    const launched = this.launcher.spawnTrial(PROGRAM, task, { folder, limits: LIMITS, bundle: task.bundle });
    const { child } = launched;
    const gone = new Promise<void>((resolve) => child.once('error', () => resolve()).once('close', () => resolve()));
    child.stdout?.resume();
    let complaint = '';
    if (child.stderr !== null) capture(child.stderr, PACE, (line) => (complaint ||= line));
    const timer = setTimeout(() => launched.kill(), LONGEST_MS);
    try {
      const report = await Promise.race([reportOf(launched), gone.then(() => undefined)]);
      return { report, memoryMb: report === undefined ? 0 : await measured(launched), complaint };
    } finally {
      launched.kill();
      if (child.pid !== undefined) await gone;
      clearTimeout(timer);
    }
  }

  #problem(report: TrialReport, secret: string, seen: { memoryMb: number; escaped: boolean }): string | undefined {
    const environment = createHash('sha256').update(ownEnvironment()).digest('hex');
    const holes: [boolean, string][] = [
      [report.problems.length > 0, `it cannot work: ${report.problems.join(', ')}`],
      [report.canary === secret, 'it reads files'],
      [seen.escaped, 'it writes files'],
      [this.#signalled, 'it signals the agent'],
      [report.environment === environment, "it reads the agent's environment"],
      [this.#reached > 0, 'it reaches socket files'],
      [!report.filtered, 'its system calls are not filtered'],
      [seen.memoryMb < 1, 'its memory cannot be measured'],
    ];
    return holes.find(([open]) => open)?.[1];
  }
}

/** What it takes of memory in MB, as soon as that can be told. */
async function measured(launched: Launched): Promise<number> {
  for (const end = performance.now() + LONGEST_UNMEASURED_MS; ; await sleep(20)) {
    const memoryMb = sumOf(launched.processes(), residentMb) ?? 0;
    if (memoryMb > 0 || performance.now() > end) return memoryMb;
  }
}

function reportOf({ child }: Launched): Promise<TrialReport> {
  return new Promise((resolve) => {
    new Channel<never>(
      child.stdio[CHANNEL_FD] as Duplex,
      PACE,
      (message) => isTrialReport(message) && resolve(message),
      () => {},
    );
  });
}

/** As the system shows it to others. */
function ownEnvironment(): Buffer {
  return readFileSync('/proc/self/environ');
}
