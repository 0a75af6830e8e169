import { usageError } from '../errors/stark-error.js';
import { checkLabelKey, checkLabelValue, type Labels } from './labels.js';

export type LabelOperator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';

export interface LabelRequirement {
  key: string;
  operator: LabelOperator;
  values?: string[];
}

/** Kubernetes' label selector: all of it must hold. An empty one matches everything, `null` matches nothing. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: LabelRequirement[];
}

/** Whether labels satisfy a selector. `NotIn` and `DoesNotExist` also match labels that lack the key. */
export function matchesSelector(selector: LabelSelector | null | undefined, labels: Labels): boolean {
  if (selector === null || selector === undefined) return false;
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (!Object.hasOwn(labels, key) || labels[key] !== value) return false;
  }
  return (selector.matchExpressions ?? []).every((requirement) => matchesRequirement(requirement, labels));
}

function matchesRequirement({ key, operator, values = [] }: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

const SET_BASED = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/;
const EQUALITY = /^([^\s=!]+)\s*(==|=|!=)\s*(\S*)$/;
const EXISTENCE = /^(!?)\s*([^\s=!()]+)$/;

/** Reads kubectl's notation: `a=b,c!=d,e in (x,y),f notin (z),g,!h`. An empty text selects everything. */
export function parseSelector(text: string): LabelSelector {
  const matchExpressions = splitOutsideParentheses(text).map((part) => parseRequirement(part, text));
  return matchExpressions.length === 0 ? {} : { matchExpressions };
}

function parseRequirement(part: string, whole: string): LabelRequirement {
  const set = SET_BASED.exec(part);
  if (set) {
    const values = (set[3] as string).split(',').map((value) => value.trim());
    return requirement(set[1] as string, set[2] === 'in' ? 'In' : 'NotIn', values);
  }
  const equality = EQUALITY.exec(part);
  if (equality)
    return requirement(equality[1] as string, equality[2] === '!=' ? 'NotIn' : 'In', [equality[3] as string]);
  const existence = EXISTENCE.exec(part);
  if (existence) return requirement(existence[2] as string, existence[1] === '!' ? 'DoesNotExist' : 'Exists');
  throw usageError(
    `label selector "${whole}": cannot read "${part}"`,
    "use key=value, key!=value, 'key in (a,b)', key or '!key'",
  );
}

function requirement(key: string, operator: LabelOperator, values?: string[]): LabelRequirement {
  checkLabelKey(key);
  for (const value of values ?? []) checkLabelValue(key, value);
  return values === undefined ? { key, operator } : { key, operator, values };
}

function splitOutsideParentheses(text: string): string[] {
  if (text.trim() === '') return [];
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index <= text.length; index++) {
    const char = text[index];
    if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (index === text.length || (char === ',' && depth === 0)) {
      parts.push(text.slice(start, index).trim());
      start = index + 1;
    }
  }
  return parts;
}
