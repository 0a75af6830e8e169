import { loadModule, parsePlPgSQLSync, parseSync, scanSync } from 'libpg-query';
import { textsOf } from './dynamic-text.js';

// Postgres' own parser, as WebAssembly.
await loadModule();

/** An UPDATE or DELETE; or an EXECUTE of a text that nobody can read before it runs. */
export interface Write {
  command: 'UPDATE' | 'DELETE' | 'EXECUTE';
  /** The table, or the expression of the text. */
  target: string;
  /** Whether it has a WHERE of its own: that of a subquery or of a join does not count. */
  filtered: boolean;
}

/**
 * The UPDATEs and DELETEs without a WHERE in an SQL text, wherever they stand: on hosted Supabase they fail. Postgres' extension
 * safeupdate lets some through (bodies of BEGIN ATOMIC, rules, CREATE TABLE AS); here all are found, which is simpler to know.
 */
export function unfilteredWrites(sql: string): string[] {
  return writesOf(sql)
    .filter(({ filtered }) => !filtered)
    .map(({ command, target }) =>
      command === 'EXECUTE'
        ? `EXECUTE of a text that cannot be read: ${target}`
        : `${command} of ${target} without WHERE`,
    );
}

/** Every UPDATE and DELETE of an SQL text, those in bodies of functions and in texts that are executed included. */
export function writesOf(sql: string): Write[] {
  if (!/update|delete|execute/i.test(sql)) return [];
  const bytes = Buffer.from(sql);
  return (parseSync(sql).stmts ?? []).flatMap(({ stmt, stmt_location: at = 0, stmt_len: length = 0 }) => {
    const text = bytes.subarray(at, length === 0 ? undefined : at + length).toString();
    return [...nodesIn(stmt)].flatMap(([kind, node]) => {
      if (kind === 'UpdateStmt') return [writeOf('UPDATE', node)];
      if (kind === 'DeleteStmt') return [writeOf('DELETE', node)];
      if (kind === 'CreateFunctionStmt') return bodyOf(asList(node.options), text, 'sql');
      if (kind === 'DoStmt') return bodyOf(asList(node.args), text, 'plpgsql');
      return [];
    });
  });
}

type Node = Record<string, unknown>;

const asNode = (value: unknown): Node => (typeof value === 'object' && value !== null ? (value as Node) : {});
const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** All nodes of a parse tree, each with its kind. */
function* nodesIn(tree: unknown): Generator<[kind: string, node: Node]> {
  for (const [kind, value] of Object.entries(asNode(tree))) {
    yield [kind, asNode(value)];
    yield* nodesIn(value);
  }
}

function writeOf(command: 'UPDATE' | 'DELETE', node: Node): Write {
  const { schemaname, relname } = asNode(node.relation);
  return {
    command,
    target: [schemaname, relname].filter((name) => name !== undefined).join('.'),
    filtered: node.whereClause !== undefined,
  };
}

/** What the body of a function or DO block writes, when it is a text: BEGIN ATOMIC stands in the tree of the statement itself. */
function bodyOf(options: unknown[], statement: string, defaultLanguage: string): Write[] {
  const settings = new Map(
    options.map((option) => asNode(asNode(option).DefElem)).map((o) => [o.defname, asNode(o.arg)]),
  );
  const textIn = (node: Node | undefined) => asNode(node?.String).sval as string | undefined;
  const language = textIn(settings.get('language')) ?? defaultLanguage;
  const as = settings.get('as');
  const body = textIn(asNode(asList(asNode(as?.List).items)[0])) ?? textIn(as);
  if (body === undefined) return [];
  if (language === 'sql') return writesOf(body);
  if (language !== 'plpgsql') return [];
  // The parser knows no types but those of Postgres, and takes lists of others for lists of records, which nothing may return.
  const known = statement.replace(/\breturns\s+[\w.]+\[\]/i, 'returns text[]');
  return [...nodesIn(parsePlPgSQLSync(known))].flatMap(writesOfPlPgSQL);
}

/** Where PL/pgSQL takes a statement as text. */
const DYNAMIC = new Map([
  ['PLpgSQL_stmt_dynexecute', 'query'],
  ['PLpgSQL_stmt_dynfors', 'query'],
  ['PLpgSQL_stmt_open', 'dynquery'],
  ['PLpgSQL_stmt_return_query', 'dynquery'],
]);
/** Beside statements, PL/pgSQL has expressions and assignments, which write nothing by themselves. */
const STATEMENT = 0;

function writesOfPlPgSQL([kind, node]: [string, Node]): Write[] {
  if (kind === 'PLpgSQL_expr') return node.parseMode === STATEMENT ? writesOf(String(node.query)) : [];
  const { query } = asNode(asNode(node[DYNAMIC.get(kind) ?? '']).PLpgSQL_expr);
  if (query === undefined) return [];
  const texts = textsOf(String(query));
  if (texts === undefined) return [{ command: 'EXECUTE', target: String(query), filtered: false }];
  return mostOf(texts.map(writesOf));
}

/** One text has several readings: what one of them leaves unfiltered counts, and each write once. */
function mostOf(readings: Write[][]): Write[] {
  const all = readings.flat();
  return all.filter(
    (write, at) =>
      all.findIndex(
        (w) => w.command === write.command && w.target === write.target && w.filtered === write.filtered,
      ) === at,
  );
}

/**
 * The text with the WHERE of one UPDATE or DELETE taken out, for each that it has, those in strings included; undefined for one
 * that has no WHERE. It looks at words alone: a second way to the same statements, which shows what the parser's overlooks.
 */
export function withoutEachWhere(text: string): (string | undefined)[] {
  const bytes = Buffer.from(text);
  const tokens = wordsOf(text);
  const replaced = ({ start, end }: Piece, by: string) =>
    Buffer.concat([bytes.subarray(0, start), Buffer.from(by), bytes.subarray(end)]).toString();
  return tokens.flatMap((token, at) => {
    if (token.tokenName === 'SCONST') {
      const { inner, quote } = unquoted(token.text);
      return withoutEachWhere(inner).map((without) => without && replaced(token, quote(without)));
    }
    if (!isWrite(tokens, at)) return [];
    const where = whereOf(tokens.slice(at));
    return [where && replaced(where, '')];
  });
}

/** A piece of a text, in bytes as the scanner counts. */
interface Piece {
  start: number;
  end: number;
}

interface Token extends Piece {
  text: string;
  tokenName: string;
}

/** The tokens without comments; none of a text that is no SQL. */
function wordsOf(text: string): Token[] {
  try {
    return scanSync(text).tokens.filter(({ tokenName }) => !tokenName.endsWith('COMMENT'));
  } catch {
    return [];
  }
}

function unquoted(text: string): { inner: string; quote: (inner: string) => string } {
  const [dollars] = /^\$\w*\$/.exec(text) ?? [];
  if (dollars !== undefined)
    return { inner: text.slice(dollars.length, -dollars.length), quote: (inner) => dollars + inner + dollars };
  return { inner: text.slice(1, -1).replaceAll("''", "'"), quote: (inner) => `'${inner.replaceAll("'", "''")}'` };
}

/** Whether a statement begins here: `delete from`, or `update [only] schema.table [as] alias set`. */
function isWrite(tokens: Token[], at: number): boolean {
  const word = (ahead: number) => tokens[at + ahead]?.text.toLowerCase();
  if (word(0) === 'delete') return word(1) === 'from';
  if (word(0) !== 'update' || ['for', 'key', 'do'].includes(word(-1) ?? '')) return false;
  const set = tokens.slice(at, at + 8).findIndex(({ text }) => text.toLowerCase() === 'set');
  return set > 0 && tokens.slice(at + 1, at + set).every(({ text }) => /^([\w%$]+|".*"|\.)$/.test(text));
}

/** From WHERE to where the statement ends, or to its RETURNING; not the WHERE of anything in parentheses. */
function whereOf(tokens: Token[]): Piece | undefined {
  let depth = 0;
  let start: number | undefined;
  let end = 0;
  for (const token of tokens) {
    const word = token.text.toLowerCase();
    if (word === '(') depth += 1;
    if (word === ')') depth -= 1;
    if (depth < 0 || (depth === 0 && [';', 'returning', 'loop', 'into'].includes(word))) break;
    if (depth === 0 && word === 'where') start ??= token.start;
    end = token.end;
  }
  return start === undefined ? undefined : { start, end };
}
