import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import {
  cutPodRequests,
  type JsonObject,
  type JsonValue,
  type PodRequest,
  type PodSpec,
  parseCpu,
  parseLabels,
  parseMemory,
  parseToleration,
} from '@stark-o/core/model';
import { pods } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { namespaceFlag, repeated, waitFlags } from '../../base/flags.js';
import { say } from '../../base/terminal.js';
import { waitTime } from '../../base/wait.js';
import { readTextFile } from '../../config/text.js';
import { parseEnv, parsePort } from '../../data/pod-flags.js';
import { waitForRunning } from '../../data/pod-wait.js';
import { inPortions } from '../../data/portions.js';

/** More than this many new pods are counted, not named, before they are waited for. */
const MAX_NAMES = 20;

export default class PodCreate extends StarkCommand<typeof PodCreate> {
  static override summary = 'Create pods of a pack.';
  static override examples = [
    '<%= config.bin %> pod create --pack alpha --replicas 3 --label app=web --spec @spread.yaml --wait=2m',
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
      summary: 'Higher is placed first, 0 to 1000. Default: that of the default priority class.',
      min: 0,
      max: 1000,
    }),
    'priority-class': Flags.string({ summary: 'Priority class, instead of a priority.', exclusive: ['priority'] }),
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
    cpu: Flags.string({
      summary: 'CPU to reserve: millicores, or 0.5, 2. Default: what the namespace or cluster says.',
    }),
    memory: Flags.string({
      summary: 'Memory to reserve: MB, or 256Mi, 1Gi. Default: what the namespace or cluster says.',
    }),
    env: repeated({ char: 'e', summary: 'ctx.env of the pack; may be repeated.', helpValue: '<NAME=value>' }),
    config: Flags.string({ summary: 'ctx.config of the pack: YAML or JSON, or @file.', helpValue: '<yaml|@file>' }),
    spec: Flags.string({
      summary: 'All other fields of a pod’s spec: YAML or JSON, or @file. Flags stand over it.',
      helpValue: '<yaml|@file>',
    }),
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
      ...(flags.priority === undefined ? {} : { priority: flags.priority }),
      labels: parseLabels(flags.label ?? []),
      spec: await this.#spec(),
    };
    const timeoutMs = waitTime(flags);
    const connection = await this.connection();
    const created = await inPortions(cutPodRequests([request]), {
      verb: 'created',
      sizeOf: (requests) => requests.reduce((sum, { replicas = 1 }) => sum + replicas, 0),
      call: (requests) => connection.call('create_pods', { p_pods: requests }),
    });
    if (timeoutMs !== undefined) {
      const names = created.map(({ name }) => `pod/${name}`);
      say(`created ${names.length > MAX_NAMES ? `${names.length} pods` : names.join(', ')}`);
      await this.printList(pods, await waitForRunning(connection, created, timeoutMs));
    } else await this.printList(pods, created);
    const [first] = created;
    if (first !== undefined) this.next(`stark pod status ${first.name}`, `stark pod logs ${first.name} --follow`);
  }

  async #spec(): Promise<PodSpec> {
    const { flags } = this;
    const given = (flags.spec === undefined ? {} : await readObject('--spec', flags.spec)) as PodSpec;
    const requests = {
      ...(flags.cpu === undefined ? {} : { cpu: parseCpu(flags.cpu) }),
      ...(flags.memory === undefined ? {} : { memory: parseMemory(flags.memory) }),
    };
    return {
      ...given,
      ...(flags.node === undefined ? {} : { nodeName: flags.node }),
      ...(flags['node-selector'] === undefined
        ? {}
        : {
            nodeSelector: { ...objectIn('nodeSelector', given.nodeSelector), ...parseLabels(flags['node-selector']) },
          }),
      ...(flags.toleration === undefined
        ? {}
        : { tolerations: [...listIn('tolerations', given.tolerations), ...flags.toleration.map(parseToleration)] }),
      ...(Object.keys(requests).length === 0
        ? {}
        : {
            resources: {
              ...objectIn('resources', given.resources),
              requests: { ...objectIn('requests', given.resources?.requests), ...requests },
            },
          }),
      ...(flags['priority-class'] === undefined ? {} : { priorityClassName: flags['priority-class'] }),
      ...(flags.env === undefined ? {} : { env: { ...objectIn('env', given.env), ...parseEnv(flags.env) } }),
      ...(flags.config === undefined ? {} : { config: await readObject('--config', flags.config) }),
      ...(flags.port === undefined ? {} : { ports: [...listIn('ports', given.ports), ...flags.port.map(parsePort)] }),
      ...(flags.restart === undefined ? {} : { restartPolicy: flags.restart }),
    };
  }
}

/** Reads an object from YAML, of which JSON is a part, or from the file named after an @. */
async function readObject(flag: string, text: string): Promise<JsonObject> {
  const path = text.startsWith('@') ? text.slice(1) : undefined;
  const written =
    path === undefined
      ? text
      : await readTextFile(path).catch((error: NodeJS.ErrnoException) => {
          throw usageError(`cannot read ${flag} ${path}: ${error.code}`);
        });
  const { parse } = await import('yaml');
  let value: JsonValue;
  try {
    // Through JSON, which is what is sent: aliases that go in circles end here. Warnings would show the text as it is.
    value = JSON.parse(JSON.stringify(parse(written, { logLevel: 'error' })));
  } catch (error) {
    throw usageError(`${flag} is neither YAML nor JSON: ${(error as Error).message.split('\n', 1)[0]}`);
  }
  if (!isObject(value)) throw usageError(`${flag} must be an object`);
  return value;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a spec has where a flag adds to an object; where no flag does, the cluster says what is wrong. */
function objectIn<T extends object>(name: string, value: T | undefined): T | undefined {
  if (value != null && !isObject(value)) throw usageError(`--spec: ${name} must be an object`);
  return value;
}

/** What a spec has where a flag adds to a list. */
function listIn<T>(name: string, value: T[] | undefined): T[] {
  if (value != null && !Array.isArray(value)) throw usageError(`--spec: ${name} must be a list`);
  return value ?? [];
}
