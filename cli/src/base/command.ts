import { Command } from '@oclif/core/command';
import type * as Interfaces from '@oclif/core/interfaces';
import { usageError } from '@stark-o/core/errors';
import type { AnyRow, Resource } from '@stark-o/core/resources';
import { resolveSettings, type SettingName, type Settings } from '../config/settings.js';
import type { Filter } from '../data/query.js';
import { Connection } from '../session/connection.js';
import { bareName, nouns } from './argv.js';
import { globalFlags } from './flags.js';
import type { OutputFormat } from './format.js';
import { printList, printObject, type View, viewOf } from './output.js';
import { withProgramName } from './program.js';
import { paint, say } from './terminal.js';

type CommandFlags<T extends typeof Command> = Interfaces.InferredFlags<(typeof StarkCommand)['baseFlags'] & T['flags']>;
type CommandArgs<T extends typeof Command> = Interfaces.InferredArgs<T['args']>;

/**
 * What every command of stark is made from. It parses, knows the settings in force, opens the connection and prints; a
 * command says what it wants and what the answer looks like. Errors are thrown and reported in one place, main.
 */
export abstract class StarkCommand<T extends typeof Command> extends Command {
  static override baseFlags = globalFlags;

  protected flags!: CommandFlags<T>;
  protected args!: CommandArgs<T>;
  #settings: Promise<Settings> | undefined;
  #connection: Connection | undefined;

  override async init(): Promise<void> {
    await super.init();
    const { flags, args } = await this.parse(
      {
        flags: this.ctor.flags,
        baseFlags: (super.ctor as typeof StarkCommand).baseFlags,
        args: this.ctor.args,
        strict: this.ctor.strict,
      },
      withSwitches(withOptionalValues(this.argv, Object.keys(this.ctor.flags ?? {})), {
        ...(super.ctor as typeof StarkCommand).baseFlags,
        ...this.ctor.flags,
      }),
    );
    this.flags = flags as CommandFlags<T>;
    this.args = withBareNames(args) as CommandArgs<T>;
  }

  // oclif's JSON mode prints results and errors by rules of its own (and silences warnings): we never enter it.
  override jsonEnabled(): boolean {
    return false;
  }

  protected override async catch(error: Error): Promise<never> {
    throw this.#connection?.explain(error) ?? error;
  }

  override warn(input: string | Error): string | Error {
    say(`${paint(process.stderr, 'yellow', 'warning:')} ${typeof input === 'string' ? input : input.message}`);
    return input;
  }

  /** What is in force, and where each setting comes from. */
  protected settings(): Promise<Settings> {
    this.#settings ??= resolveSettings({ flags: settingFlags(this.flags as Record<string, unknown>) });
    return this.#settings;
  }

  /** The cluster of the settings in force. */
  protected async connection(): Promise<Connection> {
    this.#connection ??= new Connection(await this.settings(), this.debugging);
    return this.#connection;
  }

  protected get debugging(): boolean {
    return (this.flags as { debug?: boolean }).debug === true;
  }

  /** The namespace to work in; nothing when all are meant. */
  protected async namespace(): Promise<string | undefined> {
    if ((this.flags as { 'all-namespaces'?: boolean })['all-namespaces']) return undefined;
    return (await this.settings()).namespace;
  }

  protected async format(): Promise<OutputFormat> {
    return (await this.settings()).output;
  }

  /** Prints things as a list. */
  protected async printList<Row>(view: View<Row>, rows: readonly Row[]): Promise<void> {
    await printList(view, rows, await this.format());
  }

  /** Finds things of a kind and prints them as a list, with their namespaces where they may be of several. */
  protected async list<Row>(resource: Resource<Row>, filter: Filter): Promise<Row[]> {
    const { findObjects } = await import('../data/query.js');
    const rows = await findObjects(await this.connection(), resource, filter);
    await this.printList(viewOf(resource, { namespaces: filter.namespace === undefined }), rows);
    return rows;
  }

  /** Shows such a list and how it changes, until Ctrl-C. */
  protected async watch(resource: Resource<AnyRow>, filter: Filter): Promise<void> {
    const { watchObjects } = await import('../data/watch-objects.js');
    await watchObjects(await this.connection(), resource, filter, await this.format());
  }

  /** Prints one thing: lines for people, the object for machines. A command that `stays` prints it as one line of JSON. */
  protected async printObject(
    object: unknown,
    name: string,
    lines: readonly string[],
    options: { stays?: boolean } = {},
  ): Promise<void> {
    await printObject(object, await this.format(), { name, lines }, options);
  }

  /** Says something to a person; nothing when stderr is no terminal or stdout is being read by a program. */
  protected next(...commands: string[]): void {
    if (process.stderr.isTTY !== true) return;
    for (const command of commands) this.say(`${paint(process.stderr, 'cyan', 'next:')} ${command}`);
  }

  /** Says something to a person, with its commands as they can be typed here. */
  protected say(text: string): void {
    say(withProgramName(text));
  }
}

// oclif knows no flag whose value may be left out: `--wait` becomes `--wait=5m` before it is parsed.
function withOptionalValues(argv: readonly string[], flags: readonly string[]): string[] {
  if (!flags.includes('wait')) return [...argv];
  const end = argv.indexOf('--');
  return argv.flatMap((word, index) => {
    if (word !== '--wait' || (end >= 0 && index > end)) return [word];
    return /^\d+(\.\d+)?(ms|s|m|h)?$/.test(argv[index + 1] ?? '') ? [word] : ['--wait=5m'];
  });
}

interface Switch {
  type: string;
  allowNo?: boolean;
}

// oclif takes `--watch=5` for `--watch`. As kubectl has it a switch may be given true or false, and nothing else.
function withSwitches(argv: readonly string[], flags: Readonly<Record<string, Switch>>): string[] {
  const end = argv.indexOf('--');
  return argv.flatMap((word, index) => {
    const [, name = '', value = ''] = /^--([a-z][a-z-]*)=(.*)$/s.exec(word) ?? [];
    if (flags[name]?.type !== 'boolean' || (end >= 0 && index > end)) return [word];
    if (value === 'true') return [`--${name}`];
    if (value === 'false') return flags[name].allowNo ? [`--no-${name}`] : [];
    throw usageError(`--${name} is a switch and takes no value, not "${value}"`);
  });
}

// `pod delete pod/a` and `pod delete a` mean the same: arguments are called after their kind.
function withBareNames(args: Record<string, unknown>): Record<string, unknown> {
  const bare = Object.entries(args).map(([name, value]) => {
    const words = Array.isArray(value) ? value.flat() : value;
    return [name, name in nouns && Array.isArray(words) ? words.map((text: string) => bareName(name, text)) : words];
  });
  return Object.fromEntries(bare);
}

function settingFlags(flags: Record<string, unknown>): Partial<Record<SettingName, string | undefined>> {
  const text = (name: string) => (typeof flags[name] === 'string' ? (flags[name] as string) : undefined);
  return {
    context: text('context'),
    url: text('url'),
    key: text('key'),
    namespace: text('namespace'),
    token: text('token'),
    output: flags.json === true ? 'json' : text('output'),
    'request-timeout': text('request-timeout'),
  };
}
