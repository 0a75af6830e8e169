import { usageError } from '@stark-o/core/errors';
import { readTextFile, textOf } from '../config/text.js';
import { paint, printable, say } from './terminal.js';

/** Whether there is a person to ask. Questions go to stderr, so it is that stream and stdin that count. */
export function mayAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

const streams = { output: process.stderr };

/** Asks for a line of text; without a terminal it fails and names the flag that answers. */
export async function ask(message: string, flag: string): Promise<string> {
  if (!mayAsk()) throw usageError(`${flag} is needed: there is no terminal to ask on`);
  const { input } = await import('@inquirer/prompts');
  return (await input({ message, required: true }, streams)).trim();
}

/** Asks yes or no; `yes` is the flag -y. */
export async function confirm(message: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!mayAsk()) throw usageError('--yes is needed: there is no terminal to ask on', 'add --yes when you are sure');
  const { confirm: question } = await import('@inquirer/prompts');
  return question({ message, default: false }, streams);
}

/** For what cannot be undone: the person types the name of what is lost. */
export async function confirmTyped(message: string, name: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!mayAsk()) throw usageError('--yes is needed: there is no terminal to ask on', 'add --yes when you are sure');
  const { input } = await import('@inquirer/prompts');
  const typed = await input({ message: `${message} Type ${name} to go on:` }, streams);
  if (typed.trim() !== name) throw usageError(`"${typed.trim()}" is not "${name}": nothing was done`);
}

/** Knows where the command goes, and decides whether a secret of the environment may be sent there. */
export interface SecretKeeper {
  readonly url: string;
  allowSecretOf(variable: string): void;
}

function secretOf(variable: string, settings: SecretKeeper): string | undefined {
  const value = process.env[variable];
  if (!value) return undefined;
  settings.allowSecretOf(variable);
  return value;
}

export interface PasswordFlags {
  password?: string | undefined;
  'password-stdin'?: boolean | undefined;
  'password-file'?: string | undefined;
}

/** A password from stdin, a file, STARK_PASSWORD or the keyboard, and, with a warning, from the command line. */
export async function passwordFrom(
  flags: PasswordFlags,
  settings: SecretKeeper,
  options: { repeat?: boolean } = {},
): Promise<string> {
  if (flags.password !== undefined) {
    say(
      `${paint(process.stderr, 'yellow', 'warning:')} --password shows up in the process list and in your shell's history; use --password-stdin`,
    );
    return notEmpty(flags.password, '--password');
  }
  if (flags['password-stdin']) return notEmpty(await readStdin(), 'standard input');
  if (flags['password-file'] !== undefined) {
    const path = flags['password-file'];
    const text = await readTextFile(path).catch((error: NodeJS.ErrnoException) => {
      throw usageError(`cannot read --password-file ${path}: ${error.code}`);
    });
    return notEmpty(oneLine(text), path);
  }
  const inEnvironment = secretOf('STARK_PASSWORD', settings);
  if (inEnvironment !== undefined) return inEnvironment;
  if (!mayAsk()) throw usageError('--password-stdin or --password-file is needed: there is no terminal to ask on');
  const { password } = await import('@inquirer/prompts');
  // A settings file of a folder that was cloned may have chosen the cluster.
  const typed = notEmpty(
    await password({ message: `Password for ${printable(settings.url)}` }, streams),
    'the password',
  );
  if (options.repeat && (await password({ message: 'Password again' }, streams)) !== typed) {
    throw usageError('the two passwords differ');
  }
  return typed;
}

/** A secret from a file or a variable of the environment; nothing when neither was given. */
export async function secretFrom(
  source: { file: string | undefined; flag: string; variable: string },
  settings: SecretKeeper,
): Promise<string | undefined> {
  if (source.file === undefined) return secretOf(source.variable, settings);
  const text = await readTextFile(source.file).catch((error: NodeJS.ErrnoException) => {
    throw usageError(`cannot read ${source.flag} ${source.file}: ${error.code}`);
  });
  return notEmpty(text.trim(), source.file);
}

/** Asks for a secret, which is not shown as it is typed; without a terminal it fails and names the flag that answers. */
export async function askSecret(message: string, flag: string): Promise<string> {
  if (!mayAsk()) throw usageError(`${flag} is needed: there is no terminal to ask on`);
  const { password } = await import('@inquirer/prompts');
  return notEmpty((await password({ message }, streams)).trim(), 'the secret key');
}

/** Everything that stands on stdin, without the line break that `echo` adds. */
export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return oneLine(textOf(Buffer.concat(chunks)));
}

const oneLine = (text: string) => text.replace(/\r?\n$/, '');

function notEmpty(text: string, where: string): string {
  if (text === '') throw usageError(`${where} is empty`);
  return text;
}
