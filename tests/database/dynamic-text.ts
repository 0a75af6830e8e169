import { parseSync } from 'libpg-query';

/** A part of a text that is known only when it runs. */
const GAP = '\u0001';
/** What may stand in a gap: a name, a column that is set, a condition. Never a whole statement: that would hide it. */
const FILLINGS = ['x', 'x = x'];
const MAX_TEXTS = 64;
const MAX_GAPS = 6;

/**
 * The texts that an expression of PL/pgSQL may give to EXECUTE, as far as they stand there, with gaps filled so that a parser
 * takes them: each a list of readings. Undefined where a text cannot be told, or is no statement whatever its gaps hold.
 */
export function textsOf(expression: string): string[] | undefined {
  const [statement] = parseSync(`select ${expression}`).stmts ?? [];
  const texts = evaluate(firstTarget(statement?.stmt));
  if (texts.length > MAX_TEXTS) return undefined;
  const readings = texts.map((text) => fillings(text).filter(isStatement));
  return readings.some(({ length }) => length === 0) ? undefined : readings.flat();
}

function isStatement(text: string): boolean {
  try {
    return (parseSync(text).stmts ?? []).length > 0;
  } catch {
    return false;
  }
}

/** The text with every combination of fillings in its gaps. */
function fillings(text: string): string[] {
  const [head = '', ...rest] = text.split(GAP);
  if (rest.length > MAX_GAPS) return [];
  return rest.reduce((all, part) => all.flatMap((begun) => FILLINGS.map((filling) => begun + filling + part)), [head]);
}

type Node = Record<string, unknown>;

const asNode = (value: unknown): Node => (typeof value === 'object' && value !== null ? (value as Node) : {});
const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** What the first column of a SELECT is. */
function firstTarget(statement: unknown): unknown {
  const select = asNode(asNode(statement).SelectStmt);
  return asNode(asNode(asList(select.targetList)[0]).ResTarget).val;
}

/** Every text that an expression may be. */
function evaluate(expression: unknown): string[] {
  const [[kind, value] = ['', undefined]] = Object.entries(asNode(expression));
  const node = asNode(value);
  switch (kind) {
    case 'A_Const':
      return 'sval' in node ? [String(asNode(node.sval).sval ?? '')] : [GAP];
    case 'TypeCast':
      return evaluate(node.arg);
    case 'A_Expr':
      return nameOf(node.name) === '||' ? joined([evaluate(node.lexpr), evaluate(node.rexpr)]) : [GAP];
    case 'CaseExpr':
      return [...asList(node.args).map((when) => asNode(asNode(when).CaseWhen).result), node.defresult]
        .filter((result) => result !== undefined)
        .flatMap(evaluate);
    case 'CoalesceExpr':
      return asList(node.args).flatMap(evaluate);
    case 'SubLink':
      return node.subLinkType === 'EXPR_SUBLINK' ? evaluate(firstTarget(node.subselect)) : [GAP];
    case 'FuncCall':
      return called(nameOf(node.funcname), asList(node.args));
    default:
      return [GAP];
  }
}

function called(name: string, args: unknown[]): string[] {
  switch (name) {
    case 'format':
      return evaluate(args[0]).flatMap((template) => formatted(template, args));
    case 'concat':
      return joined(args.map(evaluate));
    case 'concat_ws':
      return joined(
        args.slice(1).flatMap((arg, at) => (at === 0 ? [evaluate(arg)] : [evaluate(args[0]), evaluate(arg)])),
      );
    case 'quote_ident':
      return ['x'];
    case 'quote_literal':
    case 'quote_nullable':
      return [`'x'`];
    default:
      return [GAP];
  }
}

/** What format() makes of a template. */
function formatted(template: string, args: unknown[]): string[] {
  const parts: string[][] = [];
  let next = 1;
  let end = 0;
  for (const { 0: whole, 1: position, 2: type, index } of template.matchAll(/%(?:(\d+)\$)?-?(?:\d+)?([%sIL])/g)) {
    parts.push([template.slice(end, index)]);
    end = index + whole.length;
    if (type === '%') parts.push(['%']);
    else {
      const at = position === undefined ? next : Number(position);
      next = at + 1;
      parts.push(type === 'I' ? ['x'] : type === 'L' ? [`'x'`] : evaluate(args[at]));
    }
  }
  return joined([...parts, [template.slice(end)]]);
}

function joined(parts: string[][]): string[] {
  return parts.reduce(
    (all, part) => all.flatMap((begun) => part.map((text) => begun + text)).slice(0, MAX_TEXTS + 1),
    [''],
  );
}

/** The last part of a name, as `format` of `pg_catalog.format`. */
function nameOf(name: unknown): string {
  return String(asNode(asNode(asList(name).at(-1)).String).sval);
}
