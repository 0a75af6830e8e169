import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import {
  type CanaryStep,
  checkLabelKey,
  type DeploymentRequest,
  type DeploymentTemplate,
  type PodAmount,
  parseDuration,
  parseLabels,
} from '@stark-o/core/model';
import { repeated } from '../base/flags.js';
import { type PodSpecFlagValues, podSpecFlags, podSpecOf } from './pod-spec.js';

// Pods of a deployment are always started again.
const { restart: _, ...specFlags } = podSpecFlags;

/** What is wanted of a deployment, as flags; for making one and for changing it. */
export const deploymentFlags = {
  ver: Flags.string({
    char: 'V',
    summary: 'Version. Default: the latest there is now.',
    helpValue: '<version>',
    exclusive: ['follow-range'],
  }),
  'follow-latest': Flags.boolean({
    summary: 'Take each newer version by itself, no pre-releases.',
    allowNo: true,
  }),
  'follow-range': Flags.string({ summary: 'Follow only versions of this range.', helpValue: '<~1.4|^2>' }),
  'include-prerelease': Flags.boolean({ summary: 'Follow pre-releases too.' }),
  label: repeated({ char: 'l', summary: 'Label of the deployment; may be repeated.', helpValue: '<key=value>' }),
  annotation: repeated({ summary: 'Note on the deployment; may be repeated.', helpValue: '<key=value>' }),
  'pod-label': repeated({ summary: 'Label of its pods; may be repeated.', helpValue: '<key=value>' }),
  priority: Flags.integer({
    char: 'p',
    summary: 'Of its pods, 0 to 1000: higher is placed first.',
    min: 0,
    max: 1000,
    exclusive: ['priority-class'],
  }),
  ...specFlags,
  strategy: Flags.option({
    options: ['RollingUpdate', 'Recreate'] as const,
    summary: 'Recreate: old pods end before new ones are made.',
  })(),
  'max-surge': Flags.string({
    summary: 'Pods more than wanted in a rollout: a number, or percents rounded up. Default: 25%.',
    helpValue: '<2|25%>',
  }),
  'max-unavailable': Flags.string({
    summary: 'Pods fewer than wanted in a rollout: a number, or percents rounded down. Default: 25%.',
    helpValue: '<1|25%>',
  }),
  'max-disrupted': Flags.string({
    summary:
      'Disruption budget: pods fewer than wanted while nodes are drained, which replace a pod first then. A number, or percents rounded up. Default: none, all leave at once.',
    helpValue: '<1|25%>',
  }),
  'min-ready': Flags.string({
    summary: 'A pod is available when it has been ready for so long. Default: 10s.',
    helpValue: '<duration>',
  }),
  'progress-deadline': Flags.string({
    summary: 'A rollout without progress for so long has failed. Default: 10m.',
    helpValue: '<duration>',
  }),
  'history-limit': Flags.integer({ summary: 'Old revisions to keep. Default: 10.', min: 0, max: 100 }),
  'auto-rollback': Flags.boolean({ summary: 'Go back by itself when a revision fails. Default.', allowNo: true }),
  canary: Flags.string({
    summary: 'Steps of a rollout: percents of the pods, and pauses, which without a time end by stark rollout promote.',
    helpValue: '<20,pause=10m,50,pause>',
  }),
  'change-cause': Flags.string({ char: 'm', summary: 'Why, for stark rollout history.', helpValue: '<text>' }),
};

/** Those flags as they are parsed. */
export interface DeploymentFlagValues extends PodSpecFlagValues {
  ver?: string | undefined;
  'follow-latest'?: boolean | undefined;
  'follow-range'?: string | undefined;
  'include-prerelease'?: boolean | undefined;
  label?: string[] | undefined;
  annotation?: string[] | undefined;
  'pod-label'?: string[] | undefined;
  priority?: number | undefined;
  strategy?: 'RollingUpdate' | 'Recreate' | undefined;
  'max-surge'?: string | undefined;
  'max-unavailable'?: string | undefined;
  'max-disrupted'?: string | undefined;
  'min-ready'?: string | undefined;
  'progress-deadline'?: string | undefined;
  'history-limit'?: number | undefined;
  'auto-rollback'?: boolean | undefined;
  canary?: string | undefined;
  'change-cause'?: string | undefined;
}

/** What the flags say of a deployment, and nothing that they do not. */
export async function deploymentRequestOf(flags: DeploymentFlagValues): Promise<DeploymentRequest> {
  const template = await templateOf(flags);
  const surge = amountOf('--max-surge', flags['max-surge']);
  const unavailable = amountOf('--max-unavailable', flags['max-unavailable']);
  const disrupted = amountOf('--max-disrupted', flags['max-disrupted']);
  const strategy = {
    ...(flags.strategy !== undefined && { type: flags.strategy }),
    ...(surge !== undefined && { maxSurge: surge }),
    ...(unavailable !== undefined && { maxUnavailable: unavailable }),
  };
  const follow = flags['follow-range'] ?? flags['follow-latest'];
  if (flags.ver !== undefined && follow === true) {
    throw usageError('--ver and --follow-latest: who follows takes the newest version', 'leave one of them out');
  }
  return {
    ...(flags.ver !== undefined && { version: flags.ver }),
    ...(follow !== undefined && { followLatest: follow }),
    ...(flags['include-prerelease'] && { includePrerelease: true }),
    ...(flags.label !== undefined && { labels: parseLabels(flags.label) }),
    ...(flags.annotation !== undefined && { annotations: parseNotes(flags.annotation) }),
    ...(Object.keys(template).length > 0 && { template }),
    ...(Object.keys(strategy).length > 0 && { strategy }),
    ...(disrupted !== undefined && { disruption: { maxUnavailable: disrupted } }),
    ...(flags['min-ready'] !== undefined && { minReadySeconds: secondsOf('--min-ready', flags['min-ready']) }),
    ...(flags['progress-deadline'] !== undefined && {
      progressDeadlineSeconds: secondsOf('--progress-deadline', flags['progress-deadline']),
    }),
    ...(flags['history-limit'] !== undefined && { revisionHistoryLimit: flags['history-limit'] }),
    ...(flags['auto-rollback'] !== undefined && { autoRollback: flags['auto-rollback'] }),
    ...(flags.canary !== undefined && { canary: { steps: parseCanary(flags.canary) } }),
    ...(flags['change-cause'] !== undefined && { changeCause: flags['change-cause'] }),
  };
}

async function templateOf(flags: DeploymentFlagValues): Promise<DeploymentTemplate> {
  const spec = await podSpecOf(flags);
  return {
    ...(flags['pod-label'] !== undefined && { labels: parseLabels(flags['pod-label']) }),
    ...(flags.priority !== undefined && { priority: flags.priority }),
    ...(Object.keys(spec).length > 0 && { spec }),
  };
}

/** Reads a number of pods, or percents. */
export function amountOf(flag: string, text: string | undefined): PodAmount | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,5}%?$/.test(text))
    throw usageError(`${flag}: "${text}" is no amount`, 'a number of pods, or percents: 25%');
  return text.endsWith('%') ? text : Number(text);
}

/** Reads a duration in whole seconds; a bare number is seconds. */
export function secondsOf(flag: string, text: string): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : parseDuration(text) / 1000;
  if (!Number.isInteger(seconds)) throw usageError(`${flag}: "${text}" is no whole number of seconds`);
  return seconds;
}

/** Reads `20,pause=10m,50,pause`. */
export function parseCanary(text: string): CanaryStep[] {
  return text.split(',').map((part): CanaryStep => {
    const [, weight, pause, time] = /^\s*(?:(\d{1,3})%?|(pause)(?:=(\d{1,6}[smhd]?))?)\s*$/.exec(part) ?? [];
    if (weight !== undefined) return { weight: Number(weight) };
    if (pause === undefined) throw usageError(`--canary: "${part}" is no step`, 'e.g. 20,pause=10m,50,pause');
    return { pause: time === undefined ? {} : /^\d+$/.test(time) ? Number(time) : time };
  });
}

/** Reads `key=value` pairs whose values may be any text. */
function parseNotes(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 1) throw usageError(`"${pair}" is no annotation`, 'write it as key=value');
      const key = pair.slice(0, equals);
      checkLabelKey(key);
      return [key, pair.slice(equals + 1)] as const;
    }),
  );
}
