import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { root } from '../harness/stack.js';
import { blocksIn } from './commands.js';

/** A path as a page writes it. */
export interface NamedPath {
  text: string;
  line: number;
}

const FENCED = /^( *)```[\s\S]*?^\1```$/gm;

/** Fenced blocks made empty: what is left stands on its own line as before. */
const proseOf = (markdown: string) => markdown.replaceAll(FENCED, (block) => block.replaceAll(/[^\n]/g, ' '));

/** What a page names of the repository: paths between backticks, and those in drawings, which are blocks of no language. */
export function pathsIn(markdown: string): NamedPath[] {
  const found: NamedPath[] = [];
  for (const { index, 1: span = '' } of proseOf(markdown).matchAll(/`([^`\n]+)`/g)) {
    const text = /^\*_\w+$/.test(span) ? `supabase/migrations/${span}.sql` : span;
    if (/^\.?[\w*-][\w.*-]*(\/[\w.*-]+)*\/?$/.test(text) && text.includes('/')) {
      found.push({ text, line: lineAt(markdown, index) });
    }
  }
  for (const { line, info, text } of blocksIn(markdown)) {
    if (info[0] !== '') continue;
    for (const { index, 0: path } of text.matchAll(
      /(?<![\w@/.:<-])[a-z][\w.*-]*(\/[\w.*-]+)*\/(?![\w<…])|(?<![\w@/.:<-])[a-z][\w.*-]*(\/[\w.*-]+)+(?![\w/])/g,
    )) {
      found.push({ text: path, line: line + lineAt(text, index) - 1 });
    }
  }
  return found;
}

/** The links of a page that stay in the repository; `path` is relative to its root, and empty parts are left out. */
export function linksIn(page: string, markdown: string): { path: string; anchor: string | undefined; line: number }[] {
  return [...proseOf(markdown).matchAll(/\]\((?![a-z]+:)([^)\s#]*)(?:#([^)\s]+))?\)/g)].map(
    ({ index, 1: target = '', 2: anchor }) => ({
      path: target === '' ? page : normalize(join(dirname(page), target)),
      anchor,
      line: lineAt(markdown, index),
    }),
  );
}

/** The cells of each table of a page, row by row, without the heads. */
export function rowsIn(markdown: string): string[][][] {
  return [...proseOf(markdown).matchAll(/^\|[-| ]+\|\n((?:\|.*\n?)*)/gm)].map(([, body = '']) =>
    body
      .trim()
      .split('\n')
      .map((row) => row.slice(1, -1).split('|'))
      .map((cells) => cells.map((cell) => cell.trim())),
  );
}

/** What can be linked to inside a page: its headings as GitHub names them, and anchors of its own. */
export function anchorsIn(markdown: string): Set<string> {
  const headings = [...proseOf(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set([...headings, ...[...markdown.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)]);
}

/**
 * The files or folders that a page means by a path: from the root, from the page's own folder, or from `src/` in it, the ending of code
 * and tests left out; decisions about the agent speak of its own `src/`. `*` stands for what is no underscore, as the number of a migration.
 */
export function filesOf(page: string, path: string): string[] {
  const folders = ['', dirname(page), join(dirname(page), 'src')];
  if (page.startsWith('docs/decisions/agent-')) folders.push('agent/src');
  for (const folder of folders) {
    for (const ending of ['', '.ts', '.test.ts', '.test.sql']) {
      const files = matching(normalize(join(folder, `${path}${ending}`)).replace(/\/$/, ''));
      if (files.length > 0) return files;
    }
  }
  return [];
}

function matching(path: string): string[] {
  if (path.startsWith('..')) return [];
  if (!path.includes('*')) return existsSync(join(root, path)) ? [path] : [];
  const [folder, name] = [dirname(path), path.slice(dirname(path).length + 1)];
  if (!existsSync(join(root, folder))) return [];
  const pattern = new RegExp(`^${name.replaceAll('.', '\\.').replaceAll('*', '[^_]*')}$`);
  return readdirSync(join(root, folder))
    .filter((file) => pattern.test(file))
    .map((file) => join(folder, file));
}

const lineAt = (text: string, index: number) => text.slice(0, index).split('\n').length;
