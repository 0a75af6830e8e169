const operators = [
  'eq',
  'neq',
  'lt',
  'lte',
  'gt',
  'gte',
  'in',
  'like',
  'ilike',
  'is',
  'match',
  'imatch',
  'isdistinct',
] as const;

export interface ChangeFilter {
  column: string;
  operator: (typeof operators)[number];
  /** As Postgres takes it: for `in` an array literal. */
  value: string;
  negate: boolean;
}

/** Understands `column=op.value,column=not.op.value`; all conditions must hold. Throws Error with what is wrong. */
export function parseFilters(text: string): ChangeFilter[] {
  const trimmed = text.trim();
  return trimmed === '' ? [] : split(trimmed).map(parseFilter);
}

/** Cuts at commas that stand neither in quotes nor in parentheses. */
function split(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  let depth = 0;
  let quoted = false;
  let previous = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (quoted) {
      part += char;
      if (char === '\\' && at + 1 < text.length) part += text[++at];
      else if (char === '"') quoted = false;
    } else if (char === ',' && depth === 0) {
      parts.push(part);
      part = '';
      previous = '';
      continue;
    } else {
      // A quote opens only where a value may begin; inside a value it is a character like any other.
      if (char === '"' && (previous === '.' || previous === '(' || previous === ',')) quoted = true;
      else if (char === '(') depth++;
      else if (char === ')') depth = Math.max(0, depth - 1);
      part += char;
    }
    previous = char;
  }
  parts.push(part);
  return parts;
}

function parseFilter(text: string): ChangeFilter {
  const trimmed = text.trim();
  if (trimmed === '') throw new Error('filter must not contain empty segments (check for extra commas)');
  const [column, condition] = cut(trimmed, '=');
  if (condition === null) throw new Error(inspect([column]));
  const negate = condition.startsWith('not.');
  const [operator, value] = cut(negate ? condition.slice('not.'.length) : condition, '.');
  if (value === null) throw new Error(inspect([operator]));
  if (!isOperator(operator)) throw new Error(inspect([operator, value]));
  return { column, operator, value: operator === 'in' ? arrayLiteral(value) : unquoted(value), negate };
}

function arrayLiteral(value: string): string {
  if (value.length >= 2 && value.startsWith('(') && value.endsWith(')')) return `{${value.slice(1, -1)}}`;
  throw new Error('`in` filter value must be wrapped by parentheses');
}

/** The inside of a value that is quoted from its first to its last character; any other value as it is. */
function unquoted(value: string): string {
  const match = /^"((?:[^"\\]|\\.)*)"$/s.exec(value);
  return match === null ? value : (match[1] as string).replace(/\\(.)/gs, '$1');
}

function isOperator(name: string): name is ChangeFilter['operator'] {
  return (operators as readonly string[]).includes(name);
}

function cut(text: string, separator: string): [string, string | null] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

function inspect(parts: string[]): string {
  return `[${parts.map((part) => JSON.stringify(part)).join(', ')}]`;
}
