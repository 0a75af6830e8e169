import type { Readable } from 'node:stream';

/** The longest line that is logged whole; hosted logs cut there too. */
const longest = 10_000;

/** Calls back once per line of a stream, and once more for a last line without an end. */
export function onLines(stream: Readable, listener: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) listener(cut(line));
    if (rest.length > 10 * longest) {
      listener(cut(rest));
      rest = '';
    }
  });
  stream.on('end', () => {
    if (rest !== '') listener(cut(rest));
  });
}

function cut(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** What a function's process says to us, told from what the function prints by the secret before it. */
export type ControlMessage =
  | { type: 'ready'; port: number }
  | { type: 'waiting'; waiting: boolean }
  | { type: 'boot_error'; message: string };

/** The message in a line, or undefined when the function printed it. */
export function controlMessage(line: string, secret: string): ControlMessage | undefined {
  return line.startsWith(`${secret} {`) ? (JSON.parse(line.slice(secret.length + 1)) as ControlMessage) : undefined;
}
