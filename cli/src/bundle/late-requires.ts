import { readdir } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';

/** What is asked for may come with or without one of these, as Node.js looks for it. */
const ENDS = ['.js', '.cjs', '.json', '/index.js'];
/** A call with something else than one name that is written out, or another word for the function. */
const MAY_ASK_LATE = /\brequire\s*\(\s*(?!(["'])[^"'\n]*\1\s*\))|=\s*require\s*[;,\n)]/;

interface Node {
  type: string;
  start: number;
  end: number;
  [member: string]: unknown;
}

/** A call of `require` with what is known only at run time. */
interface LateCall {
  callee: Node;
  argument: Node;
  /** What its name begins with, where that is written. */
  prefix?: { text: string; node: Node };
}

/**
 * Makes calls of `require` with a name that is put together at run time find what Node.js would: among the files that its beginning
 * leaves (`require('./locale/' + name)`, which a bundler answers for whole names of files only), and among the `packages` that are named
 * elsewhere (`app.set('view engine', 'ejs')`). Gives nothing where there is nothing to change.
 */
export async function answerLateRequires(
  code: string,
  path: string,
  packages: () => Promise<readonly string[]>,
): Promise<string | undefined> {
  if (!MAY_ASK_LATE.test(code)) return undefined;
  const calls = lateCalls(await parsed(code));
  let text = code;
  // From the end, so that what stands before keeps its place.
  for (const call of calls.sort((a, b) => b.callee.start - a.callee.start)) {
    const answer =
      call.prefix === undefined
        ? amongPackages(text, call, await packages())
        : await amongFiles(text, call, call.prefix, dirname(path));
    if (answer !== undefined) text = text.slice(0, call.callee.start) + answer + text.slice(call.callee.end);
  }
  return text === code ? undefined : text;
}

async function parsed(code: string): Promise<Node | undefined> {
  const { parse } = await import('acorn');
  for (const sourceType of ['module', 'script'] as const) {
    try {
      const options = { allowHashBang: true, allowReturnOutsideFunction: true };
      const program: unknown = parse(code, { ecmaVersion: 'latest', sourceType, ...options });
      if (isNode(program)) return program;
    } catch {
      // The other kind, or a language that is compiled to this one.
    }
  }
  return undefined;
}

function lateCalls(program: Node | undefined): LateCall[] {
  const names = new Set(['require']);
  const calls: LateCall[] = [];
  let isTheirs = false;
  const visit = (node: Node, inParameters: boolean) => {
    // What a file declares under that name is something else, such as the one of a bundle inside of this one.
    const declares = node.type === 'VariableDeclarator' && (node.id as Node).name === 'require';
    if (declares || (inParameters && node.type === 'Identifier' && node.name === 'require')) isTheirs = true;
    const [target, value] = node.type === 'VariableDeclarator' ? [node.id, node.init] : [node.left, node.right];
    const isAlias = node.type === 'VariableDeclarator' || node.type === 'AssignmentExpression';
    if (isAlias && isNamed(value, 'require') && isNamed(target)) names.add((target as Node).name as string);
    if (node.type === 'CallExpression') {
      const [argument, ...more] = node.arguments as Node[];
      const callee = node.callee as Node;
      if (argument !== undefined && more.length === 0 && isNamed(callee) && names.has(callee.name as string)) {
        if (argument.type !== 'Literal') calls.push({ callee, argument, ...beginning(argument) });
      }
    }
    for (const [name, member] of Object.entries(node)) {
      for (const child of Array.isArray(member) ? member : [member]) {
        if (isNode(child)) visit(child, name === 'params');
      }
    }
  };
  if (program !== undefined) visit(program, false);
  return isTheirs ? [] : calls;
}

const isNode = (value: unknown): value is Node => typeof (value as Node | null)?.type === 'string';
const isNamed = (node: unknown, name?: string) =>
  isNode(node) && node.type === 'Identifier' && (name === undefined || node.name === name);

/** What a relative name begins with. */
function beginning(argument: Node): Pick<LateCall, 'prefix'> {
  let node = argument;
  while (node.type === 'BinaryExpression' && node.operator === '+') node = node.left as Node;
  const [quasi] = node.type === 'TemplateLiteral' ? (node.quasis as (Node & { value: { cooked: string } })[]) : [];
  const text = quasi?.value.cooked ?? (node.type === 'Literal' ? node.value : undefined);
  if (typeof text !== 'string' || !/^\.{1,2}\//.test(text)) return {};
  return { prefix: { text, node: quasi ?? node } };
}

async function amongFiles(
  code: string,
  { argument }: LateCall,
  { text: prefix }: { text: string; node: Node },
  folder: string,
): Promise<string | undefined> {
  // With its end written, too, a bundler finds the files by itself.
  if (extname(code.slice(argument.start, argument.end).replace(/["'`]$/, '')) !== '') return undefined;
  const place = join(folder, prefix.slice(0, prefix.lastIndexOf('/') + 1));
  const files = await namesBelow(place);
  const start = prefix.slice(prefix.lastIndexOf('/') + 1);
  const ends = ENDS.filter((end) => files.some((file) => file.startsWith(start) && `/${file}`.endsWith(end)));
  if (ends.length === 0) return undefined;
  const written = JSON.stringify(prefix).slice(1, -1);
  const loads = ends.map((end) => `[${JSON.stringify(end)}, (rest) => require(\`${written}\${rest}${end}\`)]`);
  return `((name) => {
    const [whole, prefix] = [String(name), ${JSON.stringify(prefix)}];
    for (const [end, load] of [${loads.join(', ')}]) {
      const rest = whole.slice(prefix.length);
      for (const each of rest.endsWith(end) ? [rest.slice(0, -end.length), rest] : [rest]) {
        try { return load(each); } catch (error) {
          if (!String(error?.message).startsWith('Module not found in bundle: ')) throw error;
        }
      }
    }
    throw Object.assign(new Error(\`Cannot find module '\${whole}'\`), { code: 'MODULE_NOT_FOUND' });
  })`;
}

/** Of the files below a folder that could be modules of its project. */
async function namesBelow(folder: string, way = ''): Promise<string[]> {
  const entries = await readdir(join(folder, way), { withFileTypes: true }).catch(() => []);
  const names = entries.map(async (entry) => {
    if (!entry.isDirectory()) return [way + entry.name];
    return /^(node_modules|\..*)$/.test(entry.name) ? [] : namesBelow(folder, `${way}${entry.name}/`);
  });
  return (await Promise.all(names)).flat();
}

function amongPackages(code: string, { callee }: LateCall, packages: readonly string[]): string | undefined {
  if (packages.length === 0) return undefined;
  const loads = packages.map((name) => `${JSON.stringify(name)}: () => require(${JSON.stringify(name)})`);
  const late = code.slice(callee.start, callee.end);
  return `((name) => ({ __proto__: null, ${loads.join(', ')} }[name] ?? (() => ${late}(name)))())`;
}
