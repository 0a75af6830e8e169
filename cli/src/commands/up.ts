import { existsSync, readdirSync } from 'node:fs';
import * as Flags from '@oclif/core/flags';
import type { StackStatus } from '@stark-o/local';
import { StarkCommand } from '../base/command.js';
import { asStarkError, interrupted } from '../base/errors.js';
import { yesFlag } from '../base/flags.js';
import { onInterrupt, outliveOutput } from '../base/interrupt.js';
import { Progress } from '../base/progress.js';
import { confirmTyped } from '../base/prompt.js';
import { say } from '../base/terminal.js';
import { Contexts } from '../config/contexts.js';
import { configDirectory } from '../config/directories.js';
import { makePrivateDirectory } from '../config/files.js';
import { KnownStacksFile } from '../config/known-stacks.js';
import { type StackObject, stackLines, stackObject } from '../stack/describe.js';
import { isInBackground, leaveForeground, startInBackground, tellForeground } from '../stack/detach.js';
import { dataDirToStart, findWorkdir, useLocalContext } from '../stack/place.js';
import { showSteps } from '../stack/steps.js';

export default class Up extends StarkCommand<typeof Up> {
  static override summary =
    'Start a cluster on this machine: Postgres, REST, Auth, Storage, Realtime and Edge Functions.';
  static override description =
    'Stays in the foreground until Ctrl-C, or goes to the background with --detach once everything is ready. The cluster becomes context local.';
  static override examples = [
    '<%= config.bin %> up --detach',
    '<%= config.bin %> up --data-dir /tmp/stark --port 0 --db-port 0 --plan free',
  ];
  static override flags = {
    detach: Flags.boolean({ char: 'd', summary: 'Go to the background when everything is ready.' }),
    'data-dir': Flags.string({ summary: 'Where data and keys are kept. Default: .stark in the project.' }),
    port: Flags.integer({ summary: 'HTTP port; 0 takes a free one. Default: config.toml’s.', min: 0, max: 65_535 }),
    'db-port': Flags.integer({
      summary: 'Postgres port; 0 takes a free one. Default: config.toml’s.',
      min: 0,
      max: 65_535,
    }),
    reset: Flags.boolean({ summary: 'Throw all data away first.' }),
    plan: Flags.option({
      options: ['self-hosted', 'free', 'pro', 'team'] as const,
      summary: 'Realtime limits to hold clients to.',
    })(),
    ...yesFlag,
  };

  async run(): Promise<void> {
    const workdir = await findWorkdir();
    const dataDir = await dataDirToStart(this.flags['data-dir'], workdir);
    // Where the context is written when all is ready: too late to learn that it cannot be.
    await makePrivateDirectory(configDirectory());
    if (this.flags.reset && existsSync(dataDir) && readdirSync(dataDir).length > 0) {
      await confirmTyped(`All data in ${dataDir} will be gone.`, 'reset', this.flags.yes);
    }
    if (this.flags.detach && !this.flags.reset) {
      const { readStackState } = await import('@stark-o/local/running-stack');
      const running = await readStackState(dataDir);
      if (running?.state === 'ready') return this.#alreadyUp(running);
    }
    const stack = this.flags.detach ? await this.#inBackground(dataDir) : await this.#here(workdir, dataDir);
    if (stack !== undefined) await this.#print(stack);
  }

  async #alreadyUp(running: StackStatus): Promise<void> {
    const contexts = await new Contexts(configDirectory()).list();
    const context = contexts.find(({ dataDir }) => dataDir === running.dataDir)?.name ?? null;
    say('it is up already');
    await this.#print(stackObject(running, context));
  }

  async #inBackground(dataDir: string): Promise<StackObject> {
    const { flags } = this;
    const progress = new Progress();
    const argv = ['up', '--data-dir', dataDir, '--yes', '--output', 'json'];
    for (const name of ['port', 'db-port', 'plan'] as const) {
      if (flags[name] !== undefined) argv.push(`--${name}`, String(flags[name]));
    }
    if (flags.reset) argv.push('--reset');
    if (flags.debug) argv.push('--debug');
    try {
      return await startInBackground(argv, dataDir, showSteps(progress));
    } finally {
      progress.clear();
    }
  }

  async #here(workdir: string, dataDir: string): Promise<undefined> {
    const { flags } = this;
    const local = await import('@stark-o/local');
    outliveOutput();
    const progress = new Progress();
    const show = showSteps(progress);
    const log = local.createLogger({ level: flags.debug ? 'debug' : 'warn' });
    let fail: (error: Error) => void = () => {};
    const interrupt = new AbortController();
    const ended = new Promise<void>((resolve, reject) => {
      fail = reject;
      onInterrupt(() => {
        interrupt.abort();
        progress.now('stopping');
        resolve();
      });
    });
    // It is awaited later, and a failure must not count as unhandled until then.
    ended.catch(() => {});
    try {
      const stack = await local.startStack({
        workdir,
        dataDir,
        ...(flags.port === undefined ? {} : { port: flags.port }),
        ...(flags['db-port'] === undefined ? {} : { dbPort: flags['db-port'] }),
        ...(flags.plan === undefined ? {} : { plan: flags.plan }),
        reset: flags.reset,
        signal: interrupt.signal,
        log,
        onStep: (event) => {
          show(event);
          tellForeground({ step: event });
        },
        onFailure: (error) => fail(error),
      });
      try {
        if (interrupt.signal.aborted) throw interrupted();
        const isRunning = async (other: string) => (await local.readStackState(other)) !== undefined;
        const place = { url: stack.url, key: stack.keys.publishable, dataDir: stack.dataDir };
        await new KnownStacksFile(configDirectory()).keep(stack.url, stack.identity);
        const object = stackObject(await stack.status(), await useLocalContext(place, isRunning));
        tellForeground({ ready: object });
        leaveForeground();
        // In the background the command that waits prints it; here it would put the keys into the log.
        if (!isInBackground()) {
          await this.#print(object);
          say('Ctrl-C stops the cluster; its data stays');
        }
        if (!flags.debug) log.level = 'info';
        // By Ctrl-C here, by stark down from elsewhere, or by a failure of its own.
        await Promise.race([ended, stack.stopped]);
      } finally {
        await stack.stop();
      }
      progress.done('stopped');
    } catch (error) {
      progress.clear();
      const failure = interrupt.signal.aborted ? interrupted() : asStarkError(error);
      tellForeground({ failed: failure.toEnvelope().error, exitCode: failure.exitCode });
      throw failure;
    }
  }

  async #print(stack: StackObject): Promise<void> {
    await this.printObject(stack, `stack/${stack.context}`, stackLines(stack, { secrets: false }), {
      stays: !this.flags.detach,
    });
    this.next('stark auth setup', 'stark node agent start', 'stark status');
  }
}
