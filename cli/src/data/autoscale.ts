import { usageError } from '@stark-o/core/errors';
import {
  type Autoscale,
  type Autoscaler,
  formatMetric,
  isMetricName,
  type MetricTarget,
  type ScalingPolicy,
  type ScalingRules,
} from '@stark-o/core/model';
import { secondsOf } from './deployment-flags.js';

/** The flags of `stark deployment autoscale` that say how. */
export interface AutoscaleFlagValues {
  min?: number | undefined;
  max?: number | undefined;
  cpu?: string | undefined;
  memory?: string | undefined;
  metric?: string[] | undefined;
  idle?: string | undefined;
  'up-window'?: string | undefined;
  'down-window'?: string | undefined;
  'up-limit'?: string[] | undefined;
  'down-limit'?: string[] | undefined;
  tolerance?: string | undefined;
}

/** What the flags say, as a merge patch, and nothing that they do not. */
export function autoscaleOf(flags: AutoscaleFlagValues): Partial<Autoscale> {
  const metrics = metricsOf(flags);
  const tolerance = flags.tolerance === undefined ? undefined : percentsOf('--tolerance', flags.tolerance) / 100;
  const scaleUp = rulesOf('up', flags, tolerance);
  const scaleDown = rulesOf('down', flags, tolerance);
  const behavior = { ...(scaleUp && { scaleUp }), ...(scaleDown && { scaleDown }) };
  return {
    ...(flags.min !== undefined && { min: flags.min }),
    ...(flags.max !== undefined && { max: flags.max }),
    ...(metrics.length > 0 && { metrics }),
    ...(Object.keys(behavior).length > 0 && { behavior }),
    ...(flags.idle !== undefined && { idleSeconds: secondsOf('--idle', flags.idle) }),
  };
}

function metricsOf({ cpu, memory, metric = [] }: AutoscaleFlagValues): MetricTarget[] {
  return [
    ...(cpu === undefined ? [] : [{ name: 'cpu', target: percentsOf('--cpu', cpu) }]),
    ...(memory === undefined ? [] : [{ name: 'memory', target: percentsOf('--memory', memory) }]),
    ...metric.map(parseMetric),
  ];
}

/** Reads `queue=10` and `latency=200:Value`. */
export function parseMetric(text: string): MetricTarget {
  const [, name = '', target, type] = /^([^=]*)=(\d+(?:\.\d+)?)(?::(Value|AverageValue))?$/.exec(text) ?? [];
  if (target === undefined || !isMetricName(name)) {
    throw usageError(`--metric: "${text}" is no metric`, 'a name and how much of it each pod shall have: queue=10');
  }
  return { name, target: Number(target), ...(type !== undefined && { type: type as 'Value' | 'AverageValue' }) };
}

function percentsOf(flag: string, text: string): number {
  if (!/^\d{1,5}%?$/.test(text)) throw usageError(`${flag}: "${text}" is no number of percents`, `${flag} 70%`);
  return Number.parseInt(text, 10);
}

function rulesOf(direction: 'up' | 'down', flags: AutoscaleFlagValues, tolerance: number | undefined) {
  const { [`${direction}-window` as const]: window, [`${direction}-limit` as const]: limits } = flags;
  const rules: ScalingRules = {
    ...(window !== undefined && { stabilizationWindowSeconds: secondsOf(`--${direction}-window`, window) }),
    ...(tolerance !== undefined && { tolerance }),
    ...(limits !== undefined && limitsOf(`--${direction}-limit`, limits)),
  };
  return Object.keys(rules).length > 0 ? rules : undefined;
}

/** Reads `none`, `4/15s` and `100%/1m`. */
function limitsOf(flag: string, texts: readonly string[]): ScalingRules {
  if (texts.length === 1 && texts[0] === 'none') return { selectPolicy: 'Disabled', policies: null };
  const policies = texts.map((text): ScalingPolicy => {
    const [, value, percent, period] = /^(\d{1,5})(%?)\/(\d+[smh]?)$/.exec(text) ?? [];
    if (value === undefined || period === undefined)
      throw usageError(`${flag}: "${text}" is no limit`, 'pods or percents in a time: 4/15s, 100%/15s; or none');
    return { type: percent ? 'Percent' : 'Pods', value: Number(value), periodSeconds: secondsOf(flag, period) };
  });
  return { selectPolicy: null, policies };
}

/** What the autoscaler of a deployment saw and wants, in a line. */
export function autoscalerLine(
  autoscaler: Pick<Autoscaler, 'min_replicas' | 'max_replicas' | 'metrics' | 'wanted' | 'reason'>,
): string {
  const { min_replicas, max_replicas, metrics, wanted, reason } = autoscaler;
  const seen = metrics.length === 0 ? '' : ` by ${metrics.map(formatMetric).join(', ')}`;
  const answer = wanted === null ? 'has not looked yet' : `wants ${wanted} (${reason})`;
  return `${min_replicas} to ${max_replicas}${seen}; ${answer}`;
}
