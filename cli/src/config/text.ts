import { readFile } from 'node:fs/promises';

/**
 * Reads a text file as its editor saved it: with a byte order mark, which is no part of the text, or in UTF-16, as Windows' tools
 * write it.
 */
export async function readTextFile(path: string): Promise<string> {
  return textOf(await readFile(path));
}

/** The text in bytes that came from a file or a pipe. */
export function textOf(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder().decode(bytes);
}
