// Two pages of docs/ that are read from the migrations: the functions of schema stark, from the comment above each, and the
// error codes, from the rows of stark.error_codes. Compared in CI, so that neither can say what is not so.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { isProgram, writeOrCheck } from './command-line.mjs';
import { root } from './test-database.mjs';

export const sqlPage = join(root, 'docs/sql.md');
export const errorsPage = join(root, 'docs/errors.md');

const MIGRATIONS = join(root, 'supabase/migrations');

/** The migrations as texts, in order. */
async function migrations() {
  const names = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(names.map((name) => readFile(join(MIGRATIONS, name), 'utf8')));
}

/** The page of all functions, a chapter for each migration that has some. */
export async function sqlReference() {
  const chapters = (await migrations()).map(chapterOf).filter((chapter) => chapter !== undefined);
  return `# The functions of schema stark

Written by scripts/db/docs.mjs from the comments in supabase/migrations. Each function is called over HTTP as
\`POST /rest/v1/rpc/<name>\` with \`Content-Profile: stark\` and its arguments as JSON, with supabase-js as
\`client.schema('stark').rpc('<name>', {…})\`, or in SQL. What is read and not called are the tables and views: row level
security shows each caller what they may see. The codes that calls fail with stand in [errors.md](errors.md).

${chapters.join('\n')}`;
}

function chapterOf(text) {
  const functions = [...text.matchAll(/^create function stark\.(\w+)\(([^;]*?)\)\nreturns ([^\n]+)$/gm)];
  if (functions.length === 0) return undefined;
  const title = text.replace(/^--\s*/, '').split(/[:.\n]/, 1)[0];
  return [`## ${title}\n`, ...functions.map((found) => section(text, found))].join('\n');
}

function section(text, { index, 1: name, 2: parameters, 3: returned }) {
  const about = commentBefore(text, index);
  if (!about?.startsWith(`stark.${name}(`))
    throw new Error(`the comment above stark.${name} does not start with its name`);
  const { '': head, Caller, Locks, Example, Raises } = parts(about);
  const summary = head
    .replace(/^[^)]*\)/, '')
    .replace(/^ -> /, 'Gives ')
    .replace(/^: ?/, '');
  if (Caller === undefined) throw new Error(`the comment above stark.${name} does not say who may call it`);
  const lines = [
    `### ${name}\n`,
    '```sql',
    `stark.${name}(${parameters
      .trim()
      .replaceAll(/\n\s*/g, '\n  ')
      .replace(/^(?=.*\n)/, '\n  ')}${parameters.includes('\n') ? '\n' : ''}) returns ${returned}`,
    '```\n',
    `${prose(summary)}\n`,
  ];
  lines.push(`- Caller: ${prose(Caller)}`);
  if (Locks) lines.push(`- Locks: ${prose(Locks)}`);
  if (Raises)
    lines.push(
      `- Raises: ${prose(Raises).replaceAll(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b|\b(?:FORBIDDEN|UNAUTHENTICATED|CONFLICT)\b/g, (code) => `[${code}](errors.md#${code.toLowerCase()})`)}`,
    );
  if (Example) lines.push('', '```sql', Example, '```');
  return `${lines.join('\n')}\n`;
}

/** The text of the comment that ends where `index` begins. */
function commentBefore(text, index) {
  const before = text.slice(0, index);
  if (!before.endsWith('*/\n')) return undefined;
  return before
    .slice(before.lastIndexOf('/**') + 3, -3)
    .split('\n')
    .map((line) => line.replace(/^ \* ?/, '').trimEnd())
    .join('\n')
    .trim();
}

/** The comment by its labels; what comes first has none. */
function parts(about) {
  const found = {};
  const pieces = about.split(/(?:^|\s)(Caller|Locks|Example|Raises):/);
  found[''] = oneLine(pieces[0]);
  for (let at = 1; at < pieces.length; at += 2) {
    const label = pieces[at];
    const body = pieces[at + 1] ?? '';
    // An example is code, and keeps its lines.
    found[label] = label === 'Example' ? body.replaceAll(/^\s{0,2}/gm, '').trim() : oneLine(body);
  }
  return found;
}

function oneLine(text) {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** Keeps Markdown from reading `<id>` as a tag. */
function prose(text) {
  return text.replaceAll('<', '&lt;');
}

const SAID_BY = {
  client: 'the client',
  command: 'the command',
  agent: 'an agent',
  stack: 'the embedded stack',
  function: 'an Edge Function',
};

/** The page of all error codes. */
export async function errorReference() {
  const inserts = (await migrations()).flatMap(
    (text) => text.match(/^insert into stark\.error_codes .*?\);$/gms) ?? [],
  );
  const rows = inserts.flatMap((insert) => [...insert.matchAll(/\('([A-Z0-9_]+)', (\d+), (\d+), '((?:[^']|'')*)'\)/g)]);
  const lines = rows
    .map(([, code, status, exit, about]) => ({ code, status, exit, about: about.replaceAll("''", "'") }))
    .sort((a, b) => (a.code < b.code ? -1 : 1))
    .map(({ code, status, exit, about }) => `| ${anchored(code)} | ${status} | ${exit} | ${about} |`);
  const { ERROR_CODES, exitCodeOf } = await clientErrors();
  const others = Object.entries(ERROR_CODES).map(
    ([code, { status, by, means }]) =>
      `| ${anchored(code)} | ${SAID_BY[by]} | ${status ?? ''} | ${exitCodeOf(code, status)} | ${means} |`,
  );
  return `# Errors

Written by scripts/db/docs.mjs from the rows of stark.error_codes and from core/src/errors/codes.ts. A call that fails answers with
the HTTP status and \`{"code", "message", "details", "hint"}\`: the code never changes its meaning, the message names the thing and
the numbers, the hint is what to do next, mostly a command to type. The command line ends with the exit code.

## Codes of the database

| code | HTTP status | exit code | means |
|---|---|---|---|
${lines.join('\n')}

## Codes of everything else

A code that is in neither table is passed on from Supabase: \`PGRST…\` and five characters from PostgREST and Postgres, others from Auth.
What has only a status is \`HTTP_<status>\`.

| code | said by | HTTP status | exit code | means |
|---|---|---|---|---|
${others.join('\n')}
`;
}

function anchored(code) {
  return `<a id="${code.toLowerCase()}"></a>\`${code}\``;
}

/** The catalogue of the client, read from its source so that nothing needs to be built before. */
async function clientErrors() {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'core/src/errors/index.ts')],
    bundle: true,
    format: 'esm',
    write: false,
  });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

if (isProgram(import.meta.url)) {
  await writeOrCheck(sqlPage, await sqlReference(), 'npm run types');
  await writeOrCheck(errorsPage, await errorReference(), 'npm run types');
}
