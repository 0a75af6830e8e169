/**
 * How a shell line of a page is proved: `run` by the test, in the order of its page; `hosted` needs a hosted project, `elsewhere` another
 * machine, another program or a project that is not there: they are held to what the commands take. The word stands behind `sh`,
 * where readers do not see it. `mention` is a command in running text.
 */
export type Proof = 'run' | 'hosted' | 'elsewhere' | 'mention';

export interface DocumentedCommand {
  page: string;
  line: number;
  text: string;
  proof: Proof;
}

/** A fenced block of a page. */
export interface Block {
  line: number;
  /** What stands behind the fence: a language, and for shell lines how they are proved. */
  info: string[];
  text: string;
}

export function blocksIn(markdown: string): Block[] {
  return [...markdown.matchAll(/^( *)```([^\n`]*)\n([\s\S]*?)^\1```$/gm)].map(
    ({ index, 1: indent = '', 2: info = '', 3: text = '' }) => ({
      line: lineAt(markdown, index) + 1,
      info: info.trim().split(/\s+/),
      text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  );
}

/** Every shell line in the blocks of a page, and every command between backticks. */
export function commandsIn(page: string, markdown: string): DocumentedCommand[] {
  const found: DocumentedCommand[] = [];
  for (const { line, info, text } of blocksIn(markdown)) {
    const [language = '', proof = 'run'] = info;
    if (!/^(sh|bash|shell|console)$/.test(language)) continue;
    if (proof !== 'run' && proof !== 'hosted' && proof !== 'elsewhere') {
      throw new Error(`${page}:${line}: nobody knows how "${info.join(' ')}" is proved`);
    }
    for (const [at, one] of shellLines(text)) found.push({ page, line: line + at, text: one, proof });
  }
  const prose = markdown.replaceAll(/^( *)```[\s\S]*?^\1```$/gm, (block) => block.replaceAll(/[^\n]/g, ' '));
  for (const { index, 1: text = '' } of prose.matchAll(/`((?:npx )?(?:stark|supabase|npm) [^`]+)`/g)) {
    found.push({ page, line: lineAt(prose, index), text: text.replaceAll(/\s+/g, ' '), proof: 'mention' });
  }
  return found;
}

/** Lines of a script, those that end with a backslash joined; without comments. */
function* shellLines(script: string): Generator<[at: number, text: string]> {
  let begun: [number, string] | undefined;
  for (const [at, line] of script.split('\n').entries()) {
    const [from, before] = begun ?? [at, ''];
    begun = undefined;
    const text = before + line.replace(/(^|\s)#.*$/, '');
    if (text.endsWith('\\')) begun = [from, `${text.slice(0, -1).trimEnd()} `];
    else if (text.trim() !== '') for (const one of text.split(/ && | \| /)) yield [from, one.trim()];
  }
}

/** The words of a command line, as a shell would part them; nothing is put in for variables. */
export function wordsOf(text: string): string[] {
  return [...text.matchAll(/(?:[^\s"']|"(?:[^"\\]|\\.)*"|'[^']*')+/g)].map(([word]) =>
    word.replaceAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ''),
  );
}

const lineAt = (text: string, index: number) => text.slice(0, index).split('\n').length;
