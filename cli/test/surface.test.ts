import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kindNamed } from '@stark-o/core/kinds';
import { beforeAll, describe, expect, it } from 'vitest';
import { genericCommands, nouns, verbs } from '../src/base/argv.js';
import { buildManifest } from '../src/manifest.js';
import { packageRoot } from './support/run.js';

interface Flag {
  char?: string;
  aliases?: string[];
  type: 'boolean' | 'option';
  multiple?: boolean;
  options?: string[];
  env?: string;
  required?: boolean;
  hidden?: boolean;
  default?: unknown;
  deprecated?: unknown;
}
interface Described {
  id: string;
  summary?: string;
  examples?: string[];
  aliases: string[];
  hidden?: boolean;
  args: Record<string, { required?: boolean; multiple?: boolean }>;
  flags: Record<string, Flag>;
}

const path = join(packageRoot, 'test', 'command-snapshot.json');
let commands: Described[];

beforeAll(async () => {
  commands = Object.values((await buildManifest(packageRoot)).commands) as Described[];
});

/** What scripts out there may rely on: change it with intent, by `npm run snapshot -w @stark-o/cli`. */
function surface(): unknown[] {
  return commands
    .map(({ id, aliases, args, flags }) => ({
      command: id.replaceAll(':', ' '),
      aliases: aliases.map((alias) => alias.replaceAll(':', ' ')),
      args: Object.entries(args).map(([name, { required, multiple }]) => {
        return `${name}${multiple ? '...' : ''}${required ? ' (required)' : ''}`;
      }),
      flags: Object.fromEntries(
        Object.entries(flags)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, flag]) => [name, describeFlag(flag)]),
      ),
    }))
    .sort((a, b) => (a.command < b.command ? -1 : 1));
}

function describeFlag(flag: Flag): string {
  return [
    flag.type === 'boolean' ? 'switch' : (flag.options?.join('|') ?? 'value'),
    flag.char && `-${flag.char}`,
    flag.multiple && 'repeated',
    flag.required && 'required',
    flag.env && `$${flag.env}`,
    flag.default !== undefined && `default ${flag.default}`,
    flag.hidden && 'hidden',
    flag.deprecated && 'deprecated',
  ]
    .filter(Boolean)
    .join(' ');
}

describe('the surface of the command line', () => {
  it('is what the snapshot says', () => {
    const now = surface();
    if (process.env.UPDATE_SNAPSHOT) writeFileSync(path, `${JSON.stringify(now, null, 2)}\n`);
    expect(now).toEqual(JSON.parse(readFileSync(path, 'utf8')));
  });

  it('has a summary and two examples with long flags for every command', () => {
    for (const { id, summary, examples } of commands) {
      expect(summary, id).toMatch(/^[A-Z].*\.$/);
      expect(examples, id).toHaveLength(2);
      for (const example of examples ?? []) {
        expect(example, id).toContain(`<%= config.bin %> ${id.replaceAll(':', ' ')}`);
        expect(example.match(/ -[a-zA-Z]\b/g), example).toBeNull();
      }
    }
  });

  it('has examples that use only flags that exist', () => {
    for (const { id, examples, flags } of commands) {
      for (const [, name = ''] of (examples ?? []).join(' ').matchAll(/ --([a-z-]+)/g)) {
        expect(Object.keys(flags), `${id} --${name}`).toContain(name);
      }
    }
  });

  it('has a one-letter flag mean one thing inside a command', () => {
    for (const { id, flags } of commands) {
      const chars = Object.values(flags).flatMap(({ char }) => char ?? []);
      expect(new Set(chars).size, id).toBe(chars.length);
    }
  });

  it('has the synonyms point at commands that exist', () => {
    const ids = new Set(commands.flatMap(({ id, aliases }) => [id, ...aliases]));
    for (const noun of Object.keys(nouns)) {
      const serves = (verb: string) => {
        const generic = kindNamed(noun) === undefined ? undefined : genericCommands[verb];
        return ids.has(`${noun}:${verb}`) || (generic !== undefined && ids.has(generic));
      };
      expect(serves('list'), noun).toBe(true);
      for (const [synonym, verb] of Object.entries(verbs[noun] ?? {})) {
        expect(serves(verb), `${noun} ${synonym}`).toBe(true);
        expect(ids, `${noun} ${synonym} hides a command`).not.toContain(`${noun}:${synonym}`);
      }
    }
  });
});
