// Writes docs/cli.md: every command with its arguments, flags and examples, as the compiled commands describe themselves. With --check
// it writes nothing and fails when the page differs. Part of npm run types, which compiles them first.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isProgram, writeOrCheck } from './db/command-line.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = join(root, 'cli');

export const cliPage = join(root, 'docs/cli.md');

/** The page of all commands. */
export async function cliReference() {
  const [{ buildManifest }, { nouns, verbs }, { exitCodes }, { oclif }] = await Promise.all([
    import('../cli/dist/manifest.js'),
    import('../cli/dist/base/argv.js'),
    import('../cli/dist/help.js'),
    readFile(join(cli, 'package.json'), 'utf8').then(JSON.parse),
  ]);
  const commands = Object.values((await buildManifest(cli)).commands)
    .filter(({ hidden }) => !hidden)
    .map((command) => ({ ...command, name: command.id.replaceAll(':', ' ') }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const topics = [...new Set(commands.map(topicOf))].sort();
  return `# The command line

Written by scripts/cli-docs.mjs from the commands in cli/src/commands, the same that \`--help\` behind a command shows.
A command is a noun, a verb, arguments and flags; of other orders it takes those that kubectl taught people (\`stark get pods\`,
\`stark delete pod/a\`). A setting is taken from its flag, else from a variable \`STARK_*\`, else from \`stark.json\` of the project, else
from the context; \`stark config view\` tells which it was. Errors stand on stderr with a code of [errors.md](errors.md).

| command | does |
|---|---|
${commands.map(({ name, summary }) => `| [${name}](#${anchorOf(name)}) | ${cell(summary)} |`).join('\n')}

## Flags of every command

${table(flagsOf(commands[0], isGlobal))}

## Exit codes

| code | means |
|---|---|
${exitCodes.map((line) => line.replace(/^(\d+) (.*)$/, '| $1 | $2 |')).join('\n')}

${topics.map((topic) => chapter(topic, commands, { oclif, nouns, verbs })).join('\n')}`;
}

const topicOf = ({ name }) => (name.includes(' ') ? name.split(' ')[0] : '');

function chapter(topic, commands, { oclif, nouns, verbs }) {
  const own = commands.filter((command) => topicOf(command) === topic);
  const lines = [`## ${topic === '' ? 'The cluster as a whole' : topic}\n`];
  const about = oclif.topics[topic]?.description;
  if (about !== undefined) lines.push(`${about}${otherNames(nouns[topic], verbs[topic])}\n`);
  return `${lines.join('\n')}\n${own.map(section).join('\n')}`;
}

/** The words that are taken for a noun and its verbs as well. */
function otherNames(nouns = [], verbs = {}) {
  const ofVerbs = Object.entries(verbs).map(([other, verb]) => `\`${other}\` for \`${verb}\``);
  const others = [nouns.map((noun) => `\`${noun}\``).join(', '), ofVerbs.join(', ')].filter((text) => text !== '');
  return others.length === 0 ? '' : ` Also: ${others.join('; ')}.`;
}

function section(command) {
  const { id, name, summary, description, args, examples } = command;
  const own = flagsOf(command, (flag) => !isGlobal(flag));
  const schema = `cli/schemas/${id.replaceAll(':', '-')}.json`;
  const parts = [
    `### ${name}`,
    [summary, description].filter(Boolean).map(prose).join(' '),
    ['```text', usageOf(command), '```'].join('\n'),
    table(Object.values(args).map((arg) => [`\`${arg.name.toUpperCase()}\``, arg.description])),
    table(own),
    existsSync(join(root, schema)) ? `What \`-o json\` prints: [${schema}](../${schema}).` : '',
    ['```sh elsewhere', ...examples.map((example) => example.replaceAll('<%= config.bin %>', 'stark')), '```'].join(
      '\n',
    ),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function usageOf({ name, args, flags }) {
  const words = Object.values(args).map(({ name: arg, required, multiple }) => {
    const word = `${arg.toUpperCase()}${multiple ? '...' : ''}`;
    return required ? word : `[${word}]`;
  });
  const needed = Object.values(flags)
    .filter(({ required }) => required)
    .map((flag) => `--${flag.name} ${placeholderOf(flag)}`);
  return ['stark', name, ...words, ...needed, '[FLAGS]'].join(' ');
}

const isGlobal = ({ helpGroup }) => helpGroup === 'GLOBAL';

/** The flags that are shown, as rows: how they are written, and what they do. */
function flagsOf({ flags }, isMeant) {
  return Object.values(flags)
    .filter((flag) => !flag.hidden && isMeant(flag))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((flag) => [
      `\`${flag.char ? `-${flag.char}, ` : ''}${flag.helpLabel ?? `--${flag.name}${flag.type === 'option' ? ` ${placeholderOf(flag)}` : ''}`}\``,
      [
        flag.summary ?? flag.description,
        flag.required && 'Required.',
        flag.default !== undefined && flag.type === 'option' && `Default: ${flag.default}.`,
        flag.env && `Variable: \`${flag.env}\`.`,
      ]
        .filter(Boolean)
        .join(' '),
    ]);
}

const placeholderOf = ({ options, helpValue }) => options?.join('|') ?? helpValue ?? '<value>';

function table(rows) {
  if (rows.length === 0) return '';
  return ['| | |', '|---|---|', ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`)].join('\n');
}

const cell = (text) => prose(text).replaceAll('|', '\\|');

/** Keeps Markdown from reading `<name>` as a tag, outside of code. */
const prose = (text) => text.replaceAll(/`[^`]*`|</g, (found) => (found === '<' ? '&lt;' : found));

const anchorOf = (name) => name.replaceAll(' ', '-');

if (isProgram(import.meta.url)) await writeOrCheck(cliPage, await cliReference(), 'npm run types');
