import { usageError } from '@stark-o/core/errors';
import { KINDS, type Kind, kindNamed } from '@stark-o/core/kinds';

/** Other names of our nouns: plurals and the short names that kubectl taught people. */
export const nouns: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(Object.values(KINDS).map(({ kind, plural, aliases }) => [kind, [plural, ...aliases]])),
  context: ['ctx', 'contexts'],
};

/** What every kind of thing can be asked or told, and the command that does so for those that have none of their own. */
export const genericCommands: Readonly<Record<string, string>> = {
  list: 'get',
  describe: 'describe',
  events: 'events',
  wait: 'wait',
  delete: 'delete',
  watch: 'watch',
  label: 'label',
  annotate: 'annotate',
  top: 'top',
  explain: 'explain',
};

const synonyms = { get: 'list', ls: 'list', show: 'describe', rm: 'delete', remove: 'delete' };

/** Other names of our verbs, per noun. */
export const verbs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ...Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, synonyms])),
  deployment: { ...synonyms, show: 'status' },
  pod: { ...synonyms, describe: 'status', show: 'status', log: 'logs' },
  node: { ...synonyms, status: 'describe' },
  context: { get: 'list', ls: 'list', rm: 'delete', remove: 'delete', current: 'show' },
};

// Verbs that mean pods when no noun is said.
const podVerbs = new Set(['logs', 'log', 'debug']);

// Global flags that may stand in front of the command and take a value.
const leadingWithValue = new Set(['-n', '--namespace', '-o', '--output', '--context']);

const nounOf = new Map(
  Object.entries(nouns).flatMap(([noun, others]) => [noun, ...others].map((word) => [word, noun])),
);

/**
 * Puts a command line into the one order that the rest of the program knows: `noun verb args flags`. Understands
 * `get pods`, `po ls`, `delete pod/a`, `logs alpha`, `help pod list`, and global flags in front. Several kinds at once
 * (`get pods,nodes`, `delete pod/a node/b`) stay behind their verb.
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

/** Leads a noun and a verb that have no command of their own to the one that serves every kind. */
export function toExisting(words: readonly string[], exists: (id: string) => boolean): string[] {
  const [noun = '', verb = '', ...rest] = words;
  const generic = genericCommands[verb];
  if (kindNamed(noun) === undefined || generic === undefined || exists(`${noun}:${verb}`)) return [...words];
  return [generic, noun, ...rest];
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
  if (typed === undefined || typed.startsWith('-') || nounOf.has(words[0] ?? '') || podVerbs.has(words[0] ?? ''))
    return;
  const noun = typeOf(typed);
  const end = words.findIndex((word, at) => at > 0 && word.startsWith('-'));
  const others = words.slice(2, end < 0 ? words.length : end).map(typeOf);
  if (noun !== undefined && others.every((other) => other === undefined || other === noun)) words.splice(1, 0, noun);
}

function typeOf(word: string): string | undefined {
  const slash = word.indexOf('/');
  return slash < 0 ? undefined : nounOf.get(word.slice(0, slash));
}

/** The name in `TYPE/name`, for an argument of that type; a name alone is itself. */
export function bareName(noun: string, text: string): string {
  const type = typeOf(text);
  if (type === undefined) return text;
  if (type !== noun) throw usageError(`${text} is no ${noun}`, `one kind at a time: stark ${type} …`);
  return text.slice(text.indexOf('/') + 1);
}

/** Things of one kind that a command line names; all of them where it names none. */
export interface Target {
  kind: Kind;
  names: string[] | undefined;
}

/** Reads `TYPE`, `TYPE,TYPE`, `TYPE NAME...` and `TYPE/NAME...`, as kubectl does. */
export function targetsOf(words: readonly string[]): Target[] {
  const [first = '', ...rest] = words;
  if (first.includes('/')) return typedTargets(words);
  const kinds = first.split(',').map(kindOrRefuse);
  if (rest.length === 0) return kinds.map((kind) => ({ kind, names: undefined }));
  const [kind, ...more] = kinds;
  if (kind === undefined || more.length > 0) {
    throw usageError('names go with one kind', 'name several kinds as TYPE/NAME, e.g. pod/alpha node/laptop');
  }
  return [{ kind, names: rest.map((text) => bareName(kind, text)) }];
}

function typedTargets(words: readonly string[]): Target[] {
  const byKind = new Map<Kind, string[]>();
  for (const word of words) {
    const slash = word.indexOf('/');
    if (slash < 0) throw usageError(`"${word}" has no type`, `with several kinds write TYPE/NAME, e.g. pod/${word}`);
    const kind = kindOrRefuse(word.slice(0, slash));
    byKind.set(kind, [...(byKind.get(kind) ?? []), word.slice(slash + 1)]);
  }
  return [...byKind].map(([kind, names]) => ({ kind, names }));
}

function kindOrRefuse(word: string): Kind {
  const kind = kindNamed(word);
  if (kind === undefined) throw usageError(`"${word}" is no kind of thing`, 'stark api-resources');
  return kind;
}
