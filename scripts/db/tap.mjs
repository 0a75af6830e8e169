// Runs pgTAP files: each in one session, inside begin … rollback, its output read as TAP.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { root } from './test-database.mjs';

export const testsFolder = join(root, 'supabase/tests');

/** The pgTAP files, in order. */
export async function tapFiles() {
  return (await readdir(testsFolder)).filter((name) => name.endsWith('.test.sql')).sort();
}

/** Installs pgTAP and the helpers of supabase/tests/support, which the files use. */
export async function prepareTap(url) {
  const client = await connect(url);
  try {
    await client.query('create extension if not exists pgtap with schema extensions');
    const folder = join(testsFolder, 'support');
    for (const name of (await readdir(folder)).sort()) await client.query(await readFile(join(folder, name), 'utf8'));
  } finally {
    await client.end();
  }
}

/**
 * Runs one file; answers {tests, failures}. A failure is the whole text of a failed assertion with its diagnostics, or says
 * that the file broke, or that it ran another number of assertions than it announced. `text` stands for the file's when given.
 */
export async function runTapFile(url, name, text) {
  const client = await connect(url);
  try {
    const { lines, error } = await outputOf(client, text ?? (await readFile(join(testsFolder, name), 'utf8')));
    return judge(lines, error);
  } finally {
    await client.end();
  }
}

async function connect(url) {
  const client = new pg.Client({ connectionString: url, application_name: 'stark-tap' });
  await client.connect();
  return client;
}

/** Everything the file printed up to its end or its first error. */
function outputOf(client, text) {
  return new Promise((resolve) => {
    const lines = [];
    const query = new pg.Query({ text, rowMode: 'array' });
    query.on('row', (row) =>
      lines.push(...row.filter((cell) => typeof cell === 'string').flatMap((cell) => cell.split('\n'))),
    );
    query.on('error', (error) => resolve({ lines, error }));
    query.on('end', () => resolve({ lines, error: undefined }));
    client.query(query);
  });
}

function judge(lines, error) {
  const failures = [];
  let tests = 0;
  let plan;
  let open;
  for (const line of lines) {
    const result = /^(not )?ok \d+/.exec(line);
    if (result) {
      tests++;
      open = undefined;
      if (result[1] && !/# (todo|skip)/i.test(line)) {
        open = [line];
        failures.push(open);
      }
    } else if (/^1\.\.\d+/.test(line)) {
      plan = Number(line.slice(3));
      open = undefined;
    } else if (/^\s*#/.test(line)) open?.push(line);
  }
  if (error)
    failures.push([
      `the file broke after ${tests} assertions: ${error.message}`,
      ...[error.where ?? error.hint ?? []].flat(),
    ]);
  else if (plan !== tests) failures.push([`${plan ?? 'no'} assertions were announced, ${tests} ran`]);
  else if (tests === 0) failures.push(['the file asserts nothing']);
  return { tests, failures: failures.map((failure) => failure.join('\n')) };
}
