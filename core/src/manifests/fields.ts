import * as v from 'valibot';
import { labelKeyProblem, labelValueProblem } from '../model/labels.js';
import { dnsLabelProblem, dnsNameProblem, packNameProblem, versionProblem } from '../model/names.js';
import { parseCpu, parseMemory } from '../model/quantity.js';

/** A field and what it is for, as `stark explain` and the JSON Schema tell it. */
export function described<S extends v.GenericSchema>(description: string, schema: S) {
  return v.pipe(schema, v.description<v.InferOutput<S>, string>(description));
}

/** The same of one that may be left out. */
export function optional<S extends v.GenericSchema>(description: string, schema: S) {
  return v.optional(described(description, schema));
}

// Turns a "why not" function into a check whose message is that reason.
function named(problem: (text: string) => string | undefined) {
  return v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const reason = problem(dataset.value);
      if (reason) addIssue({ message: `"${dataset.value}": ${reason}` });
    }),
  );
}

export const dnsLabel = named(dnsLabelProblem);
export const dnsName = named(dnsNameProblem);
export const packName = named(packNameProblem);
// `latest` and the absence of a version mean the same: the newest one that is ready.
export const versionOrLatest = named((text) => (text === 'latest' ? undefined : versionProblem(text)));
export const version = named(versionProblem);

/** An object with arbitrary keys; valibot's own `record` would take a list for one. */
export function dictionary<T extends v.GenericSchema<unknown, unknown>>(value: T) {
  return v.pipe(
    v.custom<{ [key: string]: v.InferInput<T> }>(
      (input) => typeof input === 'object' && input !== null && !Array.isArray(input),
      'must be an object',
    ),
    v.record(v.string(), value),
  );
}

export const labels = v.pipe(
  dictionary(v.string()),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const [key, value] of Object.entries(dataset.value)) {
      const inKey = labelKeyProblem(key);
      const inValue = labelValueProblem(value);
      if (inKey) addIssue({ message: `key "${key}": ${inKey}` });
      else if (inValue) addIssue({ message: `value "${value}" of ${key}: ${inValue}` });
    }
  }),
);

/** A quantity written as a number or a text; the message of its parser is the message of the check. */
function quantity(parse: (value: string | number) => number) {
  return v.pipe(
    v.union([v.number(), v.string()]),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      try {
        return parse(dataset.value);
      } catch (error) {
        addIssue({ message: (error as Error).message });
        return NEVER;
      }
    }),
  );
}

export const cpu = quantity(parseCpu);
export const memory = quantity(parseMemory);

/** A whole number within bounds. */
export function whole(from: number, to: number) {
  const message = `must be a whole number from ${from} to ${to}`;
  return v.pipe(v.number(), v.integer(message), v.minValue(from, message), v.maxValue(to, message));
}
