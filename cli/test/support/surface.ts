import { normaliseArgv, toExisting } from '../../src/base/argv.js';
import { buildManifest } from '../../src/manifest.js';
import { packageRoot } from './run.js';

interface FlagShape {
  type: 'boolean' | 'option';
  char?: string;
  required?: boolean;
  options?: string[];
  allowNo?: boolean;
}
interface ArgShape {
  required?: boolean;
  multiple?: boolean;
}
interface CommandShape {
  id: string;
  aliases: string[];
  args: Record<string, ArgShape>;
  flags: Record<string, FlagShape>;
}

/** Which commands there are, and what each takes. */
export class Surface {
  readonly #commands = new Map<string, CommandShape>();

  static async read(): Promise<Surface> {
    const surface = new Surface();
    const { commands } = await buildManifest(packageRoot);
    for (const command of Object.values(commands) as CommandShape[]) {
      for (const id of [command.id, ...command.aliases]) surface.#commands.set(id.replaceAll(':', ' '), command);
    }
    return surface;
  }

  /**
   * What is wrong with the words behind `stark`: the command or a flag does not exist. Of a `complete` command line also what is
   * missing, too much, or no value of its flag; a text that speaks of a command goes on behind it.
   */
  problemOf(typed: readonly string[], { complete }: { complete: boolean }): string | undefined {
    const words = toExisting(normaliseArgv([...typed]), (id) => this.#commands.has(id.replaceAll(':', ' ')));
    const length = [3, 2, 1].find((count) => this.#commands.has(words.slice(0, count).join(' ')));
    const id = words.slice(0, length ?? 0).join(' ');
    const command = this.#commands.get(id);
    if (command === undefined) return `there is no "stark ${typed.join(' ')}"`;
    const { flags, values, problem } = this.#split(command, words.slice(length));
    if (problem !== undefined && (complete || problem.startsWith('has no'))) return `"stark ${id}" ${problem}`;
    if (!complete) return undefined;
    const args = Object.entries(command.args);
    const most = args.some(([, { multiple }]) => multiple) ? Number.POSITIVE_INFINITY : args.length;
    if (values.length > most) return `"stark ${id}" takes no ${values[most]}`;
    const missing = [
      ...args.filter(([, { required }], at) => required && values[at] === undefined).map(([name]) => name),
      ...Object.entries(command.flags).flatMap(([name, { required }]) =>
        required && !flags.has(name) ? `--${name}` : [],
      ),
    ];
    return missing.length === 0 ? undefined : `"stark ${id}" lacks ${missing.join(', ')}`;
  }

  #split(command: CommandShape, words: readonly string[]) {
    const flags = new Set<string>();
    const values: string[] = [];
    let wrong: string | undefined;
    for (let at = 0; at < words.length; at++) {
      const word = words[at] ?? '';
      const [, dashes = '', name = '', value] = /^(--?)([a-zA-Z][\w-]*)(?:=(.*))?$/s.exec(word) ?? [];
      if (dashes === '') {
        values.push(word);
        continue;
      }
      const found = Object.entries(command.flags).find(
        ([long, { char, allowNo }]) =>
          (dashes === '-' ? char : long) === name || (allowNo && dashes === '--' && name === `no-${long}`),
      );
      if (found === undefined && name !== 'help') return { flags, values, problem: `has no ${dashes}${name}` };
      const [long = name, flag] = found ?? [];
      flags.add(long);
      if (flag?.type !== 'option') continue;
      // oclif has no flag whose value may be left out, but for this one.
      if (long === 'wait' && (value ?? words[at + 1] ?? '-').startsWith('-')) continue;
      const given = value ?? (long === 'wait' && !/^\d/.test(words[at + 1] ?? '') ? '' : words[++at]);
      if (given === undefined) wrong ??= `--${long} needs a value`;
      else if (flag.options !== undefined && !flag.options.includes(given) && !/^[<…]/.test(given)) {
        wrong ??= `--${long} is none of ${flag.options.join(', ')}`;
      }
    }
    return { flags, values, problem: wrong };
  }
}
