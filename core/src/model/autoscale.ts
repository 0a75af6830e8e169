import type { RowOf } from './database.js';

/** What cpu and memory use of what pods ask for, in percents; a number for each pod on average; a number as it is. */
export type MetricType = 'Utilization' | 'AverageValue' | 'Value';

/** What an autoscaler follows: cpu, memory, or a number by name, and how high it shall be. */
export interface MetricTarget {
  name: string;
  target: number;
  type?: MetricType;
}

/** How far it may go in a period. */
export interface ScalingPolicy {
  type: 'Pods' | 'Percent';
  value: number;
  periodSeconds: number;
}

/** How fast it goes in one direction, as Kubernetes says it. */
export interface ScalingRules {
  stabilizationWindowSeconds?: number | null;
  tolerance?: number | null;
  selectPolicy?: 'Max' | 'Min' | 'Disabled' | null;
  policies?: ScalingPolicy[] | null;
}

/** How the replicas of a deployment follow its metrics. */
export interface Autoscale {
  min?: number;
  max: number;
  metrics: MetricTarget[];
  behavior?: { scaleUp?: ScalingRules; scaleDown?: ScalingRules };
  idleSeconds?: number;
}

/** What was seen of a metric: no value where nobody said one; of so many ready pods, some missing. */
export interface SeenMetric {
  name: string;
  type: MetricType;
  target: number;
  value?: number;
  pods: number;
  missing: number;
}

/** What the autoscaler of a deployment saw and answered last. */
export type Autoscaler = RowOf<'autoscalers', { metrics: readonly SeenMetric[] }>;

const METRIC_NAME = /^[A-Za-z][\w-]{0,62}$/;

/** Whether a number that is reported may be called so. */
export function isMetricName(name: string): boolean {
  return METRIC_NAME.test(name) && name !== 'cpu' && name !== 'memory';
}

/** A metric in words: `cpu 45%/70%`, `queue 12/10`. */
export function formatMetric({ name, type, target, value }: Omit<SeenMetric, 'pods' | 'missing'>): string {
  const unit = type === 'Utilization' ? '%' : '';
  const seen = value === undefined ? '?' : `${rounded(value)}${unit}`;
  return `${name} ${seen}/${rounded(target)}${unit}`;
}

const rounded = (value: number) => Number(value.toPrecision(3));
