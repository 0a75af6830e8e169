import { usageError } from '@stark-o/core/errors';

type Part = { text: string } | { path: Step[] } | { each: Step[]; body: Part[] };
type Step = { key: string } | { index: number } | 'all' | 'deep';

const hint = "e.g. -o jsonpath='{.name}', or '{range .items[*]}{.name}{\"\\n\"}{end}'";

/** A template of kubectl's: text, paths in braces, and ranges; a bare path may leave its braces out. */
export function compileJsonPath(template: string): (root: unknown) => string {
  const parts = new Parser(/[{]/.test(template) ? template : `{${template}}`).parts();
  return (root) => render(parts, root, root);
}

/** The values that a path leads to. */
export function valuesAt(path: string): (root: unknown) => unknown[] {
  const steps = stepsOf(path.replace(/^\{(.*)\}$/s, '$1'));
  return (root) => follow(steps, [root]);
}

/** A value as text: JSON of what is no text or number, and nothing for nothing. */
export function textOfValue(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

class Parser {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parts(inRange = false): Part[] {
    const parts: Part[] = [];
    while (this.#at < this.#source.length) {
      const brace = this.#source.indexOf('{', this.#at);
      if (brace !== this.#at) {
        const end = brace < 0 ? this.#source.length : brace;
        parts.push({ text: this.#source.slice(this.#at, end) });
        this.#at = end;
        continue;
      }
      const inside = this.#inside();
      if (inside === 'end') {
        if (inRange) return parts;
        throw usageError('jsonpath: {end} without {range …}', hint);
      }
      if (inside.startsWith('range ')) parts.push({ each: stepsOf(inside.slice(6)), body: this.parts(true) });
      else if (/^["'].*["']$/s.test(inside)) parts.push({ text: unquoted(inside) });
      else parts.push({ path: stepsOf(inside) });
    }
    if (inRange) throw usageError('jsonpath: {range …} without {end}', hint);
    return parts;
  }

  /** What stands between braces; a brace between quotes is none. */
  #inside(): string {
    const match = /^\{((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^{}"'])*)\}/.exec(this.#source.slice(this.#at));
    if (match === null) throw usageError(`jsonpath: no end of "${this.#source.slice(this.#at)}"`, hint);
    this.#at += match[0].length;
    return (match[1] ?? '').trim();
  }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

const unquoted = (text: string) =>
  text.slice(1, -1).replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter);

/** Reads `.spec.ports[0].name`, `.labels['a.b/c']`, `.items[*]`, `..name`. */
function stepsOf(path: string): Step[] {
  const steps: Step[] = [];
  let rest = path.trim().replace(/^[$@]/, '');
  while (rest !== '') {
    const [whole, deep, star, key, index, quoted] =
      /^(?:(\.\.)|(\.\*|\[\*\])|\.?((?:[^\s.[\]{}\\]|\\.)+)|\[(-?\d+)\]|\[(?:'([^']*)'|"[^"]*")\]|\.)/.exec(rest) ?? [];
    if (whole === undefined) throw usageError(`jsonpath: "${path}" is no path, from "${rest}" on`, hint);
    if (deep !== undefined) steps.push('deep');
    else if (star !== undefined) steps.push('all');
    else if (index !== undefined) steps.push({ index: Number(index) });
    else if (key !== undefined) steps.push({ key: key.replace(/\\(.)/g, '$1') });
    else if (whole.startsWith('[')) steps.push({ key: quoted ?? whole.slice(2, -2) });
    rest = rest.slice(whole.length);
  }
  return steps;
}

function render(parts: readonly Part[], here: unknown, root: unknown): string {
  return parts
    .map((part) => {
      if ('text' in part) return part.text;
      if ('path' in part) return follow(part.path, [here]).map(textOfValue).join(' ');
      return follow(part.each, [here])
        .map((one) => render(part.body, one, root))
        .join('');
    })
    .join('');
}

function follow(steps: readonly Step[], from: readonly unknown[]): unknown[] {
  return steps.reduce<unknown[]>((values, step) => values.flatMap((value) => after(value, step)), [...from]);
}

function after(value: unknown, step: Step): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if (step === 'all') return Object.values(value);
  if (step === 'deep') return [value, ...Object.values(value).flatMap((inner) => after(inner, 'deep'))];
  if ('index' in step) {
    const found = Array.isArray(value) ? value.at(step.index) : undefined;
    return found === undefined ? [] : [found];
  }
  return Object.hasOwn(value, step.key) ? [(value as Record<string, unknown>)[step.key]] : [];
}
