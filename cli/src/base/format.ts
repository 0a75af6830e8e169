export const outputFormats = ['table', 'wide', 'json', 'yaml', 'name'] as const;

export type OutputFormat = (typeof outputFormats)[number];

/**
 * The format that an unparsed command line asks for. Errors need it before parsing, and also when parsing is what failed.
 */
export function requestedFormat(argv: readonly string[]): OutputFormat | undefined {
  let asked: string | undefined;
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (word === '--') break;
    if (word === '--json') asked = 'json';
    else if (word === '-o' || word === '--output') asked = argv[++index];
    else if (word.startsWith('--output=')) asked = word.slice('--output='.length);
    else if (/^-o./.test(word)) asked = word.slice(word[2] === '=' ? 3 : 2);
  }
  return outputFormats.find((format) => format === asked);
}
