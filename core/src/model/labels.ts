import { usageError } from '../errors/stark-error.js';

/** Labels of an object: what selectors choose by. */
export type Labels = Readonly<Record<string, string>>;

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Why a label key is not one, or undefined when it is: Kubernetes' rules, an optional DNS prefix and a name of 63. */
export function labelKeyProblem(key: string): string | undefined {
  const slash = key.indexOf('/');
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (prefix !== undefined && (prefix.length > 253 || !SUBDOMAIN.test(prefix))) {
    return `the part before "/" must be a DNS name of at most 253 characters`;
  }
  if (!NAME.test(name)) {
    return 'it must be 1 to 63 letters, digits, "-", "_" or ".", beginning and ending with a letter or digit';
  }
  return undefined;
}

/** Why a label value is not one, or undefined when it is. It may be empty. */
export function labelValueProblem(value: string): string | undefined {
  if (value === '' || NAME.test(value)) return undefined;
  return 'it must be empty or up to 63 letters, digits, "-", "_" or ".", beginning and ending with a letter or digit';
}

/** Throws when `key` is not a label key. */
export function checkLabelKey(key: string): void {
  const problem = labelKeyProblem(key);
  if (problem) throw usageError(`label key "${key}": ${problem}`);
}

/** Throws when `value` is not a label value. */
export function checkLabelValue(key: string, value: string): void {
  const problem = labelValueProblem(value);
  if (problem) throw usageError(`value "${value}" of label ${key}: ${problem}`);
}

/** Reads `key=value` pairs, each text one pair or several joined by commas. */
export function parseLabels(texts: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const pair of texts.flatMap((text) => text.split(','))) {
    const equals = pair.indexOf('=');
    if (equals < 0) throw usageError(`label "${pair}" has no value`, 'write it as key=value');
    const key = pair.slice(0, equals).trim();
    const value = pair.slice(equals + 1).trim();
    checkLabelKey(key);
    checkLabelValue(key, value);
    if (Object.hasOwn(labels, key) && labels[key] !== value) {
      throw usageError(`label ${key} is given twice: "${labels[key]}" and "${value}"`);
    }
    labels[key] = value;
  }
  return labels;
}

/** The opposite of parseLabels: `a=b,c=d`, keys in order. */
export function formatLabels(labels: Labels): string {
  return Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
