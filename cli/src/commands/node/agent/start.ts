import { hostname } from 'node:os';
import * as Flags from '@oclif/core/flags';
import type { NodeAgentOptions } from '@stark-o/agent/node';
import { StarkError, usageError } from '@stark-o/core/errors';
import { CALL_LIMITS, parseCpu, parseLabels, parseMemory, parseTaint } from '@stark-o/core/model';
import { StarkCommand } from '../../../base/command.js';
import { acceptance, acceptFlags, passwordFlags, placeFlags, repeated, urlFlag } from '../../../base/flags.js';
import { onInterrupt, outliveOutput } from '../../../base/interrupt.js';
import { passwordFrom } from '../../../base/prompt.js';
import { say } from '../../../base/terminal.js';
import { readTextFile } from '../../../config/text.js';
import type { Person } from '../../../data/agent-join.js';
import type { Connection } from '../../../session/connection.js';

/** Labels that an owner gives and no agent may claim, as in Kubernetes. */
const ownersPrefix = 'node-restriction.kubernetes.io/';

interface StartedNode {
  name: string;
  dataDir: string | undefined;
  tokenLabels: Record<string, string>;
}

export default class NodeAgentStart extends StarkCommand<typeof NodeAgentStart> {
  static override summary = 'Make this machine a node, until Ctrl-C.';
  static override description = [
    'Joins with a join token (stark node token create), and from then on comes back by the session that it keeps in its data folder. With an access token, with --email and a password, or with the session of stark auth login it makes itself such a token, and the node gets an account of its own just the same. Without any of them it asks to join as a stranger, which the cluster allows when its setting allow_node_registration is on.',
    "Pods are held by what this machine has: bubblewrap (strict), Landlock by setpriv (standard), or Node.js alone (none), as docs/security.md says. The node shows it as label stark/isolation, and where nobody says --accept it takes anyone's pods with isolation, and without it those of its owner and of admins.",
    'Ctrl-C stops the pods, reports their end and says goodbye. When the node is deleted, or its account loses its rights, the pods are stopped and the command ends with 9.',
  ].join('\n\n');
  static override examples = [
    '<%= config.bin %> node agent start --url https://abc.supabase.co --key sb_publishable_… --token-file join.token --name node-1',
    '<%= config.bin %> node agent start --name gpu-1 --label tier=backend --taint dedicated=gpu:NoSchedule --cpu 2000 --memory 4096 --pods 20',
  ];
  static override flags = {
    url: Flags.string({
      ...urlFlag,
      env: 'STARK_ORCHESTRATOR_URL',
      parse: async (text) => httpUrl(text),
    }),
    key: placeFlags.key,
    name: Flags.string({
      char: 'n',
      summary: 'Name of the node. Default: that of this machine.',
      env: 'STARK_NODE_NAME',
    }),
    token: Flags.string({
      char: 't',
      summary: 'Join token, or access token, to work with.',
      env: 'STARK_AUTH_TOKEN',
      exclusive: ['email', 'token-file'],
    }),
    'token-file': Flags.string({ summary: 'Read that token from a file.', exclusive: ['email'] }),
    email: Flags.string({ char: 'e', summary: 'Account to sign in with.', env: 'STARK_EMAIL' }),
    ...passwordFlags,
    label: repeated({ char: 'l', summary: 'Label of the node; may be repeated.', helpValue: '<key=value>' }),
    taint: repeated({ summary: 'Taint of the node; may be repeated.', helpValue: '<key=value:Effect>' }),
    cpu: Flags.string({ summary: 'CPU that pods may have: millicores, or 0.5, 2.', default: '1000' }),
    memory: Flags.string({ summary: 'Memory that pods may have: MB, or 512Mi, 4Gi.', default: '1024' }),
    pods: Flags.integer({ summary: 'How many pods at once.', default: 10, min: 0, max: CALL_LIMITS.podsOfANode }),
    isolation: Flags.option({
      summary: 'What holds pods beside Node.js: strict, standard, none, or the best that this machine has.',
      options: ['auto', 'strict', 'standard', 'none'] as const,
      default: 'auto' as const,
      env: 'STARK_AGENT_ISOLATION',
    })(),
    ...acceptFlags,
    heartbeat: Flags.integer({
      summary: 'Seconds between heartbeats, where the cluster asks for fewer.',
      helpValue: '<seconds>',
      min: 1,
      max: 3600,
    }),
    'data-dir': Flags.string({ summary: 'Folder of bundles, pod data and unsent reports.', env: 'STARK_AGENT_DIR' }),
  };

  async run(): Promise<void> {
    const { flags } = this;
    const labels = Object.entries(parseLabels(flags.label ?? []));
    const accept = acceptance(flags);
    const ofOwner = ([key]: [string, string]) => key.startsWith(ownersPrefix);
    const node = {
      name: flags.name ?? hostname().toLowerCase(),
      labels: Object.fromEntries(labels.filter((label) => !ofOwner(label))),
      taints: (flags.taint ?? []).map(parseTaint),
      dataDir: flags['data-dir'],
      isolation: flags.isolation,
      acceptance: { accepts: accept.p_accepts, acceptedNamespaces: accept.p_accepted_namespaces },
      allocatable: { cpu: parseCpu(flags.cpu), memory: parseMemory(flags.memory), pods: flags.pods },
    };
    const connection = await this.connection();
    const tokenLabels = Object.fromEntries(labels.filter(ofOwner));
    const credentials = await this.#credentials(connection, { ...node, tokenLabels });
    const { startNodeAgent, createAgentLog } = await import('@stark-o/agent/node');
    const agent = await startNodeAgent({
      ...node,
      ...(flags.heartbeat === undefined ? {} : { heartbeatEveryMs: flags.heartbeat * 1000 }),
      supabaseUrl: connection.url,
      key: connection.key,
      credentials,
      knownStacks: connection.knownStacks,
      log: createAgentLog(this.debugging ? 'debug' : undefined),
    });
    outliveOutput();
    const dispose = onInterrupt(() => {
      say('stopping pods and saying goodbye; Ctrl-C again ends at once');
      void agent.stop();
    });
    try {
      const { nodeId, name, dataDir, incarnation } = agent;
      const object = { node_id: nodeId, name, url: connection.url, data_dir: dataDir, incarnation };
      await this.printObject(object, `node/${name}`, [`node ${name} is up at ${connection.url}`], { stays: true });
      const end = await agent.ended;
      if (end.error !== undefined) throw removed(name, end.error);
    } finally {
      dispose();
    }
  }

  /** How the agent shows who it is. A person's session never becomes its own: it pays for one join, and the node gets an account. */
  async #credentials(connection: Connection, node: StartedNode): Promise<NodeAgentOptions['credentials']> {
    const { isJoinToken, hasJoined } = await import('@stark-o/agent/node');
    const { STARK_AUTH_TOKEN: inEnvironment } = process.env;
    if (inEnvironment && this.flags.token === inEnvironment) (await this.settings()).allowSecretOf('STARK_AUTH_TOKEN');
    const token = this.flags.token ?? (await this.#tokenFromFile());
    if (token !== undefined && isJoinToken(token)) return { join: { token } };
    const kept = await hasJoined(connection.url, node.name, node.dataDir);
    const person = await this.#person(connection, token, kept);
    if (person === undefined) return { join: {} };
    const { makeJoinToken } = await import('../../../data/agent-join.js');
    const makeToken = () => makeJoinToken(connection, person, node.tokenLabels);
    // Made when it is needed: not for a node that comes back with the session it kept, nor while the cluster is away.
    if (kept || person.asItself === undefined) return { join: { token: makeToken } };
    try {
      return { join: { token: await makeToken() } };
    } catch (error) {
      // An account that may make nodes, but no tokens, is a machine's own: it has no more rights than one that joined.
      if ((error as StarkError).code !== 'FORBIDDEN') throw error;
      return person.asItself;
    }
  }

  async #person(connection: Connection, token: string | undefined, kept: boolean): Promise<Person | undefined> {
    const { email } = this.flags;
    if (email !== undefined) {
      const password = await passwordFrom(this.flags, await this.settings());
      return {
        accessToken: async () => (await connection.signIn.withPassword(email, password)).accessToken,
        signOut: (accessToken) => connection.signIn.signOut(accessToken),
        asItself: { email, password },
      };
    }
    if (token !== undefined && !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) {
      throw new StarkError('the access token is not a JWT', { code: 'INVALID_CREDENTIALS', status: 401 });
    }
    if (token !== undefined) return { accessToken: async () => token, asItself: { accessToken: token } };
    if (kept) return undefined;
    try {
      await connection.accessToken();
      return { accessToken: () => connection.accessToken(), asItself: undefined };
    } catch (error) {
      if ((error as StarkError).code !== 'NOT_SIGNED_IN') throw error;
      return undefined;
    }
  }

  async #tokenFromFile(): Promise<string | undefined> {
    const path = this.flags['token-file'];
    if (path === undefined) return undefined;
    const text = await readTextFile(path).catch((error: NodeJS.ErrnoException) => {
      throw usageError(`cannot read --token-file ${path}: ${error.code}`);
    });
    if (text.trim() === '') throw usageError(`${path} is empty`);
    return text.trim();
  }
}

// Early drafts had a server of their own that agents reached by a WebSocket; people's notes still say wss://…/ws.
function httpUrl(text: string): string {
  return text.replace(/^ws(s?):\/\/(.*?)(\/ws)?\/?$/, 'http$1://$2');
}

const joinAgain = 'stark node token create, where somebody is signed in, then start the agent with --token';

/** That the cluster ended this, and no fault that a restart would cure, must be plain to the supervisor that restarts it. */
function removed(name: string, { code, message, hint }: StarkError): StarkError {
  return new StarkError(`node ${name} is not wanted any more: ${message}; its pods were stopped`, {
    code: 'NODE_REMOVED',
    // An account of a node does not sign in: it joins.
    hint: code === 'NODE_NOT_FOUND' || code === 'NOT_SIGNED_IN' ? joinAgain : hint,
    details: { code },
  });
}
