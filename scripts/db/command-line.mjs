// What the scripts of this folder share when they are run by hand: each writes a file, or with --check compares it.
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

/** True when this module is the program and not imported. */
export function isProgram(moduleUrl) {
  return process.argv[1] !== undefined && moduleUrl === pathToFileURL(process.argv[1]).href;
}

/** The first line in which two texts differ, told as one line; undefined when they are equal. */
export function firstDifference(wanted, found) {
  if (wanted === found) return undefined;
  const [a, b] = [wanted.split('\n'), found.split('\n')];
  const at = a.findIndex((line, index) => line !== b[index]);
  const line = at < 0 ? a.length : at;
  return `line ${line + 1}: the file has ${JSON.stringify(b[line] ?? '(end)')}, its sources say ${JSON.stringify(a[line] ?? '(end)')}`;
}

/** Writes `text` to `path`, or with --check ends with 1 when the file differs. */
export async function writeOrCheck(path, text, how) {
  if (!process.argv.includes('--check')) {
    await writeFile(path, text);
    console.log(`wrote ${path}`);
    return;
  }
  const difference = firstDifference(text, await readFile(path, 'utf8').catch(() => ''));
  if (difference === undefined) return;
  console.error(`${path} does not fit its sources, ${difference}\nrun: ${how}`);
  process.exitCode = 1;
}
