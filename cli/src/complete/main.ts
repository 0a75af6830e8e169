// Before anything asks for the home.
import '../base/account.js';

import { readFile } from 'node:fs/promises';
import { type Candidate, completionOf, type DescribedCommand } from './candidates.js';
import { typedLine } from './line.js';
import type { NamesQuery } from './names.js';

/**
 * `stark __complete LINE`: what may stand at the end of a line that somebody types, one a line, each with what it is behind a tab. The
 * scripts of `stark completion` call it at every stroke of the Tab key, so it loads nothing of oclif, and says nothing when anything is
 * wrong. A choice that is not made of harmless letters is left out: the shell puts it into the line as it stands.
 */
export async function complete(args: readonly string[]): Promise<void> {
  try {
    if (args[0] === '--refresh') {
      const { refreshNames } = await import('./names.js');
      await refreshNames(JSON.parse(args[1] ?? '') as NamesQuery);
      return;
    }
    const candidates = await candidatesFor(args[0] ?? '');
    const text = candidates.map(lineOf).join('');
    await new Promise<void>((done) => process.stdout.write(text, () => done()));
  } catch {
    // A shell that completes a line shows no errors; the command that is run in the end tells them.
  }
}

/** What may stand at the end of the line. */
async function candidatesFor(line: string): Promise<Candidate[]> {
  const { words, current } = typedLine(line);
  const { candidates, names } = completionOf(await describedCommands(), words, current);
  const fitting = candidates.filter(({ value }) => value.startsWith(current));
  const asked = names.filter(({ prefix }) => current.startsWith(prefix) || prefix.startsWith(current));
  if (asked.length === 0) return fitting;
  const { namesOf } = await import('./names.js');
  const { namespace, context } = spokenFlags(words);
  const found = await Promise.all(
    asked.map(async (one) => {
      const start = current.slice(one.prefix.length);
      const live = await namesOf({ ...one, start, namespace, context }).catch(() => []);
      return live.filter((name) => name.startsWith(start)).map((name) => ({ value: `${one.prefix}${name}` }));
    }),
  );
  const already = new Set(words);
  return [...found.flat().filter(({ value }) => !already.has(value)), ...fitting].filter(isHarmless);
}

const isHarmless = ({ value }: Candidate) => /^[\w.@/:+%=,-]+$/.test(value);

const lineOf = ({ value, about }: Candidate) => `${value}${about === undefined ? '' : `\t${about}`}\n`;

async function describedCommands(): Promise<DescribedCommand[]> {
  const text = await readFile(new URL('../../oclif.manifest.json', import.meta.url), 'utf8');
  return Object.values((JSON.parse(text) as { commands: Record<string, DescribedCommand> }).commands);
}

/** The namespace and the context that the line names. */
function spokenFlags(words: readonly string[]): { namespace?: string | undefined; context?: string | undefined } {
  const flagValue = (...names: string[]) => {
    for (const [at, word] of words.entries()) {
      if (names.includes(word)) return words[at + 1];
      const name = names.find((one) => word.startsWith(`${one}=`));
      if (name !== undefined) return word.slice(name.length + 1);
    }
    return undefined;
  };
  return { namespace: flagValue('-n', '--namespace'), context: flagValue('--context') };
}
