import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cliPage, cliReference } from '../../scripts/cli-docs.mjs';
import { firstDifference } from '../../scripts/db/command-line.mjs';
import { root } from '../harness/stack.js';
import { anchorsIn, filesOf, linksIn, pathsIn } from './paths.js';

// A page that says where things are has to be right, or it is worse than none: what it names exists.

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
});

describe('docs/cli.md', () => {
  it('is what the commands say of themselves (npm run types)', async () => {
    expect(firstDifference(await cliReference(), read(cliPage.slice(root.length)))).toBeUndefined();
  });
});
