import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../base/command.js';
import { asStarkError } from '../base/errors.js';
import { namespaceFlag } from '../base/flags.js';
import { interruptSignal } from '../base/interrupt.js';
import { toJson, writeData } from '../base/output.js';
import { reportError } from '../base/report.js';
import { changesIn } from '../base/watch-files.js';
import { followDeployments } from '../data/deployment-logs.js';
import { DevLoop, type Turn } from '../data/dev-loop.js';
import { devProject } from '../data/dev-project.js';
import { type LogLine, logText } from '../data/logs.js';

export default class Dev extends StarkCommand<typeof Dev> {
  static override summary =
    'Work on a pack: each change is bundled, registered and run, and its log followed, until Ctrl-C.';
  static override description =
    'A change becomes a version of its own (1.0.0-dev.<time>), which nobody gets who asks for the latest, and is rolled to the deployment <pack>-dev; settings of its pods are those of the deployment of the pack in stark.yaml. A change that cannot be bundled, or does not run, is told, and the one before goes on. In the end the deployment is deleted and the versions are withdrawn. JSON is one object for each change that runs.';
  static override examples = ['<%= config.bin %> dev', '<%= config.bin %> dev ./packs/web --namespace team-a'];
  static override args = {
    source: Args.string({ description: 'Folder or source file.', default: '.', ignoreStdin: true }),
  };
  static override flags = {
    ...namespaceFlag,
    pack: Flags.string({ summary: 'The pack, where the project has several.' }),
  };

  async run(): Promise<void> {
    const { namespace } = await this.settings();
    const project = await devProject(this.args.source, { namespace, pack: this.flags.pack });
    const connection = await this.connection();
    const loop = new DevLoop(connection, project, namespace);
    const { signal, dispose } = interruptSignal();
    const stopped = new AbortController();
    const until = AbortSignal.any([signal, stopped.signal]);
    let following: Promise<void> | undefined;
    let turns = 0;
    const work = async () => {
      try {
        const turn = await loop.turn(performance.now(), until);
        if (turn === undefined) return;
        turns++;
        await this.#tell(turn);
      } catch (error) {
        // What was given up is no mistake.
        if (until.aborted) return;
        // The first one has to be mended before there is anything to work on.
        if (turns === 0) throw error;
        await reportError(asStarkError(error), { format: undefined, command: 'dev' });
      }
    };
    // Whatever changes while the first one is made is not missed.
    const changes = changesIn(project.directory, until);
    const first = changes.next();
    try {
      await work();
      if (loop.deployment !== undefined) {
        following = followDeployments(connection, [loop.deployment], {
          ...{ selection: {}, signal: until },
          print: (lines) => this.#print(lines),
        }).catch(() => {});
      }
      for (let { done } = await first; !done; { done } = await changes.next()) await work();
    } finally {
      stopped.abort();
      await following;
      await loop.end();
      dispose();
    }
  }

  async #tell({ pack, version, deployment, pod, tookMs }: Turn): Promise<void> {
    const seconds = Math.round(tookMs / 100) / 10;
    const { name, node_name: node, ports } = pod;
    if ((await this.format()) === 'json') {
      await writeData(`${toJson({ pack, version, deployment, pod: name, node, ports, seconds })}\n`);
      return;
    }
    const open = Object.entries(ports).map(([port, number]) => `, ${port} on port ${number}`);
    this.say(`${pack}@${version} runs on ${node} after ${seconds}s${open.join('')}`);
  }

  async #print(lines: readonly LogLine[]): Promise<void> {
    if ((await this.format()) === 'json') return;
    await writeData(lines.map((line) => `${logText(line, { prefix: true, timestamps: false })}\n`).join(''));
  }
}
