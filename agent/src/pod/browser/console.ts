import { plainText, textOf } from '../shared/describe-value.js';

type Print = (stream: 'stdout' | 'stderr', text: string) => void;

const STREAMS = {
  debug: 'stdout',
  dir: 'stdout',
  error: 'stderr',
  info: 'stdout',
  log: 'stdout',
  trace: 'stderr',
  warn: 'stderr',
} as const;

/** Lets `console` print to where Node.js would: the pod's standard output and standard error. */
export function captureConsole(print: Print): void {
  for (const [name, stream] of Object.entries(STREAMS)) {
    (console as unknown as Record<string, unknown>)[name] = (...values: unknown[]) => {
      for (const line of format(values).split('\n')) print(stream, line);
    };
  }
}

/** The values as text, with the directives of `console.log`. Objects are shown as JSON. */
export function format(values: readonly unknown[]): string {
  const [first, ...rest] = values;
  if (typeof first !== 'string' || rest.length === 0) return values.map(show).join(' ');
  const text = first.replace(/%[sdifjoOc%]/g, (directive) => {
    if (directive === '%%') return '%';
    if (rest.length === 0) return directive;
    const value = rest.shift();
    switch (directive) {
      case '%d':
        return String(Number(value));
      case '%i':
        return String(Number.parseInt(String(value), 10));
      case '%f':
        return String(Number.parseFloat(String(value)));
      case '%c':
        return '';
      default:
        return show(value);
    }
  });
  return [text, ...rest.map(show)].join(' ');
}

function show(value: unknown): string {
  return textOf(value, plainText);
}
