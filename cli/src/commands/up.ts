import { existsSync, readdirSync } from 'node:fs';
import { isIP } from 'node:net';
import * as Flags from '@oclif/core/flags';
import { StarkError, usageError } from '@stark-o/core/errors';
import type { StackStatus } from '@stark-o/local';
import { StarkCommand } from '../base/command.js';
import { asStarkError, interrupted } from '../base/errors.js';
import { yesFlag } from '../base/flags.js';
import { onInterrupt, outliveOutput } from '../base/interrupt.js';
import { Progress } from '../base/progress.js';
import { confirmTyped } from '../base/prompt.js';
import { say, warn } from '../base/terminal.js';
import { Contexts } from '../config/contexts.js';
import { configDirectory } from '../config/directories.js';
import { makePrivateDirectory } from '../config/files.js';
import { KnownStacksFile } from '../config/known-stacks.js';
import { type StackObject, stackLines, stackObject } from '../stack/describe.js';
import {
  isInBackground,
  leaveForeground,
  type StartedInBackground,
  startInBackground,
  tellForeground,
} from '../stack/detach.js';
import { addLocalContext, dataDirToStart, findWorkdir } from '../stack/place.js';
import { showSteps } from '../stack/steps.js';

export default class Up extends StarkCommand<typeof Up> {
  static override summary =
    'Start a cluster on this machine: Postgres, REST, Auth, Storage, Realtime and Edge Functions.';
  static override description =
    'Stays in the foreground until Ctrl-C, or goes to the background with --detach once everything is ready. The cluster becomes context local, and the one in force unless another one leads elsewhere. With --context it is the cluster of that context that is started.';
  static override examples = [
    '<%= config.bin %> up --detach',
    '<%= config.bin %> up --data-dir /tmp/stark --port 0 --db-port 0 --plan free',
  ];
  static override flags = {
    detach: Flags.boolean({ char: 'd', summary: 'Go to the background when everything is ready.' }),
    'data-dir': Flags.string({ summary: 'Where data and keys are kept. Default: .stark in the project.' }),
    port: Flags.integer({ summary: 'HTTP port; 0 takes a free one. Default: config.toml’s.', min: 0, max: 65_535 }),
    host: Flags.string({
      summary:
        'Address that the HTTP port listens on, 0.0.0.0 for all: other machines reach it then. Default: 127.0.0.1.',
      helpValue: '<address>',
      parse: async (text) => {
        if (isIP(text) === 0) throw usageError(`"${text}" is no IP address`, 'e.g. --host 0.0.0.0');
        return text;
      },
    }),
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
    const dataDir = await dataDirToStart(this.flags, workdir);
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
    if (!this.flags.detach) return this.#here(workdir, dataDir).catch(namingCluster);
    const { stack, current } = await this.#inBackground(dataDir).catch(namingCluster);
    await this.#print(stack, current);
  }

  async #alreadyUp(running: StackStatus): Promise<void> {
    const contexts = new Contexts(configDirectory());
    const context = (await contexts.list()).find(({ dataDir }) => dataDir === running.dataDir)?.name ?? null;
    const { host } = this.flags;
    const elsewhere = host !== undefined && host !== running.host;
    this.say(`it is up already${elsewhere ? `, on ${running.host}; --host counts after stark down` : ''}`);
    await this.#print(stackObject(running, context), await contexts.current());
  }

  async #inBackground(dataDir: string): Promise<StartedInBackground> {
    const { flags } = this;
    const progress = new Progress();
    const argv = ['up', '--data-dir', dataDir, '--yes', '--output', 'json'];
    for (const name of ['port', 'host', 'db-port', 'plan'] as const) {
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

  async #here(workdir: string, dataDir: string): Promise<void> {
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
        host: flags.host,
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
        const context = await addLocalContext(place, isRunning);
        const object = stackObject(await stack.status(), context.name);
        tellForeground({ ready: object, current: context.current });
        leaveForeground();
        // In the background the command that waits prints it; here it would put the keys into the log.
        if (!isInBackground()) {
          await this.#print(object, context.current);
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

  async #print(stack: StackObject, current: string | undefined): Promise<void> {
    await this.printObject(stack, `stack/${stack.context}`, stackLines(stack, { secrets: false }), {
      stays: !this.flags.detach,
    });
    if (stack.reachable_at.length > 0) {
      warn(
        `other machines reach it at ${stack.reachable_at.join(', ')}, by plain HTTP: what is sent there, passwords and tokens too, can be read on the way. Use it in a network that you trust, or put TLS in front.`,
      );
    }
    if (stack.context !== null && current !== undefined && current !== stack.context) {
      this.say(`commands still go to context ${current}; to this cluster by: stark context use ${stack.context}`);
      return;
    }
    this.next('stark auth setup', 'stark node agent start', 'stark status');
  }
}

/** A port that is taken, by one of our own clusters: nobody should stop that program because it is in the way. */
async function namingCluster(error: unknown): Promise<never> {
  const port = error instanceof StarkError && error.code === 'PORT_TAKEN' ? /\d+/.exec(error.message)?.[0] : undefined;
  if (port === undefined) throw error;
  const { readStackState } = await import('@stark-o/local/running-stack');
  for (const { name, dataDir } of await new Contexts(configDirectory()).list()) {
    const state = dataDir === undefined ? undefined : await readStackState(dataDir);
    if (state === undefined || ![state.url, state.dbUrl].some((url) => url !== '' && new URL(url).port === port))
      continue;
    throw new StarkError(`port ${port} is that of the cluster of context ${name}, which is running`, {
      code: 'PORT_TAKEN',
      hint: `stark status --context ${name} shows it; stark up --port 0 --db-port 0 starts another one beside it`,
      cause: error,
    });
  }
  throw error;
}
