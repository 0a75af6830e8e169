import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import { formatNames, formatOf, outputFormats } from './format.js';
import { nearest } from './suggest.js';

/** Flags that every command has. */
export const globalFlags = {
  output: Flags.string({
    char: 'o',
    summary: 'How to print the result.',
    helpGroup: 'GLOBAL',
    helpValue: formatNames.join('|'),
    parse: async (text) => {
      if (formatOf(text) !== undefined) return text;
      const meant = nearest(text, outputFormats);
      const suggestion = meant === undefined ? '' : `; did you mean ${meant}?`;
      throw usageError(`"${text}" is none of ${formatNames.join(', ')}${suggestion}`);
    },
  }),
  json: Flags.boolean({ summary: 'The same as --output json.', helpGroup: 'GLOBAL', exclusive: ['output'] }),
  context: Flags.string({ summary: 'Cluster to talk to (see stark context list).', helpGroup: 'GLOBAL' }),
  'request-timeout': Flags.string({
    summary: 'How long to wait for each answer of the cluster. Default: as long as it takes.',
    helpGroup: 'GLOBAL',
    helpValue: '<duration>',
  }),
  'no-color': Flags.boolean({ summary: 'No colours.', helpGroup: 'GLOBAL' }),
  debug: Flags.boolean({ summary: 'Show requests, their ids and timings, and stack traces.', helpGroup: 'GLOBAL' }),
};

/**
 * A value that is not empty. An empty one is a variable of a script that is not set, and would mean as much as possible: all of them, in
 * all namespaces, or those of another.
 */
export function notEmpty(flag: string, instead: string): (text: string) => Promise<string> {
  return async (text) => {
    if (text.trim() === '') throw usageError(`--${flag} is empty`, instead);
    return text;
  };
}

/** For commands about things that live in a namespace. */
export const namespaceFlag = {
  namespace: Flags.string({
    char: 'n',
    summary: 'Namespace.',
    parse: notEmpty('namespace', 'for the one in force leave --namespace out'),
  }),
};

/** For lists of such things. */
export const allNamespacesFlag = {
  'all-namespaces': Flags.boolean({ char: 'A', summary: 'Look in every namespace.', exclusive: ['namespace'] }),
};

/** For choosing by label. */
export const selectorFlag = {
  selector: Flags.string({
    char: 'l',
    summary: 'Only those with these labels, e.g. app=web,tier!=db.',
    parse: notEmpty('selector', 'for all of them say --all, or in a list leave --selector out'),
  }),
};

/** For lists and states that one can look at while they change. */
export const watchFlag = {
  watch: Flags.boolean({ char: 'w', summary: 'Keep watching; Ctrl-C ends it.' }),
};

/** For commands whose work goes on after the answer. */
export const waitFlags = {
  wait: Flags.string({
    summary: 'Wait until it is so, at most this long (5m when no time is given). Default on a terminal.',
    helpLabel: '--wait[=5m]',
    exclusive: ['no-wait'],
  }),
  'no-wait': Flags.boolean({ summary: 'Answer at once.' }),
};

/** For commands that would ask first. */
export const yesFlag = {
  yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
};

/** What every flag of this name says. */
export const urlFlag = { char: 'u', summary: 'URL of the Supabase project or local stack.' } as const;

/** Where to sign in, for commands that make or use a session of their own. */
export const placeFlags = {
  url: Flags.string(urlFlag),
  key: Flags.string({ summary: 'Publishable key of the project.' }),
};

/** The ways to hand over a password. */
export const passwordFlags = {
  'password-stdin': Flags.boolean({ summary: 'Read the password from standard input.', exclusive: ['password-file'] }),
  'password-file': Flags.string({ summary: 'Read the password from a file.' }),
  password: Flags.string({ char: 'p', hidden: true, exclusive: ['password-stdin', 'password-file'] }),
};

/** A flag that may be given several times; it takes one word each time and never swallows the arguments behind it. */
export function repeated(options: { char?: 's' | 't' | 'l' | 'e'; summary: string; helpValue: string }) {
  return Flags.string({ ...options, multiple: true, multipleNonGreedy: true });
}

/** Whose pods a node takes, beside its owner's and those of admins. */
export const acceptFlags = {
  accept: Flags.option({
    summary:
      "Whose pods it takes beside its owner's and those of admins: anyone's, those of some namespaces, or nobody's.",
    options: ['anyone', 'namespaces', 'owner'] as const,
  })(),
  'accept-namespace': repeated({
    summary: 'With --accept namespaces: a namespace whose pods it takes; may be repeated.',
    helpValue: '<namespace>',
  }),
};

/** The arguments of functions for these flags; none when they were not given. */
export function acceptance(flags: {
  accept?: 'anyone' | 'namespaces' | 'owner' | undefined;
  'accept-namespace'?: string[] | undefined;
}): { p_accepts?: 'anyone' | 'namespaces' | 'owner' | undefined; p_accepted_namespaces?: string[] } {
  const { accept, 'accept-namespace': namespaces } = flags;
  if (accept === undefined && namespaces === undefined) return {};
  if ((accept === 'namespaces') !== (namespaces !== undefined))
    throw usageError(
      '--accept namespaces and --accept-namespace go together',
      'e.g. --accept namespaces --accept-namespace team-a',
    );
  return { p_accepts: accept, ...(namespaces && { p_accepted_namespaces: namespaces }) };
}

/**
 * Words that a command works on, several at once; oclif would read a missing one from stdin, and wait for it. It gives an array of
 * what each was parsed to, which its types do not say: each is a list of one, and the base command joins them.
 */
function words(description: string) {
  return Args.custom<string[]>({ description, multiple: true, ignoreStdin: true, parse: async (text) => [text] });
}

/** Words of which none may be given. */
export const optionalWords = (description: string) => words(description)();

/** Names of one kind to work on. */
export const names = (kind: string) => words(`Name of a ${kind}; several may be given.`)({ required: true });

/** The same where none means all. */
export const optionalNames = (kind: string) => optionalWords(`Name of a ${kind}; several may be given.`);

/** Things of any kind to work on. */
export const things = () => words('A kind, a kind and names, or TYPE/NAME several times.')({ required: true });

/** The same where none means all. */
export const optionalThings = () => optionalWords('A kind, a kind and names, or TYPE/NAME several times.');

/** One argument that must be there. */
export function argument(description: string) {
  return Args.string({ description, ignoreStdin: true, required: true });
}

/** What `stark label` and `stark annotate` take: things of any kind, and behind them what is changed of them. */
export const relabelArgs = {
  what: words('A kind and names, or TYPE/NAME several times; then key=value or key-, several times.')({
    required: true,
  }),
};

export const relabelFlags = {
  ...namespaceFlag,
  ...selectorFlag,
  all: Flags.boolean({ summary: 'All of the kind, of the namespace where they have one.', exclusive: ['selector'] }),
  overwrite: Flags.boolean({ summary: 'Also where it has another value.' }),
};

export const relabelDescription =
  'key=value sets one, key- takes it away. What has another value already is changed with --overwrite only.';
