const QUOTE = 34;
const BACKSLASH = 92;
const OPENERS = '[{';
const CLOSERS = ']}';

/**
 * One part of a JSON text as it was written. A payload is passed on untouched: reading and writing it again would
 * round large numbers and cost more. The text must be known to be valid.
 */
export function rawElement(text: string, index: number): string {
  let at = afterSpace(text, text.indexOf('[') + 1);
  for (let n = 0; n < index; n++) at = afterSpace(text, afterSpace(text, endOf(text, at)) + 1);
  return text.slice(at, endOf(text, at));
}

/** The value of an object's member; of several with this name the last, as when it is read. */
export function rawMember(text: string, name: string): string | null {
  let at = afterSpace(text, text.indexOf('{') + 1);
  let value: string | null = null;
  while (text[at] === '"') {
    const endOfKey = endOf(text, at);
    const key = text.slice(at, endOfKey);
    const start = afterSpace(text, afterSpace(text, endOfKey) + 1);
    const end = endOf(text, start);
    if (JSON.parse(key) === name) value = text.slice(start, end);
    at = afterSpace(text, afterSpace(text, end) + 1);
  }
  return value;
}

/** Where the value ends that begins here. */
function endOf(text: string, start: number): number {
  if (text[start] === '"') return endOfString(text, start);
  if (!OPENERS.includes(text[start] as string)) {
    let at = start;
    while (at < text.length && !', \t\r\n]}'.includes(text[at] as string)) at++;
    return at;
  }
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text[at] as string;
    if (char === '"') at = endOfString(text, at) - 1;
    else if (OPENERS.includes(char)) depth++;
    else if (CLOSERS.includes(char) && --depth === 0) return at + 1;
  }
  return text.length;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return text.length;
}

function afterSpace(text: string, start: number): number {
  let at = start;
  while (' \t\r\n'.includes(text[at] ?? '.')) at++;
  return at;
}
