const LONGEST_HEADLINE = 500;
const DEEPEST = 12;
/** What an Error has under these names is shown by itself. */
const OF_AN_ERROR = new Set(['name', 'message', 'stack', 'cause', 'errors']);

/** Turns a value into text as `console.error` does; a world's own inspector, which may throw. */
export type Inspect = (value: unknown) => string;

/** The value as text for a log. Nothing that a pack has made of it, or of the language, makes this throw. */
export function textOf(value: unknown, inspect: Inspect): string {
  if (typeof value === 'string') return value;
  return guarded(() => inspect(value)) ?? guarded(() => plainText(value)) ?? 'a value that cannot be shown';
}

/** What went wrong, in one line: name and message, and what caused it. */
export function headline(error: unknown, inspect: Inspect): string {
  const text = guarded(() => lineOf(error, inspect)) ?? textOf(error, inspect);
  const [first = ''] = text.split('\n', 1);
  return first.slice(0, LONGEST_HEADLINE);
}

function lineOf(error: unknown, inspect: Inspect, depth = 0): string {
  if (!isError(error)) {
    // An object over several lines would be cut at its opening brace.
    const text = textOf(error, inspect);
    return typeof error === 'object' ? text.replaceAll(/\s*\n\s*/g, ' ') : text;
  }
  const { resource, permission } = error as { resource?: unknown; permission?: unknown };
  let text = firstLine(nameAndMessage(error));
  if (typeof resource === 'string' && typeof permission === 'string' && !text.includes(resource)) {
    text += ` (${[permission, resource].filter((part) => part !== '').join(' ')})`;
  }
  if (depth === 3) return text;
  const { cause, errors } = error as { cause?: unknown; errors?: unknown };
  const below = [...(Array.isArray(errors) ? errors.slice(0, 5) : []), ...(cause === undefined ? [] : [cause])];
  const causes = below.map((one) => lineOf(one, inspect, depth + 1)).filter((line) => line !== '');
  return causes.length === 0 ? text : `${text} (caused by ${causes.join('; ')})`;
}

/** What an inspector shows of an error, without one: the stack, the causes, the errors and the properties. */
export function plainText(value: unknown, depth = 0): string {
  if (!isError(value)) {
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value !== 'object' || value === null) return String(value);
    return JSON.stringify(storable(value));
  }
  const { cause, errors } = value as { cause?: unknown; errors?: unknown };
  const parts = [guarded(() => value.stack || undefined) ?? nameAndMessage(value)];
  const own = Object.keys(value).filter((key) => !OF_AN_ERROR.has(key));
  if (own.length > 0) {
    const properties = Object.fromEntries(own.map((key) => [key, guarded(() => (value as never)[key])]));
    parts.push(JSON.stringify(storable(properties)));
  }
  if (depth < DEEPEST) {
    if (Array.isArray(errors)) for (const one of errors) parts.push(`[errors]: ${plainText(one, depth + 1)}`);
    if (cause !== undefined) parts.push(`[cause]: ${plainText(cause, depth + 1)}`);
  }
  return parts.join('\n');
}

/** The value as JSON can hold it, with what JSON itself would drop or refuse. */
export function storable(value: unknown, above: readonly unknown[] = []): unknown {
  switch (typeof value) {
    case 'bigint':
      return `${value}n`;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'symbol':
      return String(value);
    case 'function':
      return `[Function: ${guarded(() => value.name) || '(anonymous)'}]`;
    case 'object':
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (above.includes(value)) return '[Circular]';
  if (above.length === DEEPEST) return Array.isArray(value) ? '[Array]' : '[Object]';
  const held = guarded(() => [storableObject(value, [...above, value])]);
  return held === undefined ? '[cannot be shown]' : held[0];
}

function storableObject(value: object, above: readonly unknown[]): unknown {
  if (isError(value)) return storableError(value, above);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (value instanceof Map) {
    const entries = [...value];
    if (!entries.every(([key]) => typeof key === 'string')) return storable(entries, above.slice(0, -1));
    return storableEntries(entries as [string, unknown][], above);
  }
  if (value instanceof Set) return [...value].map((member) => storable(member, above));
  if (ArrayBuffer.isView(value)) return `[${value.constructor.name}: ${value.byteLength} bytes]`;
  if (value instanceof ArrayBuffer) return `[ArrayBuffer: ${value.byteLength} bytes]`;
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return storable(toJSON.call(value, ''), above);
  if (Array.isArray(value)) return value.map((member) => storable(member, above) ?? null);
  if (value instanceof Promise) return '[Promise]';
  // Boxed values are what they hold.
  if (value instanceof String || value instanceof Number || value instanceof Boolean) return value.valueOf();
  return storableEntries(
    Object.keys(value).map((key) => [key, guarded(() => [(value as Record<string, unknown>)[key]])]),
    above,
    true,
  );
}

/** Entries as an object; `boxed` ones are in a list, or undefined where reading them threw. */
function storableEntries(entries: [string, unknown][], above: readonly unknown[], boxed = false): object {
  const object: Record<string, unknown> = {};
  for (const [key, value] of entries) {
    const member = boxed ? (value as [unknown] | undefined) : [value];
    const shown = member === undefined ? '[cannot be read]' : storable(member[0], above);
    if (shown !== undefined) Object.defineProperty(object, key, { value: shown, enumerable: true, configurable: true });
  }
  return object;
}

function storableError(error: Error, above: readonly unknown[]): object {
  const { cause, errors } = error as { cause?: unknown; errors?: unknown };
  const own = Object.keys(error).filter((key) => !OF_AN_ERROR.has(key));
  return {
    name: guarded(() => String(error.name)) ?? 'Error',
    message: guarded(() => String(error.message)) ?? '',
    ...storableEntries(
      own.map((key) => [key, guarded(() => [(error as unknown as Record<string, unknown>)[key]])]),
      above,
      true,
    ),
    ...(Array.isArray(errors) && { errors: errors.map((one) => storable(one, above)) }),
    ...(cause !== undefined && { cause: storable(cause, above) }),
    stack: guarded(() => String(error.stack)) ?? '',
  };
}

/** An error of this world or of another, such as a `vm` context or a frame. */
export function isError(value: unknown): value is Error {
  return (
    value instanceof Error ||
    (typeof value === 'object' && guarded(() => String({}.toString.call(value))) === '[object Error]')
  );
}

function nameAndMessage(error: Error): string {
  const name = guarded(() => String(error.name)) ?? 'Error';
  const message = guarded(() => String(error.message)) ?? '';
  return message === '' ? name : `${name}: ${message}`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

function guarded<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
