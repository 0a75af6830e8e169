import { hostname } from 'node:os';
import * as Flags from '@oclif/core/flags';
import { parseCpu, parseLabels, parseMemory, parseTaint } from '@stark-o/core/model';
import { StarkCommand } from '../../../base/command.js';
import { passwordFlags, placeFlags, repeated } from '../../../base/flags.js';
import { onInterrupt } from '../../../base/interrupt.js';
import { passwordFrom } from '../../../base/prompt.js';
import { say } from '../../../base/terminal.js';
import type { Connection } from '../../../session/connection.js';

export default class NodeAgentStart extends StarkCommand<typeof NodeAgentStart> {
  static override summary = 'Make this machine a node, until Ctrl-C.';
  static override description =
    'Signs in with --token, with --email and a password, or with the session of stark auth login. Ctrl-C stops the pods, reports their end and says goodbye.';
  static override examples = [
    '<%= config.bin %> node agent start --name node-1 --label tier=backend --cpu 2000 --memory 4096 --pods 20',
    '<%= config.bin %> node agent start --name gpu-1 --taint dedicated=gpu:NoSchedule --email agent@example.com --password-file agent.password',
  ];
  static override flags = {
    ...placeFlags,
    name: Flags.string({
      char: 'n',
      summary: 'Name of the node. Default: that of this machine.',
      env: 'STARK_NODE_NAME',
    }),
    token: Flags.string({
      char: 't',
      summary: 'Access token to work with.',
      env: 'STARK_AUTH_TOKEN',
      exclusive: ['email'],
    }),
    email: Flags.string({ char: 'e', summary: 'Account to sign in with.', env: 'STARK_EMAIL' }),
    ...passwordFlags,
    label: repeated({ char: 'l', summary: 'Label of the node; may be repeated.', helpValue: '<key=value>' }),
    taint: repeated({ summary: 'Taint of the node; may be repeated.', helpValue: '<key=value:Effect>' }),
    cpu: Flags.string({ summary: 'CPU that pods may have: millicores, or 0.5, 2.', default: '1000' }),
    memory: Flags.string({ summary: 'Memory that pods may have: MB, or 512Mi, 4Gi.', default: '1024' }),
    pods: Flags.integer({ summary: 'How many pods at once.', default: 10, min: 0, max: 10_000 }),
    'data-dir': Flags.string({ summary: 'Folder of bundles, pod data and unsent reports.', env: 'STARK_AGENT_DIR' }),
  };

  async run(): Promise<void> {
    const { flags } = this;
    const node = {
      name: flags.name ?? hostname().toLowerCase(),
      labels: parseLabels(flags.label ?? []),
      taints: (flags.taint ?? []).map(parseTaint),
      allocatable: { cpu: parseCpu(flags.cpu), memory: parseMemory(flags.memory), pods: flags.pods },
    };
    const connection = await this.connection();
    const credentials = await this.#credentials(connection);
    const { startNodeAgent, createAgentLog } = await import('@stark-o/agent/node');
    const agent = await startNodeAgent({
      ...node,
      supabaseUrl: connection.url,
      key: connection.key,
      credentials,
      ...(flags['data-dir'] === undefined ? {} : { dataDir: flags['data-dir'] }),
      log: createAgentLog(this.debugging ? 'debug' : undefined),
    });
    const dispose = onInterrupt(() => {
      say('stopping pods and saying goodbye; Ctrl-C again ends at once');
      void agent.stop();
    });
    try {
      const { nodeId, name, dataDir, incarnation } = agent;
      const object = { node_id: nodeId, name, url: connection.url, data_dir: dataDir, incarnation };
      await this.printObject(object, `node/${name}`, [`node ${name} is up at ${connection.url}`], { stays: true });
      const end = await agent.ended;
      if (end.error !== undefined) throw end.error;
    } finally {
      dispose();
    }
  }

  async #credentials(connection: Connection) {
    const { email, token } = this.flags;
    if (email !== undefined) return { email, password: await passwordFrom(this.flags) };
    if (token !== undefined) return { accessToken: token };
    // The session of the command line: renewed in its file, which other commands use at the same time.
    await connection.accessToken();
    return { accessToken: () => connection.accessToken() };
  }
}
