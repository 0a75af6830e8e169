import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import {
  type JsonObject,
  type JsonValue,
  type PodSpec,
  parseCpu,
  parseLabels,
  parseMemory,
  parseToleration,
} from '@stark-o/core/model';
import { repeated } from '../base/flags.js';
import { readTextFile } from '../config/text.js';
import { parseEnv, parsePort } from './pod-flags.js';

/** What a pod asks for, as flags; for commands that make pods, or say what would become of one. */
export const podSpecFlags = {
  node: Flags.string({ summary: 'Run on this node. Default: the scheduler chooses.' }),
  'priority-class': Flags.string({ summary: 'Priority class, instead of a priority.' }),
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
};

/** Those flags as they are parsed. */
export interface PodSpecFlagValues {
  node?: string | undefined;
  'priority-class'?: string | undefined;
  'node-selector'?: string[] | undefined;
  toleration?: string[] | undefined;
  cpu?: string | undefined;
  memory?: string | undefined;
  env?: string[] | undefined;
  config?: string | undefined;
  spec?: string | undefined;
  port?: string[] | undefined;
  restart?: 'Always' | 'OnFailure' | 'Never' | undefined;
}

/** The spec that the flags describe: over that of --spec, where there is one. */
export async function podSpecOf(flags: PodSpecFlagValues): Promise<PodSpec> {
  const given: PodSpec = flags.spec === undefined ? {} : await readObject('--spec', flags.spec);
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

/** Reads an object from YAML, of which JSON is a part, or from the file named after an @. */
export async function readObject(flag: string, text: string): Promise<JsonObject> {
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
