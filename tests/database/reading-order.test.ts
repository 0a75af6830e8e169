// The migrations read as a book. Read as text, so it costs nothing.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../harness/stack.js';

/** What a write or a call sets off at its end: named in bodies that stand before it. */
const SET_OFF = [
  ...['continue_work', 'request_sync', 'reset_after_restore', 'schedule_pods', 'work_off_notes'].map(
    (name) => `stark_internal.${name}`,
  ),
];

const folder = join(root, 'supabase/migrations');
const names = readdirSync(folder).sort();
const concepts = names.map((name) => name.replace(/^\d+_|\.sql$/g, ''));
// Comments may speak of anything.
const texts = names.map((name) =>
  readFileSync(join(folder, name), 'utf8')
    .replaceAll(/\/\*.*?\*\//gs, (comment) => comment.replaceAll(/[^\n]/g, ' '))
    .replaceAll(/--[^\n]*|^comment on [^\n]*/gm, (comment) => ' '.repeat(comment.length)),
);

it('the files are numbered from 1, without a gap', () => {
  expect(names.map((name) => Number(name.slice(8, 14)))).toEqual(names.map((_, at) => at + 1));
});

it('what is used stands before what uses it, but for what a write sets off', () => {
  const made = /^create (?:function|table|view|type) (stark(?:_internal)?\.\w+)/gm;
  const places = new Map<string, [file: number, offset: number]>();
  for (const [file, text] of texts.entries()) {
    for (const match of text.matchAll(made))
      if (!places.has(match[1] ?? '')) places.set(match[1] ?? '', [file, match.index]);
  }
  const forward = new Set<string>();
  for (const [file, text] of texts.entries()) {
    for (const { 0: name, index } of text.matchAll(/\bstark(?:_internal)?\.\w+/g)) {
      const [later, offset] = places.get(name) ?? [file, index];
      if (later > file || (later === file && offset > index + 'create function '.length))
        forward.add(SET_OFF.includes(name) ? name : `${concepts[file]}: ${name} of ${concepts[later]}`);
    }
  }
  expect([...forward].sort()).toEqual(SET_OFF);
});

it('pgTAP files have the number of their migration', () => {
  const tests = readdirSync(join(root, 'supabase/tests')).filter((name) => name.endsWith('.test.sql'));
  const odd = tests.filter((name) => {
    const [, number = '', letter = ''] = /^(\d\d)([a-z]?)-[a-z-]+\.test\.sql$/.exec(name) ?? [];
    const others = tests.filter((other) => other.startsWith(number) && number !== '');
    // 00 asks the whole catalogue, and what is behind the last migration all of it.
    return number === '' || others.length > 1 !== (letter !== '') || Number(number) > names.length + 2;
  });
  expect(odd).toEqual([]);
});
