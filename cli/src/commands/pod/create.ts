import { readFile } from 'node:fs/promises';
import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import {
  type PodRequest,
  type PodSpec,
  parseCpu,
  parseLabels,
  parseMemory,
  parseToleration,
} from '@stark-o/core/model';
import { StarkCommand } from '../../base/command.js';
import { namespaceFlag, repeated, waitFlags } from '../../base/flags.js';
import { say } from '../../base/terminal.js';
import { waitTime } from '../../base/wait.js';
import { parseEnv, parsePort } from '../../data/pod-flags.js';
import { waitForRunning } from '../../data/pod-wait.js';
import { type PodRow, podView } from '../../data/pods.js';

export default class PodCreate extends StarkCommand<typeof PodCreate> {
  static override summary = 'Create pods of a pack.';
  static override examples = [
    '<%= config.bin %> pod create --pack alpha --replicas 3 --label app=web --wait=2m',
    '<%= config.bin %> pod create --pack trainer --ver 1.2.0 --node-selector gpu=true --toleration dedicated=gpu:NoSchedule',
  ];
  static override flags = {
    pack: Flags.string({ summary: 'Pack to run.', required: true }),
    ver: Flags.string({ char: 'V', summary: 'Version. Default: the latest.', helpValue: '<version>' }),
    name: Flags.string({ summary: 'Name of the pod. Default: made up from the pack’s.' }),
    node: Flags.string({ summary: 'Run on this node. Default: the scheduler chooses.' }),
    ...namespaceFlag,
    replicas: Flags.integer({ char: 'r', summary: 'How many.', default: 1, min: 1, max: 10_000 }),
    priority: Flags.integer({
      char: 'p',
      summary: 'Higher is placed first, 0 to 1000.',
      default: 100,
      min: 0,
      max: 1000,
    }),
    label: repeated({ char: 'l', summary: 'Label of the pods; may be repeated.', helpValue: '<key=value>' }),
    'node-selector': repeated({
      char: 's',
      summary: 'Only nodes with this label; may be repeated.',
      helpValue: '<key=value>',
    }),
    toleration: repeated({
      char: 't',
      summary: 'Also nodes with this taint; may be repeated.',
      helpValue: '<key=value:Effect>',
    }),
    cpu: Flags.string({ summary: 'CPU to reserve: millicores, or 0.5, 2.', default: '100' }),
    memory: Flags.string({ summary: 'Memory to reserve: MB, or 256Mi, 1Gi.', default: '128' }),
    env: repeated({ char: 'e', summary: 'ctx.env of the pack; may be repeated.', helpValue: '<NAME=value>' }),
    config: Flags.string({ summary: 'ctx.config of the pack: JSON, or @file.', helpValue: '<json|@file>' }),
    port: repeated({ summary: 'Port of the pack, random or fixed; may be repeated.', helpValue: '<name[=port]>' }),
    restart: Flags.option({
      options: ['Always', 'OnFailure', 'Never'] as const,
      summary: 'When to start it again.',
    })(),
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { flags } = this;
    const namespace = (await this.settings()).namespace;
    const request: PodRequest = {
      pack: flags.pack,
      ...(flags.ver === undefined ? {} : { version: flags.ver }),
      ...(flags.name === undefined ? {} : { name: flags.name }),
      namespace,
      replicas: flags.replicas,
      priority: flags.priority,
      labels: parseLabels(flags.label ?? []),
      spec: await this.#spec(),
    };
    const timeoutMs = waitTime(flags);
    const connection = await this.connection();
    const created = await connection.call<PodRow[]>('create_pods', { p_pods: [request] });
    if (timeoutMs !== undefined) {
      say(`created ${created.map(({ name }) => `pod/${name}`).join(', ')}`);
      await this.printList(podView({ namespaces: false }), await waitForRunning(connection, created, timeoutMs));
    } else await this.printList(podView({ namespaces: false }), created);
    const [first] = created;
    if (first !== undefined) this.next(`stark pod status ${first.name}`, `stark pod logs ${first.name} --follow`);
  }

  async #spec(): Promise<PodSpec> {
    const { flags } = this;
    const selector = parseLabels(flags['node-selector'] ?? []);
    const tolerations = (flags.toleration ?? []).map(parseToleration);
    const ports = (flags.port ?? []).map(parsePort);
    return {
      ...(flags.node === undefined ? {} : { nodeName: flags.node }),
      ...(Object.keys(selector).length === 0 ? {} : { nodeSelector: selector }),
      ...(tolerations.length === 0 ? {} : { tolerations }),
      resources: { requests: { cpu: parseCpu(flags.cpu), memory: parseMemory(flags.memory) } },
      ...(flags.env === undefined ? {} : { env: parseEnv(flags.env) }),
      ...(flags.config === undefined ? {} : { config: await readConfig(flags.config) }),
      ...(ports.length === 0 ? {} : { ports }),
      ...(flags.restart === undefined ? {} : { restartPolicy: flags.restart }),
    };
  }
}

async function readConfig(text: string): Promise<NonNullable<PodSpec['config']>> {
  const path = text.startsWith('@') ? text.slice(1) : undefined;
  const json =
    path === undefined
      ? text
      : await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
          throw usageError(`cannot read --config ${path}: ${error.code}`);
        });
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw usageError(`--config is not valid JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw usageError('--config must be an object');
  return value as NonNullable<PodSpec['config']>;
}
