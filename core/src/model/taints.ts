import { usageError } from '../errors/stark-error.js';
import { parseDuration } from './duration.js';
import { checkLabelKey, checkLabelValue } from './labels.js';

export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;
export type TaintEffect = (typeof TAINT_EFFECTS)[number];

/** What keeps pods off a node unless they tolerate it. */
export interface Taint {
  key: string;
  value?: string;
  effect: TaintEffect;
}

/** What lets a pod onto (and stay on) a tainted node; missing members match anything, as in Kubernetes. */
export interface Toleration {
  key?: string;
  operator?: 'Exists' | 'Equal';
  value?: string;
  effect?: TaintEffect;
  /** Only with NoExecute: how long the pod may stay. */
  tolerationSeconds?: number;
}

/** Reads `key=value:Effect` or `key:Effect`. */
export function parseTaint(text: string): Taint {
  const [subject, effect, ...rest] = text.split(':');
  if (effect === undefined || rest.length > 0) {
    throw usageError(`taint "${text}" has no effect`, 'write it as key=value:NoSchedule or key:NoSchedule');
  }
  return { ...keyAndValue(subject as string, text), effect: parseEffect(effect, text) };
}

/** Reads `key=value:Effect`, `key:Effect` (any value), `key` (any value and effect) or, for NoExecute, `…:NoExecute:5m`. */
export function parseToleration(text: string): Toleration {
  const [subject, effect, seconds, ...rest] = text.split(':');
  if (rest.length > 0)
    throw usageError(`toleration "${text}" has too many parts`, 'write it as key=value:Effect[:duration]');
  const { key, value } = keyAndValue(subject as string, text);
  const toleration: Toleration = value === undefined ? { key, operator: 'Exists' } : { key, operator: 'Equal', value };
  if (effect !== undefined && effect !== '') toleration.effect = parseEffect(effect, text);
  if (seconds !== undefined) {
    if (toleration.effect !== 'NoExecute') throw usageError(`toleration "${text}": only NoExecute takes a duration`);
    toleration.tolerationSeconds = Math.floor(parseDuration(seconds) / 1000);
  }
  return toleration;
}

/** Whether one toleration covers one taint. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && toleration.effect !== taint.effect) return false;
  // An empty key with operator Exists tolerates everything.
  if (!toleration.key) return toleration.operator === 'Exists';
  if (toleration.key !== taint.key) return false;
  return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '');
}

/** The opposite of parseTaint. */
export function formatTaint(taint: Taint): string {
  return `${taint.key}${taint.value ? `=${taint.value}` : ''}:${taint.effect}`;
}

function keyAndValue(subject: string, whole: string): { key: string; value?: string } {
  const equals = subject.indexOf('=');
  const key = equals < 0 ? subject : subject.slice(0, equals);
  if (key === '') throw usageError(`"${whole}" has no key`, 'write it as key=value:NoSchedule');
  checkLabelKey(key);
  if (equals < 0) return { key };
  const value = subject.slice(equals + 1);
  checkLabelValue(key, value);
  return { key, value };
}

function parseEffect(text: string, whole: string): TaintEffect {
  const effect = TAINT_EFFECTS.find((candidate) => candidate === text);
  if (!effect) throw usageError(`"${whole}": unknown effect "${text}"`, `use ${TAINT_EFFECTS.join(', ')}`);
  return effect;
}
