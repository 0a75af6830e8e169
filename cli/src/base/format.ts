/** Formats that are a word. */
export const outputFormats = ['table', 'wide', 'json', 'yaml', 'name'] as const;

/** Formats that say what of each object is wanted. */
const templates = ['jsonpath', 'custom-columns'] as const;

export type OutputFormat = (typeof outputFormats)[number] | `${(typeof templates)[number]}=${string}`;

/** How formats are written, for help and errors. */
export const formatNames = [...outputFormats, ...templates.map((name) => `${name}=…`)];

/** The format that a text names, if it names one. */
export function formatOf(text: string | undefined): OutputFormat | undefined {
  const isTemplate = templates.some((name) => text?.startsWith(`${name}=`) && text.length > name.length + 1);
  return isTemplate ? (text as OutputFormat) : outputFormats.find((format) => format === text);
}

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
  return formatOf(asked);
}
