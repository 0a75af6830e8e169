// Before oclif, which asks for the home as it is loaded.
import './base/account.js';

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from '@oclif/core/command';
import { Config } from '@oclif/core/config';
import { settings } from '@oclif/core/settings';
import { EXIT_CODES, StarkError } from '@stark-o/core/errors';
import { normaliseArgv, toExisting } from './base/argv.js';
import { asStarkError } from './base/errors.js';
import { formatOf, type OutputFormat, requestedFormat } from './base/format.js';
import { installInterrupt, installOutputErrors } from './base/interrupt.js';
import { programName } from './base/program.js';
import { reportError } from './base/report.js';
import { nearestCommand } from './base/suggest.js';
import { freshenManifest } from './manifest.js';

/** Root of the package, where package.json with the oclif section stands. */
export const packageRoot = fileURLToPath(new URL('..', import.meta.url));

/** Runs one command line as a process: main, then flushed streams, then the exit code. */
export async function start(argv: string[]): Promise<void> {
  installInterrupt();
  installOutputErrors((cause) => {
    const message = `cannot write to standard output: ${cause.code}`;
    const error = new StarkError(message, { code: 'OUTPUT_UNWRITABLE', cause });
    // JSON is YAML, and its writer is here: what is loaded first would come too late.
    const format = formatOfErrors(argv) === 'yaml' ? 'json' : formatOfErrors(argv);
    void reportError(error, { format, debug: argv.includes('--debug') });
    process.exit(error.exitCode);
  });
  const code = await main(argv);
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))));
  process.exit(code);
}

/** Runs one command line and gives its exit code. Everything that fails is reported here and nowhere else. */
export async function main(argv: string[]): Promise<number> {
  let command: string | undefined;
  try {
    // oclif would look for TypeScript sources when NODE_ENV says test or development.
    settings.enableAutoTranspile = false;
    await freshenManifest(packageRoot);
    const normal = normaliseArgv(argv);
    const config = await loadConfig(normal);
    const words = toExisting(normal, (id) => config.findCommand(id) !== undefined);
    if (words[0] === '--version') words.splice(0, 1, 'version');
    const found = findCommand(config, words);
    if (wantsHelp(words)) await showHelp(config, found?.command.id, words);
    else if (found === undefined) throw unknownCommand(config, words);
    else {
      command = found.command.id.replaceAll(':', ' ');
      await config.runCommand(found.command.id, found.rest, found.command);
    }
    return Number(process.exitCode ?? EXIT_CODES.ok);
  } catch (error) {
    // oclif's way to end early, with nothing to report.
    if ((error as { code?: string }).code === 'EEXIT') return (error as { oclif: { exit: number } }).oclif.exit;
    const starkError = asStarkError(error);
    await reportError(starkError, { format: formatOfErrors(argv), command, debug: argv.includes('--debug') });
    return starkError.exitCode;
  }
}

// Plugins cost a fifth of the start, so they are loaded for their own commands and for the page that lists everything.
async function loadConfig(words: readonly string[]): Promise<Config> {
  const pjson = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8'));
  const [first] = leadingWords(words);
  if (first !== undefined) pjson.oclif.plugins = [];
  return Config.load({ root: packageRoot, pjson });
}

interface Found {
  command: Command.Loadable;
  rest: string[];
}

function findCommand(config: Config, words: readonly string[]): Found | undefined {
  const leading = leadingWords(words);
  for (let length = Math.min(3, leading.length); length > 0; length--) {
    const command = config.findCommand(leading.slice(0, length).join(':'));
    if (command !== undefined) return { command, rest: words.slice(length) };
  }
  return undefined;
}

function leadingWords(words: readonly string[]): string[] {
  const end = words.findIndex((word) => word.startsWith('-'));
  return words.slice(0, end < 0 ? words.length : end);
}

function wantsHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  const own = end < 0 ? words : words.slice(0, end);
  return leadingWords(words).length === 0 || own.includes('--help') || own.includes('-h');
}

async function showHelp(config: Config, command: string | undefined, words: readonly string[]): Promise<void> {
  const topic = leadingWords(words);
  if (command === undefined && topic.length > 0 && config.findTopic(topic.join(':')) === undefined) {
    throw unknownCommand(config, words);
  }
  const { default: Help } = await import('./help.js');
  // What the examples are made with.
  config.bin = programName();
  const subject = command ?? topic.join(':');
  await new Help(config, config.pjson.oclif.helpOptions).showHelp(subject === '' ? [] : [subject]);
}

function unknownCommand(config: Config, words: readonly string[]): StarkError {
  const typed = leadingWords(words);
  const topic = config.findTopic(typed.join(':'));
  const visible = config.commands
    .filter((command) => !command.hidden)
    .map((command) => command.id.replaceAll(':', ' '));
  if (topic !== undefined) {
    const below = visible.filter((id) => id.startsWith(`${typed.join(' ')} `));
    return new StarkError(`stark ${typed.join(' ')} needs a verb: ${below.map((id) => `stark ${id}`).join(', ')}`, {
      code: 'USAGE',
      hint: `stark ${typed.join(' ')} --help`,
    });
  }
  const meant = [3, 2].map((count) => nearestCommand(typed.slice(0, count), visible)).find((id) => id !== undefined);
  const suggestion = meant === undefined ? '' : `; did you mean "stark ${meant}"?`;
  return new StarkError(`unknown command "${typed.join(' ')}"${suggestion}`, {
    code: 'UNKNOWN_COMMAND',
    hint: meant === undefined ? 'stark --help' : `stark ${meant} --help`,
  });
}

function formatOfErrors(argv: readonly string[]): OutputFormat | undefined {
  return requestedFormat(argv) ?? formatOf(process.env.STARK_OUTPUT);
}
