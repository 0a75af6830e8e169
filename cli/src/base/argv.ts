import { usageError } from '@stark-o/core/errors';

/** Other names of our nouns: plurals and the short names that kubectl taught people. */
export const nouns: Readonly<Record<string, readonly string[]>> = {
  pod: ['po', 'pods'],
  node: ['no', 'nodes'],
  pack: ['packs'],
  context: ['ctx', 'contexts'],
  namespace: ['ns', 'namespaces'],
  priorityclass: ['pc', 'priorityclasses'],
  role: ['roles'],
};

/** Other names of our verbs, per noun. */
export const verbs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  pod: { get: 'list', ls: 'list', describe: 'status', show: 'status', rm: 'delete', remove: 'delete', log: 'logs' },
  node: { get: 'list', ls: 'list', show: 'describe', rm: 'delete', remove: 'delete' },
  pack: { get: 'list', ls: 'list', describe: 'versions', show: 'versions' },
  namespace: { get: 'list', ls: 'list', describe: 'list', show: 'list' },
  priorityclass: { get: 'list', ls: 'list', describe: 'list', show: 'list' },
  role: { get: 'list', ls: 'list', describe: 'list', show: 'list' },
  context: { get: 'list', ls: 'list', rm: 'delete', remove: 'delete', current: 'show' },
};

// Verbs that mean pods when no noun is said.
const podVerbs = new Set(['logs', 'log']);

// Global flags that may stand in front of the command and take a value.
const leadingWithValue = new Set(['-n', '--namespace', '-o', '--output', '--context']);

const nounOf = new Map(
  Object.entries(nouns).flatMap(([noun, others]) => [noun, ...others].map((word) => [word, noun])),
);

/**
 * Puts a command line into the one order that the rest of the program knows: `noun verb args flags`. Understands
 * `get pods`, `po ls`, `delete pod/a`, `logs alpha`, `help pod list`, and global flags in front.
 */
export function normaliseArgv(argv: readonly string[]): string[] {
  const { leading, rest } = takeLeadingFlags(argv);
  if (rest[0] === 'help') return normaliseArgv([...rest.slice(1), ...leading, '--help']);
  const words = [...rest];
  spreadTypedName(words);
  const first = words[0];
  const second = words[1];
  if (first === undefined) return [...leading];
  const known = nounOf.get(first);
  if (known !== undefined) words[0] = known;
  else if (second !== undefined && !second.startsWith('-') && nounOf.has(second)) {
    words.splice(0, 2, nounOf.get(second) ?? second, first);
  } else if (podVerbs.has(first)) words.unshift('pod');
  const noun = words[0] ?? '';
  const verb = words[1];
  if (verb !== undefined) words[1] = verbs[noun]?.[verb] ?? verb;
  const head = words.length > 1 && nounOf.has(noun) ? 2 : 1;
  return [...words.slice(0, head), ...leading, ...words.slice(head)];
}

function takeLeadingFlags(argv: readonly string[]): { leading: string[]; rest: readonly string[] } {
  let index = 0;
  while (index < argv.length) {
    const word = argv[index] ?? '';
    if (!word.startsWith('-') || word === '--') break;
    index += leadingWithValue.has(word) ? 2 : 1;
  }
  return { leading: argv.slice(0, index), rest: argv.slice(index) };
}

// `delete pod/a` names its noun in the argument.
function spreadTypedName(words: string[]): void {
  const typed = words[1];
  if (typed === undefined || typed.startsWith('-') || nounOf.has(words[0] ?? '')) return;
  const noun = nounOf.get(typed.split('/')[0] ?? '');
  if (noun !== undefined && typed.includes('/')) words.splice(1, 0, noun);
}

/** The name in `TYPE/name`, for an argument of that type; a name alone is itself. */
export function bareName(noun: string, text: string): string {
  const slash = text.indexOf('/');
  const type = slash < 0 ? undefined : nounOf.get(text.slice(0, slash));
  if (type === undefined) return text;
  if (type !== noun) throw usageError(`${text} is no ${noun}`, `one kind at a time: stark ${type} …`);
  return text.slice(slash + 1);
}
