import { KINDS, type Kind, kindNamed } from '@stark-o/core/kinds';
import { genericCommands, normaliseArgv, nouns, toExisting, verbs } from '../base/argv.js';
import { outputFormats } from '../base/format.js';

/** What oclif.manifest.json says of a command. */
export interface DescribedCommand {
  id: string;
  summary?: string;
  hidden?: boolean;
  aliases?: string[];
  args: Record<string, { name: string; multiple?: boolean; options?: string[] }>;
  flags: Record<string, DescribedFlag>;
}

interface DescribedFlag {
  name: string;
  char?: string;
  type: 'boolean' | 'option';
  summary?: string;
  hidden?: boolean;
  multiple?: boolean;
  options?: string[];
}

/** Something that may be typed next, and what it is. */
export interface Candidate {
  value: string;
  about?: string | undefined;
}

/** Names that only the cluster, or this machine, knows: those of a kind, in the namespace and context that were typed. */
export interface Wanted {
  kind: Kind | 'context';
  /** What stands before each name: `pod/`, `--namespace=`. */
  prefix: string;
}

export interface Completion {
  candidates: Candidate[];
  names: Wanted[];
}

const nothing: Completion = { candidates: [], names: [] };

/** Flags whose value is the name of a kind of thing. */
const FLAG_KINDS: Readonly<Record<string, Wanted['kind']>> = {
  context: 'context',
  namespace: 'namespace',
  'accept-namespace': 'namespace',
  pack: 'pack',
  node: 'node',
  role: 'role',
  'priority-class': 'priorityclass',
};

/** Topics whose things have another name. */
const TOPIC_KINDS: Readonly<Record<string, Wanted['kind']>> = { rollout: 'deployment', 'node token': 'jointoken' };

/** Commands that make what they name: no name that is there fits. */
const MAKING = new Set(['deployment:create', 'namespace:create', 'role:create']);

/** What may stand at the cursor. */
export function completionOf(
  commands: readonly DescribedCommand[],
  words: readonly string[],
  current: string,
): Completion {
  if (words.includes('--')) return nothing;
  const command = commandOf(commands, words);
  const flags = flagsOf(command?.described ?? commands.find(({ id }) => id === 'version'));
  const last = words.at(-1);
  const asked = last === undefined ? undefined : flagNamed(flags, last);
  if (asked?.type === 'option') return valuesOf(asked, '');
  const [, typed = '', name = ''] = /^(--([a-z-]+)=)/.exec(current) ?? [];
  if (typed !== '')
    return valuesOf(
      flags.find((flag) => flag.name === name),
      typed,
    );
  if (current.startsWith('-')) return { ...nothing, candidates: flags.map(candidateOf) };
  return argumentsOf(commands, withoutFlags(words, flags), current, command);
}

interface Found {
  described: DescribedCommand;
  /** How many of the words name it. */
  length: number;
  /** The words behind its name, flags left out. */
  rest: readonly string[];
}

function commandOf(commands: readonly DescribedCommand[], words: readonly string[]): Found | undefined {
  const ids = new Map(commands.map((command) => [command.id, command]));
  const all = toExisting(normaliseArgv(words), (id) => ids.has(id));
  const end = all.findIndex((word) => word.startsWith('-'));
  const leading = end < 0 ? all : all.slice(0, end);
  for (let length = Math.min(3, leading.length); length > 0; length--) {
    const described = ids.get(leading.slice(0, length).join(':'));
    if (described !== undefined) {
      return { described, length, rest: withoutFlags(all.slice(length), flagsOf(described)) };
    }
  }
  return undefined;
}

function flagsOf(command: DescribedCommand | undefined): DescribedFlag[] {
  return Object.values(command?.flags ?? {}).filter(({ hidden }) => !hidden);
}

function flagNamed(flags: readonly DescribedFlag[], word: string): DescribedFlag | undefined {
  if (/^-[a-zA-Z]$/.test(word)) return flags.find(({ char }) => char === word[1]);
  return word.startsWith('--') ? flags.find(({ name }) => name === word.slice(2)) : undefined;
}

function withoutFlags(words: readonly string[], flags: readonly DescribedFlag[]): string[] {
  return words.filter((word, at) => {
    const before = words[at - 1];
    const takesIt = before !== undefined && flagNamed(flags, before)?.type === 'option';
    return !word.startsWith('-') && !takesIt;
  });
}

const candidateOf = ({ name, summary }: DescribedFlag): Candidate => ({ value: `--${name}`, about: summary });

function valuesOf(flag: DescribedFlag | undefined, prefix: string): Completion {
  if (flag === undefined) return nothing;
  const options = flag.name === 'output' ? [...outputFormats, 'jsonpath=', 'custom-columns='] : flag.options;
  const candidates = (options ?? []).map((value) => ({ value: `${prefix}${value}` }));
  const kind = FLAG_KINDS[flag.name];
  return { candidates, names: kind === undefined ? [] : [{ kind, prefix }] };
}

function argumentsOf(
  commands: readonly DescribedCommand[],
  words: readonly string[],
  current: string,
  command: Found | undefined,
): Completion {
  const verbsHere = nextWords(commands, words);
  if (command === undefined) return { candidates: verbsHere, names: [] };
  const { described, rest } = command;
  const args = Object.values(described.args);
  const arg = args[Math.min(rest.length, args.length - 1)];
  const isTaken = arg === undefined || (rest.length >= args.length && arg.multiple !== true);
  if (isTaken) return { candidates: verbsHere, names: [] };
  if (arg.name === 'what' || arg.name === 'field') return thingsOf(described.id, rest, current, arg.name);
  if (arg.options !== undefined) return { candidates: arg.options.map((value) => ({ value })), names: [] };
  const kind = kindOfArgument(described.id, arg.name);
  return { candidates: verbsHere, names: kind === undefined ? [] : [{ kind, prefix: '' }] };
}

/** The kind of things that an argument names, by its own name or by the topic of its command. */
function kindOfArgument(id: string, arg: string): Wanted['kind'] | undefined {
  if (MAKING.has(id)) return undefined;
  const topic = id.split(':').slice(0, -1).join(' ');
  if (arg in nouns) return arg as Wanted['kind'];
  if (arg !== 'name' && arg !== 'id') return undefined;
  if (topic === 'context') return 'context';
  return TOPIC_KINDS[topic] ?? kindNamed(topic);
}

/** `get`, `describe`, `delete` and the like: a kind, then names of it; or TYPE/NAME. */
function thingsOf(id: string, rest: readonly string[], current: string, arg: string): Completion {
  if (arg === 'field') return { candidates: kindCandidates(), names: [] };
  const slash = current.indexOf('/');
  const typed = slash < 0 ? undefined : kindNamed(current.slice(0, slash));
  if (typed !== undefined) return { candidates: [], names: [{ kind: typed, prefix: current.slice(0, slash + 1) }] };
  if (id === 'pod:logs') return { candidates: [{ value: 'deployment/' }], names: [{ kind: 'pod', prefix: '' }] };
  const [first] = rest;
  if (first === undefined) return { candidates: kindCandidates(), names: [] };
  const kind = kindNamed(first);
  return { candidates: [], names: kind === undefined ? [] : [{ kind, prefix: '' }] };
}

const kindCandidates = (): Candidate[] =>
  Object.values(KINDS).map(({ plural, summary }) => ({ value: plural, about: summary }));

/** Topics, commands, and verbs of a noun, that may follow the words. */
function nextWords(commands: readonly DescribedCommand[], words: readonly string[]): Candidate[] {
  const [first] = words;
  const noun = first === undefined ? undefined : (nounNamed(first) ?? first);
  const above = noun === undefined ? [] : [noun, ...words.slice(1)];
  const found = new Map<string, Candidate>();
  for (const { id, summary, hidden } of commands) {
    const parts = id.split(':');
    if (hidden || parts.length <= above.length || above.some((word, at) => parts[at] !== word)) continue;
    const value = parts[above.length] ?? '';
    const isWhole = parts.length === above.length + 1;
    if (isWhole || !found.has(value))
      found.set(value, { value, about: isWhole ? summary : kindNamed(value) && KINDS[value as Kind]?.summary });
  }
  if (above.length === 0) {
    for (const { kind, summary } of Object.values(KINDS))
      if (!found.has(kind)) found.set(kind, { value: kind, about: summary });
  } else if (above.length === 1 && kindNamed(noun ?? '') !== undefined) {
    for (const [verb, id] of Object.entries(genericCommands)) {
      const about = commands.find((command) => command.id === id)?.summary;
      if (!found.has(verb) && verbs[noun ?? '']?.[verb] === undefined) found.set(verb, { value: verb, about });
    }
  }
  return [...found.values()];
}

function nounNamed(word: string): string | undefined {
  return Object.entries(nouns).find(([noun, others]) => noun === word || others.includes(word))?.[0];
}
