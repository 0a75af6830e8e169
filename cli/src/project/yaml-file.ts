import { usageError } from '@stark-o/core/errors';
import { type Document, isMap, isScalar, LineCounter, type Pair, parseAllDocuments, visit } from 'yaml';

/** One document of a file, and where in the file its fields stand. */
export interface ParsedDocument {
  value: unknown;
  /** `file:line:column` of a field, of the nearest one round it where it is not there. */
  placeOf(path: readonly (string | number)[], options?: { key?: boolean }): string;
}

/** Parses YAML, of which JSON is a part, into its documents; empty ones are left out. */
export function parseDocuments(text: string, file: string): ParsedDocument[] {
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter, logLevel: 'silent', prettyErrors: false });
  const placeAt = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const parsed: ParsedDocument[] = [];
  for (const document of documents) {
    const [error] = document.errors;
    if (error !== undefined) throw usageError(`${placeAt(error.pos[0])}: ${wordsOf(error.message)}`);
    if (document.contents === null) continue;
    parsed.push({
      value: toValue(document, placeAt),
      placeOf: (path, options) => placeAt(offsetOf(document, path, options?.key === true)),
    });
  }
  return parsed;
}

function toValue(document: Document, placeAt: (offset: number) => string): unknown {
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) !== undefined) return;
      throw usageError(`${placeAt(alias.range?.[0] ?? 0)}: there is no anchor &${alias.source}`);
    },
  });
  const place = placeAt(document.contents?.range?.[0] ?? 0);
  try {
    // Through JSON, which is what is sent: aliases that go in circles end here, and those that unfold to very much in the parser.
    return JSON.parse(JSON.stringify(document.toJS()) ?? 'null');
  } catch (error) {
    const isCircle = error instanceof TypeError || error instanceof RangeError;
    throw usageError(
      `${place}: ${isCircle ? 'an alias (*) stands inside of what it names' : wordsOf((error as Error).message)}`,
    );
  }
}

/** Where a field begins, its value or its name; of what is not there the nearest thing round it. */
function offsetOf(document: Document, path: readonly (string | number)[], key: boolean): number {
  for (let depth = path.length; depth > 0; depth--) {
    const parent = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    if (isMap(parent)) {
      const pair = parent.items.find(
        (item) => isScalar(item.key) && String(item.key.value) === String(path[depth - 1]),
      );
      const node = pair === undefined ? undefined : nodeOf(pair, key && depth === path.length);
      if (node !== undefined) return node;
    } else {
      const node = document.getIn(path.slice(0, depth), true) as { range?: [number, number, number] } | undefined;
      if (node?.range !== undefined) return node.range[0];
    }
  }
  return document.contents?.range?.[0] ?? 0;
}

function nodeOf(pair: Pair, key: boolean): number | undefined {
  const nodes = (key ? [pair.key, pair.value] : [pair.value, pair.key]) as ({ range?: [number] } | null)[];
  return nodes.find((node) => node?.range !== undefined)?.range?.[0];
}

// The parser's sentences begin in upper case, and ours stand behind a place.
const wordsOf = (message: string) => {
  const [line = ''] = message.split('\n', 1);
  return line.slice(0, 1).toLowerCase() + line.slice(1);
};
