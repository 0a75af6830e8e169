import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cliPage, cliReference } from '../../scripts/cli-docs.mjs';
import { firstDifference } from '../../scripts/db/command-line.mjs';
import { fieldDocs, fieldDocsPath } from '../../scripts/field-docs.mjs';
import { root } from '../harness/stack.js';
import { anchorsIn, filesOf, linksIn, pathsIn, rowsIn } from './paths.js';

// A page that says where things are has to be right, or it is worse than none: what it names exists, and what exists has its line.

const read = (path: string) => readFileSync(join(root, path), 'utf8');

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return /^(node_modules|dist|\..*)$/.test(entry.name) ? [] : markdownIn(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

const pages = markdownIn('.').sort();

/** What looks like a path of ours: files that programs or users make, what a user types, names of labels. */
const NO_PATH_OF_OURS =
  /^\.stark\/|(^|\/)(node_modules|dist|\.env)(\/|$)|^pod\/a$|^a\/b$|^stark\/|(^|\.)kubernetes\.io\//;
/** It speaks of the files of its reader's pack. */
const OF_THE_READER = 'docs/packs.md';

const missingIn = (page: string, markdown: string) =>
  pathsIn(markdown)
    .filter(({ text }) => !NO_PATH_OF_OURS.test(text) && filesOf(page, text).length === 0)
    .map(({ text, line }) => `${page}:${line}: there is no ${text}`);

const brokenIn = (page: string, markdown: string) =>
  linksIn(page, markdown)
    .filter(({ path, anchor }) => {
      if (filesOf('README.md', path).length === 0) return true;
      return anchor !== undefined && path.endsWith('.md') && !anchorsIn(read(path)).has(anchor);
    })
    .map(({ path, anchor, line }) => `${page}:${line}: there is no ${path}${anchor ? `#${anchor}` : ''}`);

describe('pages', () => {
  it('name only paths that exist', () => {
    expect(pages.filter((page) => page !== OF_THE_READER).flatMap((page) => missingIn(page, read(page)))).toEqual([]);
  });

  it('link to pages and headings that exist', () => {
    expect(pages.flatMap((page) => brokenIn(page, read(page)))).toEqual([]);
  });

  it.each([
    ['a path that is gone', 'See `core/src/gone.ts`.', 'docs/a.md:1: there is no core/src/gone.ts'],
    ['a migration that is gone', '\n`*_gone`', 'docs/a.md:2: there is no supabase/migrations/*_gone.sql'],
    ['a path in a drawing', '```\n core ─►\n   cli/src/gone.ts  says\n```', 'docs/a.md:3: there is no cli/src/gone.ts'],
    ['a folder in a drawing', '```\n gone/ ──► core/\n```', 'docs/a.md:2: there is no gone/'],
    ['a page that is gone', '[x](gone.md)', 'docs/a.md:1: there is no docs/gone.md'],
    ['a heading that is gone', '[x](cli.md#pod-gone)', 'docs/a.md:1: there is no docs/cli.md#pod-gone'],
  ])('are held to it: %s is found', (_what, markdown, found) => {
    expect([...missingIn('docs/a.md', markdown), ...brokenIn('docs/a.md', markdown)]).toEqual([found]);
  });

  it('have a line in the index', () => {
    const listed = new Set(linksIn('docs/README.md', read('docs/README.md')).map(({ path }) => path));
    const rooms = ['agent', 'bench', 'cli', 'core', 'local', 'supabase', 'tests'];
    const meant = pages.filter(
      (page) => ['docs', ...rooms].includes(page.split('/')[0] ?? '') && page !== 'docs/README.md',
    );
    expect(meant.filter((page) => !listed.has(page))).toEqual([]);
  });
});

describe('supabase/README.md', () => {
  it('names every migration', () => {
    const named = new Set(
      pathsIn(read('supabase/README.md')).flatMap(({ text }) => filesOf('supabase/README.md', text)),
    );
    const all = readdirSync(join(root, 'supabase/migrations')).map((name) => join('supabase/migrations', name));
    expect(all.filter((path) => !named.has(path))).toEqual([]);
  });
});

describe('docs/glossary.md', () => {
  const page = 'docs/glossary.md';
  const [words = [], homeMade = []] = rowsIn(read(page));
  const plain = (text: string) =>
    text
      .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, ' ');
  const textOf = (cell = '') =>
    pathsIn(cell)
      .flatMap(({ text }) => filesOf(page, text))
      .map((path) => `${path}\n${read(path)}`)
      .join('\n');

  it('has each word once, in the order of the alphabet', () => {
    expect(words.length).toBeGreaterThan(80);
    const terms = words.map(([word = '']) => word);
    expect(terms).toEqual([...new Set(terms)].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)));
  });

  it('says where each word is found', () => {
    const lost = words.filter(
      ([word = '', , places]) => !` ${plain(textOf(places))}`.includes(` ${plain(word).trim()}`),
    );
    expect(lost.map(([word, , places]) => `${word}: not in ${places}`)).toEqual([]);
  });

  it('explains only those words of the code that are still in it', () => {
    const gone = homeMade.flatMap(([names = '', , places]) => {
      const text = textOf(places);
      return [...names.matchAll(/`(\w+)`/g)].flatMap(([, name = '']) =>
        text.includes(name) ? [] : `${name}: not in ${places}`,
      );
    });
    expect(gone).toEqual([]);
  });
});

describe('docs/contributing/strangers-test.md', () => {
  const page = 'docs/contributing/strangers-test.md';
  const [questions = [], changes = []] = rowsIn(read(page));

  it.each([...questions, ...changes])('answers in two hops: %s', (_question, way = '', hops) => {
    const [first, ...others] = linksIn(page, way).map(({ path }) => path);
    const [last] = pathsIn(way).flatMap(({ text }) => filesOf(page, text));
    expect({ first, last, others, hops }).toEqual({
      first: expect.any(String),
      last: expect.any(String),
      others: [],
      hops: '2',
    });
    expect(linksIn('docs/README.md', read('docs/README.md')).map(({ path }) => path)).toContain(first);
    const named = pathsIn(read(`${first}`)).flatMap(({ text }) => filesOf(`${first}`, text));
    expect(named).toContain(last);
  });
});

describe('core/src/resources/field-docs.ts', () => {
  it('is what schemas and columns say (npm run types)', async () => {
    expect(firstDifference(await fieldDocs(), read(fieldDocsPath.slice(root.length)))).toBeUndefined();
  });
});

describe('docs/cli.md', () => {
  it('is what the commands say of themselves (npm run types)', async () => {
    expect(firstDifference(await cliReference(), read(cliPage.slice(root.length)))).toBeUndefined();
  });
});
