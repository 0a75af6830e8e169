const nested = (depth: number, open: string, close: string) => `${open.repeat(depth)}1${close.repeat(depth)}`;

const nul: [string, string] = ['a NUL', '"a\\u0000b"'];
const texts: [what: string, json: string][] = [
  ['quotes and SQL', JSON.stringify(`'"; drop table stark.pods; --`)],
  ['a dollar quote', JSON.stringify('$$; select 1; $$')],
  ['format signs', JSON.stringify('%s%I%L%n')],
  ['letters of the world', JSON.stringify('nãïve-🦊-\u202e-ß')],
  ['half a surrogate', '"\\ud800"'],
  ['nothing', '""'],
  ['a path', JSON.stringify('../../etc/passwd')],
  ['two lines', JSON.stringify('a\nb\rc')],
  ['100 kB', JSON.stringify('x'.repeat(100_000))],
  ['an object', '{"a":{"b":1}}'],
  ['a list', '["a"]'],
];
const numbers: [string, string][] = [
  ['a word', '"x"'],
  ['a fraction', '1.5'],
  ['1e999', '1e999'],
  ['1e999 as a text', '"1e999"'],
  ['more than a bigint', '9223372036854775808'],
  ['SQL', '"1; drop table stark.pods"'],
  ['an object', '{}'],
  ['a list', '[1]'],
];
const documents: [string, string][] = [
  ['a number', '5'],
  ['a text', '"x"'],
  ['SQL', JSON.stringify("'; drop table stark.pods; --")],
  ['true', 'true'],
  ['1e999', '1e999'],
  ['a list of lists', '[[[]]]'],
  ['a NUL in a key', '{"a\\u0000": "b"}'],
  ['1e999 in a field', '{"cpu": 1e999}'],
];
/** More levels than any JSON may have, whatever else it is. */
const deep: [what: string, json: string][] = [33, 2_500].flatMap((levels): [string, string][] => [
  [`${levels} lists in each other`, nested(levels, '[', ']')],
  [`${levels} objects in each other`, nested(levels, '{"a":', '}')],
]);
const byType: Record<string, [what: string, json: string][]> = {
  text: [...texts, nul],
  uuid: [
    ['a word', '"x"'],
    ['SQL', '"\'; --"'],
    ['a number', '5'],
    ['an object', '{}'],
    ['a list', '[]'],
    ['nothing', '""'],
    nul,
  ],
  bigint: numbers,
  integer: numbers,
  'double precision': numbers.filter(([what]) => what !== 'a fraction'),
  'timestamp with time zone': [
    ['a word', '"soon"'],
    ['a number', '5'],
    ['the 30th of February', '"2026-02-30"'],
    ['SQL', '"now()\'; --"'],
    ['an object', '{}'],
    nul,
  ],
  boolean: [
    ['a word', '"maybe"'],
    ['a number', '5'],
    ['an object', '{}'],
    ['a list', '[true]'],
    ['SQL', '"true or 1=1"'],
  ],
  'uuid[]': [
    ['a word', '"x"'],
    ['a list of words', '["x"]'],
    ['a list of lists', '[[]]'],
    ['a number', '5'],
    ['an object', '{"a": 1}'],
    nul,
  ],
  'text[]': [
    ['a word', '"x"'],
    ['a list of lists', '[["a"]]'],
    ['a list of SQL', '["\'; drop table stark.pods; --"]'],
    ['a list of nothing', '[null]'],
    ['an object', '{"a": 1}'],
    ['a list with a NUL', '["a\\u0000"]'],
    nul,
  ],
  jsonb: documents,
};

/** JSON texts that are no good value for an argument of this type, given what its row says of it. */
export function hostileValues(type: string, expected: string): [what: string, json: string][] {
  const values = byType[type];
  if (!values) throw new Error(`no hostile values for arguments of type ${type}: add some`);
  if (expected === 'whatever') return [];
  if (expected === 'free') return [nul];
  const shape = /unless (?:an object|a (list))$/.exec(expected);
  const fitting = shape
    ? values.filter(([, json]) => json.includes('\\') || !json.startsWith(shape[1] ? '[' : '{'))
    : values;
  return type === 'jsonb' ? [...fitting, ...deep] : fitting;
}
